//! Who was blocked or sent away stays out, at every door and in every copy.

use std::time::Duration;

use farmops_federation::Audience;
use serde_json::json;

use crate::{
    federation::befriend,
    tracker::{REGISTER, Shown, TestTracker},
    world::{TestVillage, client, eventually},
};

/// CVE-2026-23962, CVE-2026-23961, CVE-2025-62175: a block reaches what browsers and peers have
/// copies of. A page that was read before is not confirmed by its tag, and an open stream says that
/// something changed and never what.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_reaches_warm_copies_and_open_streams() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let id = alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    alice.publish(Shown::default()).await;
    orchard.board_of("", 1).await;
    let paths = [
        "/".to_owned(),
        "/?scope=federated".to_owned(),
        "/farmers/@alice".to_owned(),
        "/farmers/@alice/farm.svg".to_owned(),
        "/api/v1/leaderboard".to_owned(),
        "/api/v1/leaderboard?scope=federated".to_owned(),
        format!("/api/v1/farmers/{id}"),
        format!("/api/v1/farmers/{id}/history"),
        format!("/api/v1/farmers/{id}/farm.svg"),
    ];
    let mut tags = Vec::new();
    for path in &paths {
        let warm = orchard.get(path).await;
        assert_eq!(warm.status, 200, "{path}");
        let tag = warm.headers["etag"].to_str().unwrap().to_owned();
        let known = orchard.get_with(path, "if-none-match", &tag).await;
        assert_eq!(known.status, 304, "{path}");
        tags.push(tag);
    }
    let stream = client().get(format!("{}/live", orchard.url)).send();
    let mut stream = stream.await.unwrap();

    let host = alice.url.strip_prefix("http://").unwrap();
    let wish = Some(json!({ "host": host }));
    let answer = orchard
        .admin("POST", "/api/v1/federation/blocks", wish)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    for (path, tag) in paths.iter().zip(&tags) {
        let cold = orchard.get_with(path, "if-none-match", tag).await;
        assert_ne!(cold.status, 304, "{path}");
        assert!(!cold.text.contains("alice"), "{path}: {}", cold.text);
    }
    let said = tokio::time::timeout(Duration::from_secs(20), stream.chunk())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(&said[..], b"event: board\ndata: changed\n\n");

    // She does not come back by asking again, nor by being sent for.
    let again = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    again.problem(403);
    let inbox = format!("{}/ap/inbox", orchard.url).parse().unwrap();
    let snapshot = alice.snapshot(Shown {
        sequence: 2,
        ..Shown::default()
    });
    let post = alice
        .federation
        .create(
            "actor",
            "again",
            snapshot.value(),
            Audience::Inboxes(vec![inbox]),
        )
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
    let bob = TestTracker::start("bob", 2).await;
    bob.join(&orchard).await;
    bob.followed_by(&orchard).await;
    bob.publish(Shown::default()).await;
    let board = orchard.board_of("", 1).await;
    assert_eq!(board[0].0, bob.handle_at(&orchard));
}

/// CVE-2026-54740: what the API refuses to someone who was sent away, the inbox refuses too, from
/// her own tracker and through another village.
#[tokio::test(flavor = "multi_thread")]
async fn one_who_was_sent_away_finds_every_door_shut() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    befriend(&orchard, &harbour).await;
    let alice = TestTracker::start("alice", 1).await;
    let bob = TestTracker::start("bob", 2).await;
    let id = alice.join(&harbour).await;
    alice.followed_by(&harbour).await;
    alice.publish(Shown::default()).await;
    harbour.board_of("", 1).await;
    let path = format!("/api/v1/farmers/{id}");
    assert_eq!(harbour.admin("DELETE", &path, None).await.status, 204);

    // The API: joining again, and being followed by her handle at another village.
    harbour
        .post_bytes(REGISTER, alice.request(&harbour, None))
        .await
        .problem(403);
    alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    let wish = Some(json!({ "handle": alice.handle_at(&orchard) }));
    let answer = harbour.admin("POST", "/api/v1/following", wish).await;
    answer.problem(403);

    // The inbox: from her own tracker, and announced by a village that is a peer.
    let inbox = format!("{}/ap/village/inbox", harbour.url).parse().unwrap();
    let shown = |sequence| Shown {
        sequence,
        coins: 9_000,
        ..Shown::default()
    };
    let snapshot = alice.snapshot(shown(2));
    let audience = Audience::Inboxes(vec![inbox]);
    let post = alice
        .federation
        .create("actor", "own", snapshot.value(), audience)
        .unwrap();
    alice.federation.publish(&post).await.unwrap();
    alice.publish(shown(3)).await;
    eventually("Orchard shows her", async || {
        let board = orchard.board("").await;
        (board.first()?["sequence"] == 3).then_some(())
    })
    .await;
    // Bob at Orchard comes after her on the same way, so hers was looked at.
    bob.join(&orchard).await;
    bob.followed_by(&orchard).await;
    bob.publish(Shown::default()).await;
    let board = harbour.board_of("scope=federated", 1).await;
    assert_eq!(board[0].0, bob.handle_at(&orchard));
    assert!(harbour.board("").await.is_empty());
}
