//! The way out: nothing lost, nothing twice, order kept.

use std::time::Instant;

use farmops_federation::{ActorKind, Audience, store::DeliveryStore};
use serde_json::json;

use super::{
    cast::Server,
    peer::{Answer, Peer},
};

const WAITING: &str = "SELECT COUNT(*) FROM fed_deliveries WHERE state = 'waiting'";
const DELIVERED: &str = "SELECT COUNT(*) FROM fed_deliveries WHERE state = 'delivered'";
const DEAD: &str = "SELECT COUNT(*) FROM fed_deliveries WHERE state = 'dead'";
const INBOX: &str = "/users/carol/inbox";

async fn alice() -> Server {
    Server::start("alice", "actor", ActorKind::Person).await
}

/// Alice posts note `object` for the `n`th time to Carol.
async fn post(alice: &Server, carol: &Peer, object: u32, n: u32) {
    let note = json!({
        "id": alice.federation.object_id("notes", &object.to_string()),
        "type": "Note",
        "content": n.to_string(),
    });
    let key = format!("note-{object}-{n}");
    let audience = Audience::Inboxes(vec![carol.at(INBOX)]);
    let post = alice
        .federation
        .update("actor", &key, &note, audience)
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
}

fn contents(seen: &[super::peer::Seen], object: u32) -> Vec<String> {
    let mine = format!("/notes/{object}");
    seen.iter()
        .map(super::peer::Seen::json)
        .filter(|activity| activity["object"]["id"].as_str().unwrap().ends_with(&mine))
        .map(|activity| activity["object"]["content"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn what_is_published_twice_arrives_once() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    for _ in 0..3 {
        post(&alice, &carol, 1, 1).await;
    }
    alice.until(DELIVERED, 1).await;
    assert_eq!(carol.received(INBOX, 1).await.len(), 1);
}

/// Advisory 25: an inbox that takes a connection and never answers holds up nobody but itself.
#[tokio::test]
async fn a_slow_inbox_holds_up_nobody_else() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    let mallory = Peer::start("mallory").await;
    mallory.on(
        "/inbox",
        &[Answer::status(202).with("x-test-delay-ms", "60000")],
    );
    let started = Instant::now();
    for n in 0..10 {
        let note = json!({
            "id": alice.federation.object_id("notes", &n.to_string()),
            "type": "Note",
            "content": n.to_string(),
        });
        let audience = Audience::Inboxes(vec![mallory.at("/inbox"), carol.at(INBOX)]);
        let post = alice
            .federation
            .create("actor", &format!("slow-{n}"), &note, audience)
            .unwrap();
        alice.federation.publish(&post).await.unwrap();
    }
    carol.received(INBOX, 10).await;
    // One attempt at the slow one lasts fifteen seconds.
    assert!(started.elapsed().as_secs() < 12);
    assert!(mallory.seen().len() <= 4, "few connections to one host");
}

/// A restart loses nothing: what was appended before goes out after.
#[tokio::test]
async fn a_restart_loses_nothing_and_repeats_nothing() {
    let (mut alice, carol) = (alice().await, Peer::with_actor("carol").await);
    post(&alice, &carol, 1, 1).await;
    alice.until(DELIVERED, 1).await;
    carol.on(INBOX, &[Answer::status(500)]);
    for n in 2..5 {
        post(&alice, &carol, 1, n).await;
    }
    carol.received(INBOX, 2).await;
    alice.until(WAITING, 3).await;
    alice.crash().await;
    carol.on(INBOX, &[Answer::status(202)]);
    alice.clock.advance(60);
    alice.restart().await;
    alice.until(WAITING, 0).await;
    let all = contents(&carol.seen(), 1);
    assert_eq!(all.first().unwrap(), "1");
    assert_eq!(all[all.len() - 3..], ["2", "3", "4"]);
    let lanes = alice.store.lanes().await.unwrap();
    assert_eq!(lanes.len(), 1);
    // The host's cursor stands behind everything that is done.
    let cursor = alice.count("SELECT cursor FROM fed_lanes").await;
    let last = alice
        .count("SELECT MAX(position) FROM fed_deliveries")
        .await;
    assert_eq!(cursor, last);
}

/// Order is kept for each object, and one that is refused holds up only itself.
#[tokio::test]
async fn order_is_kept_per_object() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    carol.on(INBOX, &[Answer::status(400), Answer::status(202)]);
    post(&alice, &carol, 1, 1).await;
    alice
        .until("SELECT COUNT(*) FROM fed_deliveries WHERE refusals = 1", 1)
        .await;
    for n in 2..6 {
        post(&alice, &carol, 1, n).await;
        post(&alice, &carol, 2, n).await;
    }
    alice.until(DELIVERED, 4).await;
    assert_eq!(contents(&carol.seen(), 2), ["2", "3", "4", "5"]);
    assert_eq!(contents(&carol.seen(), 1), ["1"]);
    alice.clock.advance(61);
    alice.federation.wake();
    alice.until(WAITING, 0).await;
    assert_eq!(contents(&carol.seen(), 1), ["1", "1", "2", "3", "4", "5"]);
}

