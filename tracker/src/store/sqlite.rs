//! The store on SQLite: one writing connection, a pool of reading ones, one file.

#[path = "sql/agents.rs"]
mod agents;
#[path = "sql/commit.rs"]
mod commit;
#[path = "sql/glance.rs"]
mod glance;
#[path = "sql/history.rs"]
mod history;
#[path = "sql/inspect.rs"]
mod inspect;
#[path = "sql/journal.rs"]
mod journal;
#[path = "sql/layout.rs"]
mod layout;
#[path = "sql/leagues.rs"]
mod leagues;
#[path = "sql/load.rs"]
mod load;
#[path = "sql/log.rs"]
mod log;
#[path = "sql/multi.rs"]
mod multi;
#[path = "sql/owner.rs"]
mod owner;
#[path = "sql/prune.rs"]
mod prune;
#[path = "sql/publications.rs"]
mod publications;
#[path = "sql/reads.rs"]
mod reads;
#[path = "sql/rebuild.rs"]
mod rebuild;
#[path = "sql/revocations.rs"]
mod revocations;
#[path = "sql/rows.rs"]
mod rows;
#[path = "sql/secrets.rs"]
mod secrets;
#[path = "sql/tables.rs"]
mod tables;
#[path = "sql/tokens.rs"]
mod tokens;
#[path = "sql/versions.rs"]
mod versions;

