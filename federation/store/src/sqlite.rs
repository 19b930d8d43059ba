//! The store on SQLite.

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

use sqlx::{Sqlite, SqlitePool, Transaction, migrate::Migrator};

pub use self::{posts::append_post, relations::save_relation};

/// What the statements are compiled for.
mod dialect {
    pub(super) use sqlx::{SqliteConnection as Conn, sqlite::SqliteRow as DbRow};

    pub(super) use super::SqliteStore as SqlStore;
}

/// The engine's memory in a service's SQLite database.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Uses `pool`, in which [`migrate`] has run.
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    async fn begin(&self) -> sqlx::Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}

/// Where the `fed_` tables keep their own list of migrations, beside the service's.
pub const VERSIONS: &str = "_fed_migrations";

/// The migrations of the `fed_` tables.
pub fn migrator() -> Migrator {
    let mut migrator: Migrator = sqlx::migrate!("./migrations/sqlite");
    migrator.dangerous_set_table_name(VERSIONS);
    migrator
}

/// Brings the `fed_` tables to this version.
pub async fn migrate(pool: &SqlitePool) -> Result<(), sqlx::migrate::MigrateError> {
    migrator().run(pool).await
}
