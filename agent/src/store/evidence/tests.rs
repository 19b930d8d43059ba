//! Sealed, bounded, expiring; another key and meddling are told apart.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::store::tests::{draft_of, intake, meddle, now, open, reader, stands_in_files};
use crate::store::{Acceptance, Bounds, EVIDENCE_KEY_FILE, Settled, forget_other_keys};

/// Takes a text through the queue into a proof; gives the proof's id.
async fn prove(store: &Store, text: &str, work: u8, now: Timestamp) -> Uuid {
    let kept = store
        .accept(&intake(&[text]), &reader(), now)
        .await
        .unwrap();
    assert_eq!(kept, Acceptance::Kept(1));
    let waiting = store.next_for("a/b").await.unwrap().unwrap();
    let head = store.chain_head().await.unwrap();
    let draft = draft_of(head.as_ref(), work, &waiting);
    let settled = store.chain(waiting.seq, &draft, now).await.unwrap();
    assert_eq!(settled, Settled::Chained);
    draft.head.proof_id
}

/// The level counted row by row.
async fn counted(store: &Store) -> Level {
    let row = sqlx::query(
        "SELECT count(*) AS count, ifnull(sum(length(sealed) + ifnull(length(observation), 0)), 0) AS bytes \
         FROM evidence",
    );
    let row = row.fetch_one(&store.pool).await.unwrap();
    Level {
        count: row.get("count"),
        bytes: row.get("bytes"),
    }
}

#[tokio::test]
async fn nothing_of_an_observation_stands_in_the_files_and_all_of_it_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let mut with_state = intake(&["Pumpernickel"]);
    with_state.state = Some("Donnerwetter".to_owned());
    with_state.sightings[0].event = "Wolkenkuckuck".to_owned();
    store.accept(&with_state, &reader(), now()).await.unwrap();
    let absent = || {
        for marker in [
            "Pumpernickel",
            "Klabautermann",
            "Donnerwetter",
            "Wolkenkuckuck",
        ] {
            assert!(!stands_in_files(folder.path(), marker), "{marker}");
        }
    };
    absent();
    let waiting = store.next_for("a/b").await.unwrap().unwrap();
    assert_eq!(waiting.event, "Wolkenkuckuck");
    let draft = draft_of(None, 5, &waiting);
    store.chain(waiting.seq, &draft, now()).await.unwrap();
    absent();
    let reader = Reader::open(folder.path(), None).await.unwrap();
    let proof = reader.proof(draft.head.proof_id).await.unwrap().unwrap();
    assert_eq!(
        (proof.bytes.as_slice(), proof.signer),
        (draft.proof.bytes(), Some(draft.signer))
    );
    let kept = reader
        .evidence(draft.head.proof_id)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!((kept.salt, kept.evidence), (draft.salt, draft.evidence));
    let observation = kept.observation.unwrap();
    assert_eq!(observation.seen.payload, b"Pumpernickel");
    assert_eq!(observation.origin, draft.origin);
    drop(reader);
    store.close().await;
    absent();
    let key = folder.path().join(EVIDENCE_KEY_FILE);
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn bytes_are_bounded_under_load_and_days_by_the_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = Bounds {
        evidence_bytes_max: 20_000,
        observations_bytes_max: 3_000,
        ..Bounds::default()
    };
    let store = Store::open(folder.path(), bounds).await.unwrap();
    let mut ids = Vec::new();
    for work in 0..120_u8 {
        let text = "x".repeat(usize::from(work) * 10);
        let when = now().saturating_add(i64::from(work));
        ids.push(prove(&store, &text, work, when).await);
        let level = store.evidence_level().await.unwrap();
        assert!(level.bytes <= 20_000, "{level:?}");
        assert_eq!(level, counted(&store).await);
    }
    let full = store.evidence_level().await.unwrap();
    assert!((2..120).contains(&full.count), "{full:?}");
    // The oldest went first.
    let reader_of = Reader::open(folder.path(), None).await.unwrap();
    assert!(reader_of.evidence(ids[0]).await.unwrap().is_none());
    assert!(reader_of.evidence(ids[119]).await.unwrap().is_some());
    let gone = store
        .expire_evidence(now().saturating_add(119))
        .await
        .unwrap();
    assert_eq!(i64::try_from(gone).unwrap(), full.count - 1);
    assert_eq!(store.evidence_level().await.unwrap(), counted(&store).await);
    assert!(
        reader_of.proof(ids[0]).await.unwrap().is_some(),
        "the proof stays"
    );
    // A queue is full by bytes, too; what is alone is let in whatever its size.
    let large = "y".repeat(2_900);
    let kept = store
        .accept(&intake(&[&large, &large]), &reader(), now())
        .await
        .unwrap();
    assert_eq!(kept, Acceptance::Kept(2));
    let more = store
        .accept(&intake(&["z"]), &reader(), now())
        .await
        .unwrap();
    assert_eq!(more, Acceptance::Full);
    let level = store.observations_waiting().await.unwrap();
    let sizes: i64 = sqlx::query_scalar("SELECT sum(length(sealed)) FROM observations")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(
        level,
        Level {
            count: 2,
            bytes: sizes
        }
    );
}