mod copies;

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use farmops_federation_store::sqlite::{self as federation, SqliteStore};
use farmops_service::storage_guard::{make_private, refuse_network_filesystem};
use sqlx::{
    ConnectOptions, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use self::versions::any_outdated;
use super::{
    StoreError,
    versions::{OURS, newest},
};

pub(super) static TABLES: Migrator = sqlx::migrate!("migrations/sqlite");

/// What the statements are compiled for.
mod dialect {
    pub(super) use farmops_federation_store::sqlite::append_post;
    use sqlx::{
        Row as _, Sqlite, TypeInfo as _, ValueRef as _, query::Query, sqlite::SqliteArguments,
    };
    pub(super) use sqlx::{
        SqliteConnection as Conn, SqlitePool as Pool, sqlite::SqliteRow as DbRow,
    };

    pub(super) const HAS_TABLE: &str =
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1";

    pub(super) use super::{SqliteJournal as SqlJournal, SqliteReads as SqlReads};
    use crate::store::Cell;

    /// Plain `?`: SQLite looks the name of each `$n` up in a list of them all, which for a thousand costs
    /// more than the insert.
    pub(super) fn placeholder(_: usize) -> String {
        "?".to_owned()
    }

    pub(super) const COLUMNS: &str = "SELECT name, type AS kind FROM pragma_table_info($1)";
    pub(super) const OVERRIDING: &str = "";
    pub(super) const COUNTERS: &str = "SELECT seq AS last FROM sqlite_sequence WHERE name = $1";
    pub(super) const SET_COUNTER: &[&str] = &[
        "DELETE FROM sqlite_sequence WHERE name = $1",
        "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
    ];

    /// A value for a column, whose kind SQLite does not mind; always some.
    #[expect(clippy::unnecessary_wraps, reason = "other databases do mind")]
    pub(super) fn bind<'q>(query: Filling<'q>, _: &str, cell: &'q Cell) -> Option<Filling<'q>> {
        Some(match cell {
            Cell::Null => query.bind(None::<i64>),
            Cell::Number(number) => query.bind(number),
            Cell::Text(text) => query.bind(text.as_str()),
            Cell::Bytes(bytes) => query.bind(bytes.as_slice()),
        })
    }

    type Filling<'q> = Query<'q, Sqlite, SqliteArguments>;

    /// The value in a column, as it is.
    pub(super) fn cell(row: &DbRow, at: usize) -> sqlx::Result<Cell> {
        let value = row.try_get_raw(at)?;
        Ok(match value.type_info().name() {
            _ if value.is_null() => Cell::Null,
            "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
            "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
            _ => Cell::Number(row.try_get_unchecked(at)?),
        })
    }
}

/// Reading connections; each is a thread and a page cache.
const READERS_MAX: u32 = 4;
/// How long a writer waits for another one; the delivery log has its own writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open file.
#[derive(Clone, Debug)]
pub struct SqliteDatabase {
    path: PathBuf,
    pool: SqlitePool,
}

/// The writing side. One process has it at a time.
pub struct SqliteJournal {
    conn: SqliteConnection,
    /// Held for its lock.
    _claim: Option<File>,
}

/// The reading side.
#[derive(Clone, Debug)]
pub struct SqliteReads {
    pool: SqlitePool,
}

impl SqliteDatabase {
    /// Opens, or makes, the file at `path` and brings its tables to this version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, &TABLES).await
    }

    pub(super) async fn open_as(path: &Path, tables: &Migrator) -> Result<Self, StoreError> {
        // Here, where every way to write begins.
        refuse_network_filesystem(path)?;
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        // It holds keys.
        make_private(path)?;
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options(path))
            .await?;
        bring_up(path, &pool, tables).await?;
        Ok(Self {
            path: path.to_owned(),
            pool,
        })
    }

    /// The reading side of an existing file that is left as it is: nothing is made or migrated.
    pub async fn inspect(path: &Path) -> Result<SqliteReads, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(looking(path))
            .await?;
        Ok(SqliteReads { pool })
    }

    /// As [`Self::inspect`], of the file as it is at the first question, whatever is written meanwhile.
    /// Only [`super::Inspect`] and single statements of it: it is one transaction already.
    pub async fn frozen(path: &Path) -> Result<SqliteReads, StoreError> {
        // One connection for as long as it takes: another one would see another moment.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|conn, _| {
                Box::pin(async { sqlx::query("BEGIN").execute(conn).await.map(|_| ()) })
            })
            .connect_with(looking(path))
            .await?;
        Ok(SqliteReads { pool })
    }

    /// A new file with all tables, on one connection.
    pub(super) async fn made(path: &Path) -> Result<SqliteConnection, StoreError> {
        Self::open(path).await?.pool.close().await;
        Ok(options(path).connect().await?)
    }

    /// An existing file, as it is.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when it may have tables that this program does not know.
    pub(super) async fn as_it_is(path: &Path) -> Result<SqliteConnection, StoreError> {
        let mut conn = looking(path).connect().await?;
        any_outdated(
            &mut conn,
            &[
                (&TABLES, OURS),
                (&federation::migrator(), federation::VERSIONS),
            ],
        )
        .await?;
        Ok(conn)
    }

    /// The writing side, on a connection of its own. Nobody else gets it until it is dropped, or the process
    /// ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another one has it.
    pub async fn journal(&self) -> Result<SqliteJournal, StoreError> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        // A file of its own: closing one that SQLite has open too would end SQLite's own locks.
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => self.writing(Some(file)).await,
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    async fn writing(&self, claim: Option<File>) -> Result<SqliteJournal, StoreError> {
        Ok(SqliteJournal {
            conn: options(&self.path).connect().await?,
            _claim: claim,
        })
    }

    /// Ends the connections, and brings what is in the log beside the file into it.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.pool.close().await;
        let mut last = options(&self.path).connect().await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut last)
            .await?;
        last.close().await?;
        Ok(())
    }

    /// The file that a URL names.
    pub fn path_of(url: &str) -> Result<PathBuf, StoreError> {
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .map(|rest| rest.split('?').next().unwrap_or(rest));
        match path {
            Some(path) if !path.is_empty() && !path.starts_with(':') => Ok(path.into()),
            _ => Err(StoreError::Url(url.to_owned())),
        }
    }

    #[cfg(test)]
    #[expect(clippy::unwrap_used, reason = "for tests")]
    pub(super) async fn stranger(&self) -> SqliteJournal {
        self.writing(None).await.unwrap()
    }

    /// The federation engine's memory, in the same file.
    pub fn federation(&self) -> SqliteStore {
        SqliteStore::new(self.pool.clone())
    }

    /// The file's folder.
    pub fn folder(&self) -> &Path {
        Self::folder_of(&self.path)
    }

    /// The folder of the file at `path`.
    pub fn folder_of(path: &Path) -> &Path {
        path.parent()
            .filter(|f| !f.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    /// The reading side.
    pub fn reads(&self) -> SqliteReads {
        SqliteReads {
            pool: self.pool.clone(),
        }
    }
}

impl SqliteJournal {
    /// Nothing comes between a file and who has it open.
    #[expect(clippy::unused_async, reason = "a server may have gone away meanwhile")]
    async fn ready(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// A transaction that may write from its start: one that reads first could only fail later.
    async fn begin(&mut self) -> sqlx::Result<Transaction<'_, Sqlite>> {
        self.conn.begin_with("BEGIN IMMEDIATE").await
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Fewer, larger checkpoints: 16 MiB of log instead of 4.
        .pragma("wal_autocheckpoint", "4096")
        .pragma("cache_size", "-32768")
        .statement_cache_capacity(128)
}

fn looking(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// Brings the tables to this version; what is there is copied first.
async fn bring_up(path: &Path, pool: &SqlitePool, ours: &Migrator) -> Result<(), StoreError> {
    let theirs = federation::migrator();
    let tables = [(ours, OURS), (&theirs, federation::VERSIONS)];
    if any_outdated(&mut *pool.acquire().await?, &tables).await? {
        copies::before_migration(path, newest(ours).max(newest(&theirs))).await?;
    }
    ours.run(pool).await?;
    theirs.run(pool).await?;
    Ok(())
}
