//! Every test on PostgreSQL.

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

use farmops_federation_store::postgres::migrate;

pub use farmops_federation_store::postgres::PostgresStore as Store;
pub use sqlx::PgPool as Pool;

/// A database of one server's.
pub struct Database(String);

impl Database {
    pub fn new() -> Self {
        Self(farmops_postgres::database().unwrap_or_else(|error| panic!("{error}")))
    }

    pub async fn open(&self) -> (Store, Pool) {
        let pool = Pool::connect(&self.0).await.unwrap();
        migrate(&pool).await.unwrap();
        (Store::new(pool.clone()), pool)
    }
}
