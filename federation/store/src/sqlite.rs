//! The store on SQLite.

mod actors;
mod blocks;
mod deliveries;
mod inbox;
mod keys;
mod posts;
mod relations;

use std::str::FromStr;

use farmops_federation::{Timestamp, store::StoreError};
use sqlx::{Row, Sqlite, SqlitePool, Transaction, migrate::Migrator, sqlite::SqliteRow};

pub use self::{posts::append_post, relations::save_relation};

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

/// Brings the `fed_` tables to this version. They keep their own list of migrations, beside the
/// service's.
pub async fn migrate(pool: &SqlitePool) -> Result<(), sqlx::migrate::MigrateError> {
    let mut migrator: Migrator = sqlx::migrate!("./migrations");
    migrator.dangerous_set_table_name("_fed_migrations");
    migrator.run(pool).await
}

/// Failures on their way out of a trait's method.
trait Out<T> {
    fn out(self) -> Result<T, StoreError>;
}

impl<T> Out<T> for sqlx::Result<T> {
    fn out(self) -> Result<T, StoreError> {
        self.map_err(StoreError::new)
    }
}

/// A column whose text has a typed form.
fn parsed<T>(row: &SqliteRow, column: &str) -> sqlx::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.try_get(column)?;
    text.parse().map_err(|e| decode(column, e))
}

/// As [`parsed`], for a column that may be empty.
fn parsed_if_any<T>(row: &SqliteRow, column: &str) -> sqlx::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|e| decode(column, e)))
        .transpose()
}

fn time(row: &SqliteRow, column: &str) -> sqlx::Result<Timestamp> {
    let second: i64 = row.try_get(column)?;
    Timestamp::from_second(second).ok_or_else(|| decode(column, OutOfRange))
}

fn count(row: &SqliteRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|e| decode(column, e))
}

/// Positions are SQLite row ids: they fit.
fn position(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn decode(column: &str, source: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(source),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("outside the range")]
struct OutOfRange;
