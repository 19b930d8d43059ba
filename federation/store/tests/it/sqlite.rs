//! Every test on SQLite.

#[path = "cast.rs"]
mod cast;
#[path = "deliveries.rs"]
mod deliveries;
#[path = "documents.rs"]
mod documents;
#[path = "fetching.rs"]
mod fetching;
#[path = "flow.rs"]
mod flow;
#[path = "forgeries.rs"]
mod forgeries;
#[path = "handles.rs"]
mod handles;
#[path = "peer.rs"]
mod peer;
#[path = "signatures.rs"]
mod signatures;
#[path = "villages.rs"]
mod villages;

use farmops_federation_store::sqlite::migrate;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tempfile::TempDir;

pub use farmops_federation_store::sqlite::SqliteStore as Store;
pub use sqlx::SqlitePool as Pool;

/// A database of one server's.
pub struct Database(TempDir);

impl Database {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub async fn open(&self) -> (Store, Pool) {
        let options = SqliteConnectOptions::new()
            .filename(self.0.path().join("server.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(cast::PATIENCE);
        let pool = Pool::connect_with(options).await.unwrap();
        migrate(&pool).await.unwrap();
        (Store::new(pool.clone()), pool)
    }
}
