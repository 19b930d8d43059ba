//! What an earlier version kept in clear is sealed, once, and its traces are wiped from the file.
//!
//! The clear tables are dropped last, so a crash anywhere only means that the next start goes on.

use farmops_protocol::time::Timestamp;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, Sqlite, Transaction};
use uuid::Uuid;

use super::evidence::Record;
use super::vault::Vault;
use super::{StoreError, queue, source_states};
use crate::observation::{Origin, Sighting};

/// Rows sealed in one transaction.
const BATCH: i64 = 100;

/// Seals what stands in clear tables, if there are any.
pub(super) async fn run(
    pool: &SqlitePool,
    vault: &Vault,
    now: Timestamp,
) -> Result<(), StoreError> {
    let clear: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sqlite_master WHERE name = 'clear_observations'")
            .fetch_optional(pool)
            .await?;
    if clear.is_none() {
        return Ok(());
    }
    let mut sealed = 0;
    loop {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
        let batch = observations(&mut tx, vault).await?
            + evidence(&mut tx, vault, now).await?
            + states(&mut tx, vault).await?;
        tx.commit().await?;
        if batch == 0 {
            break;
        }
        sealed += batch;
    }
    // Earlier versions left deleted rows in free pages and in the write-ahead log: the file is written
    // anew without free pages, and the log is emptied.
    sqlx::query("VACUUM").execute(pool).await?;
    let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(pool)
        .await?;
    if checkpoint.try_get::<i64, _>(0)? != 0 {
        tracing::warn!("another program reads agent.db; its old log is wiped at the next start");
        return Ok(());
    }
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    for table in ["observations", "evidence", "source_states"] {
        let drop = sqlx::AssertSqlSafe(format!("DROP TABLE clear_{table}"));
        sqlx::query(drop).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    if sealed > 0 {
        tracing::info!(sealed, "entries of an earlier version are encrypted now");
    }
    Ok(())
}

async fn observations(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
) -> Result<usize, StoreError> {
    let rows = sqlx::query(
        "DELETE FROM clear_observations WHERE seq IN \
         (SELECT seq FROM clear_observations ORDER BY seq LIMIT $1) RETURNING *",
    )
    .bind(BATCH)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let origin = Origin {
            id: id(row, "id")?,
            plugin: row.try_get("plugin")?,
            source: row.try_get("source")?,
            source_type: row.try_get("source_type")?,
            detected_at: row.try_get("detected_at")?,
        };
        let sighting = Sighting {
            event: row.try_get("event")?,
            payload: row.try_get("payload")?,
        };
        sqlx::query(
            "INSERT INTO observations (seq, id, plugin, source, source_type, detected_at, attempts, sealed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(row.try_get::<i64, _>("seq")?)
        .bind(origin.id.to_string())
        .bind(&origin.plugin)
        .bind(&origin.source)
        .bind(&origin.source_type)
        .bind(origin.detected_at)
        .bind(row.try_get::<i64, _>("attempts")?)
        .bind(queue::seal(vault, &origin, &sighting))
        .execute(&mut **tx)
        .await?;
    }
    Ok(rows.len())
}

async fn evidence(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let rows = sqlx::query(
        "SELECT e.position, e.salt, e.evidence, p.proof_id FROM clear_evidence e \
         JOIN proofs p ON p.position = e.position ORDER BY e.position LIMIT $1",
    )
    .bind(BATCH)
    .fetch_all(&mut **tx)
    .await?;
    for row in &rows {
        let salt: Vec<u8> = row.try_get("salt")?;
        let record = Record {
            salt: salt
                .try_into()
                .map_err(|_| StoreError::Unreadable("salt"))?,
            origin: None,
            evidence: row.try_get("evidence")?,
        };
        record
            .keep(tx, vault, id(row, "proof_id")?, None, now)
            .await?;
        sqlx::query("DELETE FROM clear_evidence WHERE position = $1")
            .bind(row.try_get::<i64, _>("position")?)
            .execute(&mut **tx)
            .await?;
    }
    Ok(rows.len())
}

async fn states(tx: &mut Transaction<'_, Sqlite>, vault: &Vault) -> Result<usize, StoreError> {
    let rows = sqlx::query("DELETE FROM clear_source_states RETURNING source, state")
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        let (source, state): (String, String) = (row.try_get("source")?, row.try_get("state")?);
        source_states::save(tx, vault, &source, &state).await?;
    }
    Ok(rows.len())
}

fn id(row: &SqliteRow, column: &str) -> Result<Uuid, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Unreadable("id"))
}

#[cfg(test)]
mod tests;
