//! Whole copies of a database: backups, and bringing one back.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{BUSY_TIMEOUT, Database};
use crate::store::StoreError;

impl Database {
    /// Copies the database at `url`, as it is at one moment, to a new file at `target` that only its
    /// owner may read. A tracker may run on it meanwhile. After a crash the copy is whole or not there.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is at `target` already is never touched.
    pub async fn copy(url: &str, target: &Path) -> Result<(), StoreError> {
        let source = Self::path_of(url)?;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if target.try_exists()? {
            return Err(taken(target).into());
        }
        let temporary = tempfile::Builder::new()
            .prefix(".farmops-copy-")
            .tempdir_in(folder)?;
        let copy = temporary.path().join("copy.db");
        vacuum_into(&source, &copy).await?;
        farmops_service::storage_guard::make_private(&copy)?;
        File::open(&copy)?.sync_all()?;
        // A link, unlike a rename, fails when the name is taken.
        match fs::hard_link(&copy, target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(taken(target).into());
            }
            linked => linked?,
        }
        File::open(folder)?.sync_all()?;
        Ok(())
    }

    /// The files that belong to the database at `url`, whether they are there or not.
    pub fn files_of(url: &str) -> Result<Vec<PathBuf>, StoreError> {
        let path = Self::path_of(url)?;
        let beside = |suffix: &str| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(vec![
            path.clone(),
            beside("-wal"),
            beside("-shm"),
            beside(".lock"),
        ])
    }
}

fn taken(target: &Path) -> io::Error {
    let reason = format!("{} is there already; it is not replaced", target.display());
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

async fn vacuum_into(source: &Path, copy: &Path) -> Result<(), StoreError> {
    let mut conn = SqliteConnectOptions::new()
        .filename(source)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await?;
    let name = copy.to_string_lossy().replace('\'', "''");
    // SQLite takes no parameter here; the name is a folder of the caller's and a word of ours.
    sqlx::query(AssertSqlSafe(format!("VACUUM INTO '{name}'")))
        .execute(&mut conn)
        .await?;
    conn.close().await?;
    Ok(())
}
