//! The bare database: the same rows, the same durability, nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use farmops_tracker::store::{Database, ProofRecord};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

/// Rows in one statement, as the tracker has them.
const BLOCK: usize = 128;

/// Inserts `records` with `rows_each` rows for each commit; the time from the first BEGIN to the last
/// COMMIT.
pub(crate) async fn insert(path: &Path, records: &[ProofRecord], rows_each: usize) -> Duration {
    // Makes the same tables with the same indexes; the connection has the same settings.
    let url = format!("sqlite://{}", path.display());
    Database::open(&url).await.unwrap();
    let mut conn = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", "4096")
        .pragma("cache_size", "-32768")
        .connect()
        .await
        .unwrap();
    let started = Instant::now();
    for commit in records.chunks(rows_each) {
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for block in commit.chunks(BLOCK) {
            ledger_rows(&mut tx, block).await;
            proof_rows(&mut tx, block).await;
        }
        tx.commit().await.unwrap();
    }
    started.elapsed()
}

async fn ledger_rows(conn: &mut SqliteConnection, rows: &[ProofRecord]) {
    let sql = statement(
        "INSERT INTO ledger (position, kind, recorded_at, body) VALUES",
        4,
        rows.len(),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in rows {
        query = query
            .bind(i64::try_from(record.row.position).unwrap())
            .bind("proof_accepted")
            .bind(record.recorded_at.second())
            .bind(record.bytes.as_slice());
    }
    query.execute(conn).await.unwrap();
}

async fn proof_rows(conn: &mut SqliteConnection, rows: &[ProofRecord]) {
    let sql = statement(
        "INSERT INTO proof_chain (position, proof_id, agent_id, follows, chain_length, hash, \
         finished_at, action_type, category, coins_awarded, scoring_detail) VALUES",
        11,
        rows.len(),
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in rows {
        let row = &record.row;
        query = query
            .bind(i64::try_from(row.position).unwrap())
            .bind(row.proof_id)
            .bind(row.agent_id)
            .bind(row.follows)
            .bind(i64::try_from(row.chain_length).unwrap())
            .bind(row.hash.as_bytes().to_vec())
            .bind(row.timestamp.second())
            .bind(row.action_type.as_str())
            .bind(row.category.as_str())
            .bind(i64::try_from(row.score.coins).unwrap())
            .bind(serde_json::to_string(&row.score).unwrap());
    }
    query.execute(conn).await.unwrap();
}

fn statement(head: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    format!("{head} {}", vec![row; rows].join(","))
}
