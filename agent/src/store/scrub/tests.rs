//! A database of the version before, with work data in clear.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrate as _;

use super::*;
use crate::store::tests::{now, stands_in_files};
use crate::store::{Bounds, FILE_NAME, Reader, Store};

const ROWS: i64 = 350;
/// What only a payload, an evidence, a state and a row deleted long ago hold.
const MARKERS: [&str; 4] = [
    "Pumpernickel",
    "Klabautermann",
    "Donnerwetter",
    "Wolkenkuckuck",
];

/// Writes what the version before wrote: the first migration alone, rows in clear, and deleted rows that
/// still stand in free pages.
async fn old_database(folder: &Path) {
    let options = crate::store::options(&folder.join(FILE_NAME))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .pragma("secure_delete", "OFF");
    let pool = crate::store::pool(options).await.unwrap();
    let first = sqlx::migrate!("./migrations");
    let mut connection = pool.acquire().await.unwrap();
    let table = &first.table_name;
    connection.ensure_migrations_table(table).await.unwrap();
    let first = first.iter().next().unwrap();
    connection.apply(table, first).await.unwrap();
    drop(connection);
    for row in 0..ROWS {
        let padding = "x".repeat(200);
        sqlx::query(
            "INSERT INTO observations (id, plugin, source, source_type, event, payload, detected_at) \
             VALUES ($1, 'a/b', 'hook', 'github', 'e', $2, 7)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(format!("Pumpernickel {row} {padding}").into_bytes())
        .execute(&pool)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO proofs (position, proof_id, hash, bytes) VALUES ($1, $2, '', x'00')",
        )
        .bind(row + 1)
        .bind(Uuid::from_u128(u128::try_from(row).unwrap()).to_string())
        .execute(&pool)
        .await
        .unwrap();
        sqlx::query("INSERT INTO evidence (position, salt, evidence) VALUES ($1, $2, $3)")
            .bind(row + 1)
            .bind([3_u8; 32].as_slice())
            .bind(format!("Klabautermann {row}").into_bytes())
            .execute(&pool)
            .await
            .unwrap();
    }
    sqlx::query(
        "INSERT INTO source_states (source, state) VALUES ('poll', 'Donnerwetter'), ('gone', $1)",
    )
    .bind("Wolkenkuckuck ".repeat(2000))
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("DELETE FROM source_states WHERE source = 'gone'")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    for marker in MARKERS {
        assert!(stands_in_files(folder, marker), "{marker}");
    }
}

#[tokio::test]
async fn clear_rows_are_sealed_whenever_the_program_is_stopped_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    old_database(folder.path()).await;
    // Stopped at ever later moments, until it is through.
    let mut stopped = 0;
    let store = loop {
        let patience = Duration::from_millis(3 * stopped);
        let open = Store::open(folder.path(), Bounds::default());
        match tokio::time::timeout(patience, open).await {
            // The one that was stopped may be at its last statement still, beside the next.
            Err(_) | Ok(Err(StoreError::Migrate(_))) => stopped += 1,
            Ok(store) => break store.unwrap(),
        }
        assert!(stopped < 200, "it does not come to an end");
    };
    assert!(stopped > 3, "it was stopped {stopped} times");
    for marker in MARKERS {
        assert!(!stands_in_files(folder.path(), marker), "{marker}");
    }
    assert_eq!(store.observations_waiting().await.unwrap().count, ROWS);
    assert_eq!(store.evidence_level().await.unwrap().count, ROWS);
    assert_eq!(
        store.source_state("poll").await.unwrap().unwrap(),
        "Donnerwetter"
    );
    for row in 0..ROWS {
        let waiting = store.next_for("a/b").await.unwrap().unwrap();
        let text = String::from_utf8(waiting.payload).unwrap();
        assert!(text.starts_with(&format!("Pumpernickel {row} ")), "{text}");
        assert_eq!((waiting.event.as_str(), waiting.detected_at), ("e", 7));
        store.drop_observation(waiting.seq).await.unwrap();
    }
    let reader = Reader::open(folder.path(), None).await.unwrap();
    let kept = reader.evidence(Uuid::from_u128(349)).await.unwrap();
    let kept = kept.unwrap().unwrap();
    assert_eq!(kept.evidence, b"Klabautermann 349");
    assert_eq!((kept.salt, kept.kept_at), ([3; 32], kept.kept_at));
    assert!(kept.observation.is_none());
    assert!(
        kept.kept_at > now().second(),
        "kept since the change of versions"
    );
}
