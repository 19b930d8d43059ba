//! The store on SQLite: one writing connection, a pool of reading ones, one file.

mod agents;
mod commit;
mod copies;
mod history;
mod inspect;
mod journal;
mod layout;
mod load;
mod log;
mod multi;
mod owner;
mod publications;
mod reads;
mod rebuild;
mod revocations;
mod rows;
mod secrets;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

/// Reading connections; each is a thread and a page cache.
const READERS_MAX: u32 = 4;
/// How long a writer waits for another one; the delivery log has its own writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open database.
#[derive(Clone, Debug)]
pub struct Database {
    path: PathBuf,
    pool: SqlitePool,
}

/// The word that this process alone works on a database.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for its lock")] std::fs::File);

/// The writing side.
pub struct SqliteJournal {
    conn: SqliteConnection,
}

/// The reading side.
#[derive(Clone, Debug)]
pub struct SqliteReads {
    pool: SqlitePool,
}

impl Database {
    /// Opens, or makes, the database at `url` (`sqlite://PATH`) and brings its tables to this version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let path = Self::path_of(url)?;
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        // It holds keys.
        farmops_service::storage_guard::make_private(&path)?;
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options(&path))
            .await?;
        sqlx::migrate!("migrations/sqlite").run(&pool).await?;
        farmops_federation_store::migrate(&pool).await?;
        Ok(Self { path, pool })
    }

    /// The reading side of an existing database that is left as it is: nothing is made or migrated.
    pub async fn inspect(url: &str) -> Result<SqliteReads, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(Self::path_of(url)?)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        Ok(SqliteReads { pool })
    }

    /// As [`Self::inspect`], of the database as it is at the first question, whatever is written meanwhile.
    /// Only [`super::Inspect`] and single statements of it: it is one transaction already.
    pub async fn frozen(url: &str) -> Result<SqliteReads, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(Self::path_of(url)?)
            .read_only(true)
            .busy_timeout(BUSY_TIMEOUT);
        // One connection for as long as it takes: another one would see another moment.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(|conn, _| {
                Box::pin(async { sqlx::query("BEGIN").execute(conn).await.map(|_| ()) })
            })
            .connect_with(options)
            .await?;
        Ok(SqliteReads { pool })
    }

    /// Claims the database for this process until the claim is dropped, or the process ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another one has it.
    pub fn claim(&self) -> Result<Claim, StoreError> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        // A file of its own: closing one that SQLite has open too would end SQLite's own locks.
        let file = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Claim(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
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

    /// The pool, for the federation engine's own tables.
    pub fn pool(&self) -> SqlitePool {
        self.pool.clone()
    }

    /// The file's folder.
    pub fn folder(&self) -> &Path {
        self.path
            .parent()
            .filter(|f| !f.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    /// The reading side.
    pub fn reads(&self) -> SqliteReads {
        SqliteReads {
            pool: self.pool.clone(),
        }
    }

    /// The writing side, on a connection of its own.
    pub async fn journal(&self) -> Result<SqliteJournal, StoreError> {
        Ok(SqliteJournal {
            conn: options(&self.path).connect().await?,
        })
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