#[tokio::test]
async fn the_sweep_ends_where_nothing_is_left_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    prove(&store, "text", 1, now()).await;
    sqlx::query("UPDATE levels SET bytes = bytes + 1000000000000 WHERE kind = 'evidence'")
        .execute(&store.pool)
        .await
        .unwrap();
    let swept = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        store.expire_evidence(now()),
    );
    assert_eq!(swept.await.expect("the sweep ends").unwrap(), 1);
}

#[tokio::test]
async fn evidence_goes_with_its_proof() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    for work in 0..5 {
        prove(&store, "text", work, now()).await;
    }
    store.mark_delivered(5).await.unwrap();
    assert_eq!(store.evidence_level().await.unwrap().count, 2);
    assert_eq!(store.evidence_level().await.unwrap(), counted(&store).await);
}

#[tokio::test]
async fn a_changed_or_moved_row_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let first = prove(&store, "one", 1, now()).await;
    let second = prove(&store, "two", 2, now()).await;
    store
        .accept(&intake(&["waits"]), &reader(), now())
        .await
        .unwrap();
    store.close().await;
    let swapped = meddle(
        folder.path(),
        "UPDATE evidence SET observation = (SELECT observation FROM evidence e WHERE e.rowid <> evidence.rowid)",
    );
    assert_eq!(swapped.await, 2);
    let read = async |id| {
        let reader = Reader::open(folder.path(), None).await.unwrap();
        reader.evidence(id).await.unwrap().unwrap().map(|_| ())
    };
    assert_eq!(read(first).await, Err(Unopened::Damaged));
    meddle(
        folder.path(),
        "UPDATE evidence SET sealed = CAST(substr(sealed, 1, 60) || x'00' || substr(sealed, 62) AS BLOB)",
    )
    .await;
    assert_eq!(read(second).await, Err(Unopened::Damaged));
    meddle(folder.path(), "UPDATE observations SET plugin = 'c/d'").await;
    let store = open(folder.path()).await;
    let waiting = store.next_for("c/d").await;
    assert!(matches!(
        waiting,
        Err(StoreError::Unopened {
            reason: Unopened::Damaged,
            ..
        })
    ));
}

#[tokio::test]
async fn a_replaced_or_lost_key_is_told_and_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join(EVIDENCE_KEY_FILE);
    let try_open = async || Store::open(folder.path(), Bounds::default()).await;
    let store = try_open().await.unwrap();
    let proof = prove(&store, "text", 1, now()).await;
    store
        .accept(&intake(&["waits"]), &reader(), now())
        .await
        .unwrap();
    store.close().await;
    let saved = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let missing = try_open().await.unwrap_err();
    assert!(
        matches!(missing, StoreError::KeyMissing { count: 2, .. }),
        "{missing}"
    );
    assert!(!key.exists(), "no new key over encrypted entries");
    farmops_service::secret_file::write_once(&key, &[9; 32]).unwrap();
    let other = try_open().await.unwrap_err();
    assert!(
        matches!(other, StoreError::OtherKey { count: 1, .. }),
        "{other}"
    );
    let reader_of = Reader::open(folder.path(), None).await.unwrap();
    let told = reader_of.evidence(proof).await.unwrap().unwrap();
    assert!(matches!(told, Err(Unopened::OtherKey { .. })));
    // The old key back: nothing was lost.
    farmops_service::secret_file::replace(&key, &saved).unwrap();
    let store = try_open().await.unwrap();
    assert_eq!(
        store.next_for("a/b").await.unwrap().unwrap().payload,
        b"waits"
    );
    store.close().await;
    farmops_service::secret_file::replace(&key, &[9; 32]).unwrap();
    assert_eq!(forget_other_keys(folder.path(), None).await.unwrap(), 2);
    let store = try_open().await.unwrap();
    assert_eq!(
        store.observations_waiting().await.unwrap(),
        Level::default()
    );
    assert_eq!(store.evidence_level().await.unwrap(), Level::default());
}
