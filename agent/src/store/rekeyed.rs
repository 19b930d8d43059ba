//! What is sealed under another key than the one in use: told before anything begins, and given up on demand.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use super::StoreError;
use super::vault::{KeyPlace, Vault};

/// Sealed columns by table, of what the agent goes on from. A state's candidate is sealed with its fields.
const WAITING: [(&str, &str); 4] = [
    ("observations", "sealed"),
    ("source_states", "sealed"),
    ("kubernetes_states", "fields"),
    ("kubernetes_objects", "sealed"),
];
/// Evidence of made proofs is only missed by whoever asks for it.
const EVIDENCE: (&str, &str) = ("evidence", "sealed");

/// Deletes what is sealed under another key than the one in use, or under any if there is no key; gives how
/// many entries that were. What is watched in a cluster is listed anew. The caller holds the folder's lock.
pub async fn forget_other_keys(folder: &Path, key_file: Option<&Path>) -> Result<u64, StoreError> {
    let pool = super::connect(folder).await?;
    let vault = KeyPlace::new(folder, key_file).read()?;
    let key = vault.as_ref().map(|vault| vault.key_id().0.to_vec());
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut gone = 0;
    for (table, column) in WAITING.into_iter().chain([EVIDENCE]) {
        if table.starts_with("kubernetes_") {
            let anew = format!(
                "UPDATE kubernetes_watches SET resource_version = NULL WHERE id IN \
                 (SELECT watch FROM {table} WHERE substr({column}, 2, 8) IS NOT $1)"
            );
            let anew = sqlx::query(sqlx::AssertSqlSafe(anew)).bind(key.clone());
            anew.execute(&mut *tx).await?;
        }
        let delete = format!("DELETE FROM {table} WHERE substr({column}, 2, 8) IS NOT $1");
        let delete = sqlx::query(sqlx::AssertSqlSafe(delete)).bind(key.clone());
        gone += delete.execute(&mut *tx).await?.rows_affected();
    }
    tx.commit().await?;
    pool.close().await;
    Ok(gone)
}

/// How many entries are sealed, whatever the key.
pub(super) async fn sealed_rows(pool: &SqlitePool) -> Result<i64, StoreError> {
    let mut count = 0;
    for (table, _) in WAITING.into_iter().chain([EVIDENCE]) {
        let rows = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        count += sqlx::query_scalar::<_, i64>(rows).fetch_one(pool).await?;
    }
    Ok(count)
}

/// Refuses to go on where something waits that this key does not open.
pub(super) async fn refuse_other_keys(pool: &SqlitePool, vault: &Vault) -> Result<(), StoreError> {
    let ours = vault.key_id();
    let mut count = 0;
    for (table, column) in WAITING {
        let rows = format!("SELECT count(*) FROM {table} WHERE substr({column}, 2, 8) IS NOT $1");
        let rows = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(rows)).bind(ours.0.to_vec());
        count += rows.fetch_one(pool).await?;
    }
    if count > 0 {
        return Err(StoreError::OtherKey { count, ours });
    }
    Ok(())
}
