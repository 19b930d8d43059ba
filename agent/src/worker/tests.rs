//! A replica that does not lead any more proves nothing, however late it notices.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use farmops_protocol::key::SecretKey;

use super::*;
use crate::store::tests::{description, finding, generator, intake, now, open, reader};

/// Proves a piece of work with leave to sign for the first `asked` questions; gives the length of the chain,
/// and how many observations wait afterwards.
async fn prove(asked: usize) -> (u64, i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    store
        .accept(&intake(&["{}"]), &reader(), now())
        .await
        .unwrap();
    let waiting = store.next_for("a/b").await.unwrap().unwrap();
    let questions = AtomicUsize::new(0);
    let workshop = Workshop::new(
        store.clone(),
        generator(),
        Keys::new(folder.path(), SecretKey::from_bytes([7; 32])),
        store.status().clone(),
        10,
        Box::new(move || questions.fetch_add(1, Ordering::Relaxed) < asked),
    );
    workshop
        .prove(&description(), &waiting, &finding(1))
        .await
        .unwrap();
    let head = store.chain_head().await.unwrap();
    let waiting = store.observations_waiting().await.unwrap().count;
    (head.map_or(0, |head| head.length.value()), waiting)
}

#[tokio::test]
async fn what_is_not_ours_to_sign_any_more_stays_unproven() {
    assert_eq!(prove(0).await, (0, 1));
    // Lost between the draft and the chain.
    assert_eq!(prove(1).await, (0, 1));
    assert_eq!(prove(usize::MAX).await, (1, 0));
}
