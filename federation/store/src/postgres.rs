//! The store on PostgreSQL.

#[path = "sql/actors.rs"]
mod actors;
#[path = "sql/blocks.rs"]
mod blocks;
#[path = "sql/columns.rs"]
mod columns;
#[path = "sql/deliveries.rs"]
mod deliveries;
#[path = "sql/inbox.rs"]
mod inbox;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/posts.rs"]
mod posts;
#[path = "sql/relations.rs"]
mod relations;

use sqlx::{PgPool, Postgres, Transaction, migrate::Migrator};

pub use self::{posts::append_post, relations::save_relation};

/// What the statements are compiled for.
mod dialect {
    pub(super) use sqlx::{PgConnection as Conn, postgres::PgRow as DbRow};

    pub(super) use super::PostgresStore as SqlStore;
}

/// The key under which transactions of several statements queue; any number that nobody else uses.
const WRITERS: i64 = 0x6661_726d_5f66_6564;

/// The engine's memory in a service's PostgreSQL database.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
}

impl PostgresStore {
    /// Uses `pool`, in which [`migrate`] has run.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// One after the other, as on SQLite: deliveries get their positions in the order in which they become
    /// visible, which is what a lane's cursor rests on, and the inbox counts what waits before it takes more.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(WRITERS)
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }
}

/// Where the `fed_` tables keep their own list of migrations, beside the service's.
pub const VERSIONS: &str = "_fed_migrations";

/// The migrations of the `fed_` tables.
pub fn migrator() -> Migrator {
    let mut migrator: Migrator = sqlx::migrate!("./migrations/postgres");
    migrator.dangerous_set_table_name(VERSIONS);
    migrator
}

/// Brings the `fed_` tables to this version.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    migrator().run(pool).await
}
