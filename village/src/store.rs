//! What the village remembers, in SQL; one file per noun.
//!
//! Every change is one transaction that begins with `BEGIN IMMEDIATE`: SQLite has one writer, and a
//! transaction that reads first and writes later can only fail. A call that returned `Ok` survives
//! a power cut (WAL with `synchronous = FULL`).
//!
//! Boards are a projection: whatever changes a farmer's standing or her snapshots ends with
//! `projection::project` in the same transaction, so no reader ever sees a row that the policy
//! no longer allows.

mod blocks;
mod boards;
mod farmers;
mod invites;
mod peers;
mod projection;
mod snapshots;
mod tokens;
mod village;

use std::{str::FromStr, time::Duration};

use farmops_federation::Timestamp;
use sqlx::{
    Row, Sqlite, SqlitePool, Transaction,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

pub use self::{
    blocks::BlockedHost,
    boards::Counts,
    farmers::Saved,
    invites::Invite,
    peers::{PeerChange, PeerRecord, VillageId},
    snapshots::{Arrival, HistoryPoint, Kept, StoredSnapshot},
    village::VillageRecord,
};

/// Connections to the database: one writes, the others read.
const CONNECTIONS_MAX: u32 = 6;
/// How long a writer waits for the other one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The village's memory.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// The database failed or could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought to this version.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// What is stored cannot be read back.
    #[error("stored {0} cannot be read: {1}")]
    Corrupt(&'static str, String),
}

impl Store {
    /// Opens, or makes, the database at `url` (`sqlite://village.db`) and migrates it, the
    /// federation engine's tables included.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        farmops_federation_store::migrate(&pool).await?;
        Ok(Self { pool })
    }

    /// The federation engine's memory, in the same database.
    pub fn federation(&self) -> farmops_federation_store::SqliteStore {
        farmops_federation_store::SqliteStore::new(self.pool.clone())
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Waits for running statements and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
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
    time_if_any(row, column)?.ok_or_else(|| decode(column, OutOfRange))
}

fn time_if_any(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    let second: Option<i64> = row.try_get(column)?;
    second
        .map(|s| Timestamp::from_second(s).ok_or_else(|| decode(column, OutOfRange)))
        .transpose()
}

fn count(row: &SqliteRow, column: &str) -> sqlx::Result<u64> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|e| decode(column, e))
}

/// Numbers on the wire end at 2^53 - 1, so they fit.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
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
