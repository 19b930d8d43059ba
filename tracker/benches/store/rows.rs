//! The bare database: the same rows, the same durability, nothing else.

use std::time::{Duration, Instant};

use farmops_tracker::store::{Database, ProofRecord};
use sqlx::{AssertSqlSafe, Connection as _};

use super::dialect::{BEGIN, Connection, connect, placeholder};

/// Rows in one statement, as the tracker has them.
const BLOCK: usize = 128;

/// Inserts `records` into an empty database with `rows_each` rows for each commit; the time from the first
/// BEGIN to the last COMMIT.
pub(crate) async fn insert(url: &str, records: &[ProofRecord], rows_each: usize) -> Duration {
    // Makes the same tables with the same indexes.
    drop(Database::open(url).await.unwrap());
    let mut conn = connect(url).await;
    let started = Instant::now();
    for commit in records.chunks(rows_each) {
        let mut tx = conn.begin_with(BEGIN).await.unwrap();
        for block in commit.chunks(BLOCK) {
            ledger_rows(&mut tx, block).await;
            proof_rows(&mut tx, block).await;
        }
        tx.commit().await.unwrap();
    }
    started.elapsed()
}

async fn ledger_rows(conn: &mut Connection, rows: &[ProofRecord]) {
    let sql = statement("ledger (position, kind, recorded_at, body)", 4, rows.len());
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for record in rows {
        query = query
            .bind(i64::try_from(record.row.position).unwrap())
            .bind("proof_accepted")
            .bind(record.recorded_at.second())
            .bind(record.bytes.as_deref());
    }
    query.execute(conn).await.unwrap();
}

async fn proof_rows(conn: &mut Connection, rows: &[ProofRecord]) {
    let table = "proof_chain (position, proof_id, agent_id, follows, branch, chain_length, hash, \
                 finished_at, action_type, category, coins_awarded, scoring_detail, league_coins, day, \
                 earns, counts)";
    let mut query = sqlx::query(AssertSqlSafe(statement(table, 16, rows.len())));
    for record in rows {
        let row = &record.row;
        query = query
            .bind(i64::try_from(row.position).unwrap())
            .bind(row.proof_id)
            .bind(row.agent_id)
            .bind(row.follows)
            .bind(i64::try_from(row.branch).unwrap())
            .bind(i64::try_from(row.chain_length).unwrap())
            .bind(row.hash.as_bytes().to_vec())
            .bind(row.timestamp.second())
            .bind(row.action_type.as_str())
            .bind(row.category.as_str())
            .bind(i64::try_from(row.score.coins).unwrap())
            .bind(serde_json::to_string(&row.score).unwrap())
            .bind(None::<String>)
            .bind(row.day.map(|day| day.to_string()))
            .bind(i64::from(row.earns))
            .bind(i64::from(row.counts));
    }
    query.execute(conn).await.unwrap();
}

fn statement(table: &str, columns: usize, rows: usize) -> String {
    let row = |n: usize| {
        let marks = (n * columns + 1..=(n + 1) * columns).map(placeholder);
        format!("({})", marks.collect::<Vec<_>>().join(","))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!("INSERT INTO {table} VALUES {}", rows.join(","))
}
