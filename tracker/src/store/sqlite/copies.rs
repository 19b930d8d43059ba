//! Whole copies of a database: backups, and bringing one back.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use super::{BUSY_TIMEOUT, SqliteDatabase};
use crate::store::{StoreError, versions::SNAPSHOTS_KEPT};

/// What SQLite's own files beside a database end in.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

impl SqliteDatabase {
    /// Copies the file at `source`, as it is at one moment, to a new one at `target` that only its owner may
    /// read. A tracker may run on it meanwhile. After a crash the copy is whole or not there.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is at `target` already is never touched, and neither is what SQLite left
    /// beside it.
    pub async fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
        let folder = Self::folder_of(target);
        Self::vacant(target)?;
        let temporary = tempfile::Builder::new()
            .prefix(".farmops-copy-")
            .tempdir_in(folder)?;
        let copy = temporary.path().join("copy.db");
        vacuum_into(source, &copy).await?;
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

    /// Refuses a place where a database is, or something of one that was moved away without it: SQLite takes a log
    /// that it finds beside a file for that file's own, and brings back what it says.
    ///
    /// # Errors
    /// Which file is there.
    pub fn vacant(path: &Path) -> io::Result<()> {
        if is_taken(path)? {
            return Err(taken(path));
        }
        for suffix in BESIDE {
            let left = with_suffix(path, suffix);
            if is_taken(&left)? {
                return Err(left_behind(&left));
            }
        }
        Ok(())
    }
}

/// Copies the file at `path` to one beside it, `<name>.before-<version>-<second>`, and removes the oldest of
/// such copies.
pub(super) async fn before_migration(path: &Path, version: i64) -> Result<(), StoreError> {
    const WORD: &str = ".before-";
    let second = jiff::Timestamp::now().as_second();
    let copy = with_suffix(path, &format!("{WORD}{version}-{second}"));
    SqliteDatabase::copy(path, &copy).await?;
    tracing::info!(file = %copy.display(), "the database was copied before its tables are changed");
    let (Some(folder), Some(stem)) = (copy.parent(), path.file_name()) else {
        return Ok(());
    };
    let stem = format!("{}{WORD}", stem.to_string_lossy());
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut copies: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            let name = file.file_name().map(|name| name.to_string_lossy());
            name.is_some_and(|name| name.starts_with(&stem))
        })
        .collect();
    copies.sort();
    for old in copies.iter().rev().skip(SNAPSHOTS_KEPT.into()) {
        fs::remove_file(old)?;
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether anything has this name, and be it a link that leads nowhere.
fn is_taken(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn taken(target: &Path) -> io::Error {
    let reason = format!("{} is there already; it is not replaced", target.display());
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

fn left_behind(file: &Path) -> io::Error {
    let reason = format!(
        "{} is still there: move it away with the old database",
        file.display()
    );
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
