//! The agent's memory: one SQLite file with the queue of observations, what sources remember, and the
//! outbox of signed proofs.
//!
//! What has been acknowledged to anyone is on disk first (`synchronous=FULL`), and each step of an
//! observation's way is one transaction, so a crash anywhere neither loses nor doubles it.
//!
//! One connection: SQLite has one writer anyway, and the agent's reads are short.

mod kubernetes;
mod outbox;
mod queue;
mod resume;
mod sign_anew;
mod source_states;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::watch;

pub use self::kubernetes::{Attendance, OpenWatch, Place, WatchKey};
pub use self::outbox::{Draft, Sealed, Settled};
pub use self::queue::Acceptance;
pub use self::resume::OutboxFault;

/// The file's name in the data folder.
const FILE_NAME: &str = "agent.db";

/// Why the memory fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is on a network file system.
    #[error(transparent)]
    Place(#[from] farmops_service::storage_guard::StorageError),
    /// The file cannot be made.
    #[error("cannot use the agent's database file")]
    File(#[from] std::io::Error),
    /// The database failed.
    #[error("the agent's database failed")]
    Sql(#[from] sqlx::Error),
    /// The tables could not be brought to this version.
    #[error("the agent's database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A row that this program did not write like that.
    #[error("the agent's database holds an unreadable {0}")]
    Unreadable(&'static str),
}

/// How much the memory keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Observations waiting.
    pub observations_max: i64,
    /// Delivered proofs kept with their evidence.
    pub proofs_kept_max: i64,
}

/// An open memory. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    bounds: Bounds,
    queue_changed: watch::Sender<()>,
    outbox_changed: watch::Sender<()>,
}

impl Store {
    /// Opens, or makes, the memory in `folder`.
    pub async fn open(folder: &Path, bounds: Bounds) -> Result<Self, StoreError> {
        farmops_service::storage_guard::refuse_network_filesystem(folder)?;
        let file = folder.join(FILE_NAME);
        // Observations are raw work data.
        farmops_service::storage_guard::make_private(&file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self {
            pool,
            bounds,
            queue_changed: watch::Sender::new(()),
            outbox_changed: watch::Sender::new(()),
        })
    }

    /// Told whenever observations were added.
    pub fn watch_queue(&self) -> watch::Receiver<()> {
        self.queue_changed.subscribe()
    }

    /// Told whenever proofs were added or delivered.
    pub fn watch_outbox(&self) -> watch::Receiver<()> {
        self.outbox_changed.subscribe()
    }

    /// How much is kept.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Closes the file in good order.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
