//! Which snapshots a village takes, and which leave no trace.

use farmops_federation::Audience;
use farmops_protocol::key::SecretKey;
use serde_json::Value;

use crate::{
    tracker::{Shown, TestTracker},
    world::TestVillage,
};

/// Sends any object as a Create of hers.
async fn send(tracker: &TestTracker, key: &str, object: &Value) {
    let post = tracker
        .federation
        .create("actor", key, object, Audience::Villages)
        .unwrap();
    tracker.federation.publish(&post).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_by_her_own_key_counts() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let id = alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    let with = |sequence, coins| Shown {
        sequence,
        coins,
        ..Shown::default()
    };
    alice.publish(with(5, 500)).await;
    orchard.board_of("", 1).await;

    // An older one, one by another key, and one changed after signing.
    alice.publish(with(4, 9_000)).await;
    let forged = alice.snapshot_by(&SecretKey::from_bytes([8; 32]), with(7, 70_000));
    send(&alice, "forged", forged.value()).await;
    let mut changed = alice.snapshot(with(8, 800)).value().clone();
    changed["farm:totalCoins"] = 80_000.into();
    send(&alice, "changed", &changed).await;
    let mut odd = alice.snapshot(with(9, 900)).value().clone();
    odd["farm:level"] = "nine".into();
    send(&alice, "odd", &odd).await;

    // What comes last is taken, so all of the above was looked at before.
    alice.publish(with(10, 1_000)).await;
    let history = crate::world::eventually("the last one is there", async || {
        let history = orchard
            .get(&format!("/api/v1/farmers/{id}/history"))
            .await
            .json();
        (history["items"][0]["sequence"] == 10).then_some(history)
    })
    .await;
    let sequences: Vec<u64> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, [10, 5]);
    assert_eq!(orchard.board("").await[0]["total_coins"], 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_shown() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let mallory = TestTracker::start("mallory", 2).await;
    alice.join(&orchard).await;
    alice.followed_by(&orchard).await;

    // Nobody asked for her: she posts to the village's inbox, and so does Alice after her.
    let inbox = format!("{}/ap/village/inbox", orchard.url).parse().unwrap();
    let snapshot = mallory.snapshot(Shown {
        coins: 9_999,
        ..Shown::default()
    });
    let post = mallory
        .federation
        .create(
            "actor",
            "uninvited",
            snapshot.value(),
            Audience::Inboxes(vec![inbox]),
        )
        .unwrap();
    mallory.federation.publish(&post).await.unwrap();
    alice.publish(Shown::default()).await;
    let handles = orchard.board_of("scope=federated", 1).await;
    assert_eq!(handles[0].0, alice.handle_at(&orchard));
    assert!(
        orchard
            .village
            .store()
            .farmer_by_actor(&mallory.actor().parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_object_is_gone_and_the_one_before_stands() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    alice
        .publish(Shown {
            sequence: 1,
            coins: 10,
            ..Shown::default()
        })
        .await;
    alice
        .publish(Shown {
            sequence: 2,
            coins: 20,
            ..Shown::default()
        })
        .await;
    let coins = async |want: u64| {
        crate::world::eventually(&format!("{want} coins"), async || {
            let board = orchard.board("").await;
            (board.first().map(|line| line["value"].as_u64()) == Some(Some(want))).then_some(())
        })
        .await;
    };
    coins(20).await;
    let object = format!("{}/ap/snapshots/2", alice.url).parse().unwrap();
    let post = alice
        .federation
        .delete("actor", "del", &object, Audience::Villages)
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
    coins(10).await;

    let actor = alice.actor().parse().unwrap();
    let post = alice
        .federation
        .delete("actor", "end", &actor, Audience::Villages)
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
    orchard.board_of("", 0).await;
}
