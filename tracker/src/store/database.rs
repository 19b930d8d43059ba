//! A database of either kind, behind its URL.

use std::{path::Path, path::PathBuf, sync::Arc};

use farmops_federation::store::Store;
use tempfile::TempDir;
use url::Url;

use super::{
    Inspect, StoreError, Upkeep, postgres::PostgresDatabase, sqlite::SqliteDatabase, transfer,
};

/// An open database.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub enum Database {
    /// A file.
    Sqlite(SqliteDatabase),
    /// A database of a server.
    Postgres(PostgresDatabase),
}

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// To a SQLite file.
    File(PathBuf),
    /// To a PostgreSQL server; its URL without the password.
    Server(String),
}

impl Place {
    /// The folder for what belongs beside the database: a file's own, or the one we run in.
    pub fn folder(&self) -> &Path {
        match self {
            Self::File(path) => SqliteDatabase::folder_of(path),
            Self::Server(_) => Path::new("."),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}

impl Place {
    /// The same, whatever folder one is in.
    #[must_use]
    pub fn absolute(self) -> Self {
        match self {
            Self::File(path) => Self::File(std::path::absolute(&path).unwrap_or(path)),
            server @ Self::Server(_) => server,
        }
    }

    /// Where `url` leads: `sqlite://PATH`, or `postgres://USER@HOST/NAME` with libpq's parameters.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Server(shown(url)));
        }
        SqliteDatabase::path_of(url).map(Self::File)
    }
}

