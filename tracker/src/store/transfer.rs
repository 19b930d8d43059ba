//! Moving everything that a database holds into one of the other kind, row by row.

use std::{collections::BTreeSet, path::Path};

use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::{RawRow, StoreError, postgres::PostgresDatabase, sqlite::SqliteDatabase};

/// Rows in one statement.
const CHUNK: usize = 100;

/// Every table that is, or ever was, ours, but the lists of migrations. What else is in a database, where others
/// may keep their tables too, is never read, written or emptied.
pub(super) const OUR_TABLES: &[&str] = &[
    "agent_contact",
    "agent_outage",
    "agent_trust",
    "api_token",
    "category_stats",
    "chain_reset_request",
    "checkpoint",
    "composing",
    "composite",
    "composite_part",
    "day_stats",
    "farm",
    "farm_upgrade",
    "fed_actors",
    "fed_blocks",
    "fed_deliveries",
    "fed_inbox",
    "fed_keys",
    "fed_lanes",
    "fed_posts",
    "fed_relations",
    "fork_evidence",
    "hour_activity",
    "layout",
    "league",
    "league_day",
    "league_season",
    "ledger",
    "ledger_head",
    "notice",
    "owner_token",
    "proof_buffer",
    "proof_chain",
    "publication",
    "purchase",
    "rest_day",
    "rule_set",
    "secret",
    "tile",
    "village",
];

/// A connection that is read from.
#[async_trait]
pub(super) trait Source: Send {
    /// Those of [`OUR_TABLES`] that are there.
    async fn tables(&mut self) -> Result<Vec<String>, StoreError>;
    /// The rows of a table.
    fn rows<'a>(&'a mut self, table: &str) -> BoxStream<'a, Result<RawRow, StoreError>>;
    /// The last number that each table gave to a row by itself.
    async fn counters(&mut self) -> Result<Vec<(String, i64)>, StoreError>;
}

/// A connection that is written to.
#[async_trait]
pub(super) trait Target: Send {
    /// Those of [`OUR_TABLES`] that are there.
    async fn names(&mut self) -> Result<Vec<String>, StoreError>;
    /// Whether a table has no row.
    async fn is_empty(&mut self, table: &str) -> Result<bool, StoreError>;
    /// Adds rows to a table.
    async fn insert(&mut self, table: &str, rows: &[RawRow]) -> Result<(), StoreError>;
    /// Lets a table give numbers after `last`.
    async fn set_counter(&mut self, table: &str, last: i64) -> Result<(), StoreError>;
}

/// Moves all rows. Both have to have the same tables, and those of `target` have to be empty.
///
/// # Errors
/// [`StoreError`]; whatever `target` holds by then goes with its transaction.
async fn all(source: &mut dyn Source, target: &mut dyn Target) -> Result<(), StoreError> {
    let tables: BTreeSet<String> = source.tables().await?.into_iter().collect();
    let theirs: BTreeSet<String> = target.names().await?.into_iter().collect();
    if let Some(odd) = tables.symmetric_difference(&theirs).next() {
        return Err(StoreError::OtherTables(odd.clone()));
    }
    for table in &tables {
        if !target.is_empty(table).await? {
            return Err(StoreError::Occupied(table.clone()));
        }
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

/// Fills the database at `url`, which holds nothing of ours, from the SQLite file at `copy`: in one transaction,
/// while no tracker can begin on it.
pub(super) async fn to_server(copy: &Path, url: &str) -> Result<(), StoreError> {
    let mut source: SqliteConnection = SqliteDatabase::as_it_is(copy).await?;
    let mut target = PostgresDatabase::open(url).await?.journal().await?;
    let mut filled = target.begin().await?;
    all(&mut source, &mut *filled).await?;
    filled.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::store::{Database, tests::fresh};

    #[tokio::test]
    async fn every_table_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&fresh(folder.path())).await.unwrap();
        let there = database.tables().await;
        assert_eq!(there, OUR_TABLES);
    }
}