/// Five failures open the breaker: a sixth request does not happen before the half hour is over.
#[tokio::test]
async fn a_dead_host_is_left_alone_and_probed() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    carol.on(INBOX, &[Answer::status(502)]);
    post(&alice, &carol, 1, 1).await;
    for (failures, pause) in [(1, 7), (2, 13), (3, 26), (4, 51), (5, 1700)] {
        carol.received(INBOX, failures).await;
        until_paused(&alice, failures).await;
        alice.clock.advance(pause);
        alice.federation.wake();
    }
    post(&alice, &carol, 2, 1).await;
    alice.until(WAITING, 2).await;
    assert_eq!(carol.seen().len(), 5);
    carol.on(INBOX, &[Answer::status(202)]);
    alice.clock.advance(120);
    alice.federation.wake();
    alice.until(DELIVERED, 2).await;
}

/// Until the lane has written down its `failures`th failure in a row.
async fn until_paused(alice: &Server, failures: usize) {
    let written = format!("\"streak\":{failures}");
    while !alice.store.lanes().await.unwrap().iter().any(|record| {
        serde_json::to_string(&record.lane)
            .unwrap()
            .contains(&written)
    }) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    carol.on(
        INBOX,
        &[
            Answer::status(429).with("retry-after", "3600"),
            Answer::status(202),
        ],
    );
    post(&alice, &carol, 1, 1).await;
    carol.received(INBOX, 1).await;
    while alice.store.lanes().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    alice.clock.advance(3500);
    post(&alice, &carol, 2, 1).await;
    alice.until(WAITING, 2).await;
    assert_eq!(carol.seen().len(), 1);
    alice.clock.advance(120);
    alice.federation.wake();
    alice.until(DELIVERED, 2).await;
}

/// After seven days what waited is given up, and the next day someone looks again.
#[tokio::test]
async fn after_seven_days_it_is_given_up() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    carol.on(INBOX, &[Answer::status(502)]);
    post(&alice, &carol, 1, 1).await;
    carol.received(INBOX, 1).await;
    until_paused(&alice, 1).await;
    alice.clock.advance(7 * 24 * 3600 + 1);
    alice.federation.wake();
    alice.until(DEAD, 1).await;
    post(&alice, &carol, 2, 1).await;
    alice.until(WAITING, 1).await;
    carol.on(INBOX, &[Answer::status(202)]);
    alice.clock.advance(24 * 3600 + 1);
    alice.federation.wake();
    alice.until(DELIVERED, 1).await;
}

#[tokio::test]
async fn a_follower_that_is_gone_is_dropped() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    let follow = json!({
        "id": carol.at("/follows/1"),
        "type": "Follow",
        "actor": carol.at("/users/carol"),
        "object": alice.id(),
    });
    carol
        .send(&alice.url.join("ap/inbox").unwrap(), &follow)
        .await;
    alice.until(DELIVERED, 1).await;
    carol.on(INBOX, &[Answer::status(410)]);
    let post = alice
        .federation
        .create("actor", "s", &alice.snapshot(1), Audience::Followers);
    alice.federation.publish(&post.unwrap()).await.unwrap();
    alice.until(DEAD, 1).await;
    alice.until("SELECT COUNT(*) FROM fed_relations", 0).await;
}

/// Blocked while it waits: nothing goes out until the block is lifted.
#[tokio::test]
async fn nothing_goes_to_a_blocked_host() {
    let (alice, carol) = (alice().await, Peer::with_actor("carol").await);
    let host = format!("carol.localhost:{}", carol.url.port().unwrap());
    alice.federation.block_host(&host).await.unwrap();
    post(&alice, &carol, 1, 1).await;
    alice
        .until("SELECT COUNT(*) FROM fed_posts WHERE spread = FALSE", 0)
        .await;
    assert_eq!(alice.count("SELECT COUNT(*) FROM fed_deliveries").await, 0);
    assert_eq!(carol.seen().len(), 0);
}
