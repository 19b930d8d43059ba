//! Moving everything that a database holds into one of the other kind, row by row.

use std::{collections::BTreeSet, path::Path};

use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{RawRow, StoreError, postgres::PostgresDatabase, sqlite::SqliteDatabase};

/// Rows in one statement.
const CHUNK: usize = 100;

/// A connection that is read from.
#[async_trait]
pub(super) trait Source: Send {
    /// Every table but the lists of migrations.
    async fn tables(&mut self) -> Result<Vec<String>, StoreError>;
    /// The rows of a table.
    fn rows<'a>(&'a mut self, table: &str) -> BoxStream<'a, Result<RawRow, StoreError>>;
    /// The last number that each table gave to a row by itself.
    async fn counters(&mut self) -> Result<Vec<(String, i64)>, StoreError>;
}

/// A connection that is written to.
#[async_trait]
pub(super) trait Target: Send {
    /// Every table but the lists of migrations.
    async fn names(&mut self) -> Result<Vec<String>, StoreError>;
    /// Adds rows to a table.
    async fn insert(&mut self, table: &str, rows: &[RawRow]) -> Result<(), StoreError>;
    /// Lets a table give numbers after `last`.
    async fn set_counter(&mut self, table: &str, last: i64) -> Result<(), StoreError>;
    /// Empties every table.
    async fn clear(&mut self) -> Result<(), StoreError>;
}

/// Moves all rows. Both have to have the same tables, and those of `target` have to be empty.
async fn all(source: &mut dyn Source, target: &mut dyn Target) -> Result<(), StoreError> {
    let tables: BTreeSet<String> = source.tables().await?.into_iter().collect();
    let theirs: BTreeSet<String> = target.names().await?.into_iter().collect();
    if let Some(odd) = tables.symmetric_difference(&theirs).next() {
        return Err(StoreError::OtherTables(odd.clone()));
    }
    for table in &tables {
        let mut chunks = source.rows(table).chunks(CHUNK);
        while let Some(chunk) = chunks.next().await {
            let rows: Vec<RawRow> = chunk.into_iter().collect::<Result<_, _>>()?;
            target.insert(table, &rows).await?;
        }
    }
    for (table, last) in source.counters().await? {
        target.set_counter(&table, last).await?;
    }
    Ok(())
}

/// Copies the database at `url`, as it is at one moment, to a new SQLite file at `path`.
pub(super) async fn to_file(url: &str, path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let temporary = tempfile::Builder::new()
        .prefix(".farmops-copy-")
        .tempdir_in(folder)?;
    let file = temporary.path().join("copy.db");
    let mut source: PgConnection = PostgresDatabase::one_moment(url).await?;
    let mut target: SqliteConnection = SqliteDatabase::made(&file).await?;
    let mut filled = target.begin().await?;
    all(&mut source, &mut *filled).await?;
    filled.commit().await?;
    target.close().await?;
    SqliteDatabase::copy(&file, path).await
}

/// Fills the database at `url`, which holds nothing, from the SQLite file at `copy`.
pub(super) async fn to_server(copy: &Path, url: &str) -> Result<(), StoreError> {
    let mut source: SqliteConnection = SqliteDatabase::as_it_is(copy).await?;
    let mut target = PostgresDatabase::open(url).await?.journal().await?;
    let mut filled = target.begin().await?;
    all(&mut source, &mut *filled).await?;
    filled.commit().await?;
    Ok(())
}
