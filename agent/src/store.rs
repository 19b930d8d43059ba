//! The agent's memory: one SQLite file with the queue of observations, what sources remember, and the
//! outbox of signed proofs.
//!
//! What has been acknowledged to anyone is on disk first (`synchronous=FULL`), and each step of an
//! observation's way is one transaction, so a crash anywhere neither loses nor doubles it.
//!
//! One connection: SQLite has one writer anyway, and the agent's reads are short.

mod evidence;
mod kubernetes;
mod outbox;
mod queue;
mod rekeyed;
mod resume;
mod scrub;
mod shares;
mod sign_anew;
mod source_states;
mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod vault;

use std::path::{Path, PathBuf};
use std::time::Duration;

use farmops_service::storage_guard;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::watch;

pub use self::evidence::{Kept, KnownProof, Level, RawObservation, Reader};
pub use self::kubernetes::{Attendance, OpenWatch, Place, WatchKey};
pub use self::outbox::{Draft, Sealed, Settled};
pub use self::queue::Acceptance;
pub use self::rekeyed::forget_other_keys;
pub use self::resume::OutboxFault;
pub use self::shares::Shares;
use self::vault::KeyPlace;
pub use self::vault::{KEY_FILE as EVIDENCE_KEY_FILE, KeyFault, KeyId, Unopened, Vault};
use crate::status::Status;

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
    /// There is no key to encrypt with.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// There are encrypted entries, and the key is gone.
    #[error(
        "{path} is missing, and {count} entries of agent.db are encrypted with it: restore the file, \
         or give the entries up with `farmops-agent evidence forget`"
    )]
    KeyMissing {
        /// Where the key belongs.
        path: PathBuf,
        /// Encrypted entries.
        count: i64,
    },
    /// What waits was encrypted under another key.
    #[error(
        "{count} waiting observations, source positions and states of clusters are encrypted under another key \
         than {ours}: put the old evidence key back, or give them up with `farmops-agent evidence forget`"
    )]
    OtherKey {
        /// How many.
        count: i64,
        /// The key in use.
        ours: KeyId,
    },
    /// One row does not open.
    #[error("{what} {row}: {reason}")]
    Unopened {
        /// What the row holds.
        what: &'static str,
        /// Its place in the table, 0 where that is not a number.
        row: i64,
        /// Why.
        reason: Unopened,
    },
    /// There is no database, or one of an earlier version.
    #[error("there is no database of this version in {0}; start the agent once, which makes it")]
    NotMade(PathBuf),
}

/// How much the memory keeps.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Observations waiting, in equal shares for all plugins.
    pub observations_max: i64,
    /// Bytes of the observations waiting, as they stand in the file, in the same shares.
    pub observations_bytes_max: i64,
    /// Delivered proofs kept.
    pub proofs_kept_max: i64,
    /// Bytes of evidence with its observations, as they stand in the file; beyond, the oldest goes.
    pub evidence_bytes_max: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            observations_max: 10_000,
            observations_bytes_max: 256 * 1024 * 1024,
            proofs_kept_max: 10_000,
            evidence_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// An open memory. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    vault: Vault,
    bounds: Bounds,
    shares: Shares,
    status: Status,
    queue_changed: watch::Sender<()>,
    outbox_changed: watch::Sender<()>,
}

impl Store {
    /// Opens, or makes, the memory in `folder`, sealed by the key in the same folder.
    pub async fn open(folder: &Path, bounds: Bounds) -> Result<Self, StoreError> {
        Self::open_sealed(folder, None, bounds).await
    }

    /// As [`Self::open`], sealed by the key in `key_file` if one is named.
    pub async fn open_sealed(
        folder: &Path,
        key_file: Option<&Path>,
        bounds: Bounds,
    ) -> Result<Self, StoreError> {
        let pool = connect(folder).await?;
        let key = KeyPlace::new(folder, key_file);
        let vault = match (key.read()?, rekeyed::sealed_rows(&pool).await?) {
            (Some(vault), _) => vault,
            (None, 0) => key.make()?,
            (None, count) => {
                let path = key.path().to_owned();
                return Err(StoreError::KeyMissing { path, count });
            }
        };
        rekeyed::refuse_other_keys(&pool, &vault).await?;
        scrub::run(&pool, &vault, crate::clock::now()).await?;
        Ok(Self {
            pool,
            vault,
            bounds,
            shares: Shares::default(),
            status: Status::default(),
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

    /// Who may fill how much of the queue.
    pub fn shares(&self) -> &Shares {
        &self.shares
    }

    /// Where it counts what it had to drop; whoever works with it may count there as well.
    pub fn status(&self) -> &Status {
        &self.status
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

/// Opens the file for reading and writing, and brings its tables to this version.
async fn connect(folder: &Path) -> Result<SqlitePool, StoreError> {
    storage_guard::refuse_network_filesystem(folder)?;
    let file = folder.join(FILE_NAME);
    storage_guard::make_private(&file)?;
    let options = options(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What is deleted is overwritten, so that it does not come back from the file.
        .pragma("secure_delete", "ON");
    let pool = pool(options).await?;
    sqlx::migrate!("./migrations").run(&pool).await?;
    Ok(pool)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
}

async fn pool(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
}