impl Database {
    /// Opens the database at `url` and brings its tables to this version, after a copy of what is there. A
    /// SQLite file is made if it is not there.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Ok(match Place::of(url)? {
            Place::File(path) => Self::Sqlite(SqliteDatabase::open(&path).await?),
            Place::Server(_) => Self::Postgres(PostgresDatabase::open(url).await?),
        })
    }

    /// The reading side of an existing database that is left as it is: nothing is made or migrated.
    pub async fn inspect(url: &str) -> Result<Box<dyn Inspect>, StoreError> {
        Ok(match Place::of(url)? {
            Place::File(path) => Box::new(SqliteDatabase::inspect(&path).await?),
            Place::Server(_) => Box::new(PostgresDatabase::inspect(url).await?),
        })
    }

    /// As [`Self::inspect`], of the database as it is at the first question, whatever is written meanwhile.
    /// Only [`Inspect`] and single statements of it: it is one transaction already.
    pub async fn frozen(url: &str) -> Result<Box<dyn Inspect>, StoreError> {
        Ok(match Place::of(url)? {
            Place::File(path) => Box::new(SqliteDatabase::frozen(&path).await?),
            Place::Server(_) => Box::new(PostgresDatabase::frozen(url).await?),
        })
    }

    /// Copies the database at `url`, as it is at one moment, to a new SQLite file at `target` that only its
    /// owner may read. A tracker may run on it meanwhile. After a crash the copy is whole or not there.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is at `target` already is never touched.
    pub async fn copy(url: &str, target: &Path) -> Result<(), StoreError> {
        match Place::of(url)? {
            Place::File(path) => SqliteDatabase::copy(&path, target).await,
            Place::Server(_) => transfer::to_file(url, target).await,
        }
    }

    /// A copy of the database at `url`, as it is at one moment, to be read at leisure. It goes with the
    /// folder.
    pub async fn of_one_moment(url: &str) -> Result<(TempDir, Box<dyn Inspect>), StoreError> {
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join("farm.db");
        Self::copy(url, &copy).await?;
        let reads = SqliteDatabase::inspect(&copy).await?;
        Ok((folder, Box::new(reads)))
    }

    /// Makes the database at `url`, where nothing is yet, of such a copy: all of it, or nothing.
    pub async fn bring_back(copy: &Path, url: &str) -> Result<(), StoreError> {
        match Place::of(url)? {
            Place::File(path) => SqliteDatabase::copy(copy, &path).await,
            Place::Server(_) => transfer::to_server(copy, url).await,
        }
    }

    /// Whether there is a farm at `url`, or anything else in a file's place.
    pub async fn is_there(url: &str) -> Result<bool, StoreError> {
        match Place::of(url)? {
            Place::File(path) => Ok(path.try_exists()?),
            Place::Server(_) => PostgresDatabase::is_there(url).await,
        }
    }

    /// Refuses a place where [`Self::bring_back`] would meet something.
    ///
    /// # Errors
    /// [`StoreError`] naming what is there.
    pub async fn vacant(url: &str) -> Result<(), StoreError> {
        match Place::of(url)? {
            Place::File(path) => Ok(SqliteDatabase::vacant(&path)?),
            Place::Server(_) if PostgresDatabase::is_there(url).await? => {
                Err(StoreError::Occupied("ledger".to_owned()))
            }
            Place::Server(_) => Ok(()),
        }
    }

    /// A folder in which a database is made that [`Self::bring_back`] then puts at `url`. It is beside a file,
    /// whose folder is made if it is not there.
    pub fn workshop(url: &str) -> Result<TempDir, StoreError> {
        let mut named = tempfile::Builder::new();
        let named = named.prefix(".farmops-import-");
        Ok(match Place::of(url)? {
            Place::File(path) => {
                let folder = SqliteDatabase::folder_of(&path);
                std::fs::create_dir_all(folder)?;
                named.tempdir_in(folder)?
            }
            Place::Server(_) => named.tempdir()?,
        })
    }

    /// The writing side, on a connection of its own. Nobody else gets it until it is dropped, or the process
    /// ends.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another one has it.
    pub async fn journal(&self) -> Result<Box<dyn Upkeep>, StoreError> {
        Ok(match self {
            Self::Sqlite(database) => Box::new(database.journal().await?),
            Self::Postgres(database) => Box::new(database.journal().await?),
        })
    }

    /// The reading side.
    pub fn reads(&self) -> Arc<dyn Inspect> {
        match self {
            Self::Sqlite(database) => Arc::new(database.reads()),
            Self::Postgres(database) => Arc::new(database.reads()),
        }
    }

    /// The federation engine's memory, in the same database.
    pub fn federation(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(database) => Arc::new(database.federation()),
            Self::Postgres(database) => Arc::new(database.federation()),
        }
    }

    /// Ends every connection but that of the writing side, which has to be gone by then. Everything is in a SQLite
    /// file itself afterwards, so that the file can be copied alone.
    ///
    /// # Errors
    /// [`StoreError`] when the file could not be brought up to date; nothing is lost: SQLite does it when the
    /// file is opened again.
    pub async fn close(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => {
                database.close().await;
                Ok(())
            }
        }
    }

    /// The folder for what belongs beside the database: a file's own, or the one we run in.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(database) => database.folder(),
            Self::Postgres(_) => Path::new("."),
        }
    }
}

/// A URL that may be shown: without its password.
pub(super) fn shown(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        // Whatever stands before the host is a secret of somebody who mistyped the rest.
        return url.rsplit('@').next().unwrap_or_default().to_owned();
    };
    // Only a URL without a host has no place for a password.
    let _ = parsed.set_password(None);
    let kept: Vec<(String, String)> = parsed
        .query_pairs()
        .filter(|(name, _)| name != "password")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    parsed.set_query(None);
    if !kept.is_empty() {
        parsed.query_pairs_mut().extend_pairs(kept);
    }
    parsed.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (url, expected) in [
            (
                "postgres://alice:secret@db/farm",
                "postgres://alice@db/farm",
            ),
            (
                "postgres://alice@db/farm?password=secret&sslmode=require",
                "postgres://alice@db/farm?sslmode=require",
            ),
            ("postgres://alice:secret@:bad:/farm", ":bad:/farm"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
