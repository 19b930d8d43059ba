//! Joining and leaving, with everything that must not work.

use farmops_protocol::key::SecretKey;
use serde_json::json;

use crate::{
    tracker::{REGISTER, Shown, TestTracker, now},
    world::{TestVillage, eventually},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_farmer_joins_shows_her_farm_and_leaves_without_a_trace() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let id = alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    alice.publish(Shown::default()).await;
    let handle = alice.handle_at(&orchard);
    assert_eq!(orchard.board_of("", 1).await, [(handle.clone(), 100)]);

    let profile = orchard.get(&format!("/api/v1/farmers/{id}")).await.json();
    assert_eq!(profile["handle"], handle);
    assert_eq!(profile["snapshot"]["farm:totalCoins"], 100);
    let webfinger = format!("/.well-known/webfinger?resource=acct:{}", &handle[1..]);
    let subject = orchard.get(&webfinger).await.json();
    let links = subject["links"].as_array().unwrap();
    assert!(
        links
            .iter()
            .any(|l| l["rel"] == "self" && l["href"] == alice.actor()),
        "{subject}"
    );

    assert_eq!(alice.leave(&orchard, &id).await.status, 204);
    assert!(orchard.board("").await.is_empty());
    for path in ["", "/history", "/farm.svg"] {
        orchard
            .get(&format!("/api/v1/farmers/{id}{path}"))
            .await
            .problem(404);
    }
    assert_eq!(orchard.get(&webfinger).await.status, 404);
    eventually("the tracker hears of it", async || {
        let followers = alice
            .federation
            .followers("actor", None, None, 10)
            .await
            .unwrap();
        followers.is_empty().then_some(())
    })
    .await;
    assert_eq!(
        alice.leave(&orchard, &id).await.status,
        204,
        "leaving twice is harmless"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_is_harmless_and_a_replay_does_not_bring_her_back() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let request = alice.request(&orchard, None);
    let first = orchard.post_bytes(REGISTER, request.clone()).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = orchard.post_bytes(REGISTER, request.clone()).await;
    assert_eq!(again.status, 200);
    assert_eq!(first.json()["id"], again.json()["id"]);

    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(alice.leave(&orchard, &id).await.status, 204);
    assert_eq!(
        orchard.post_bytes(REGISTER, request).await.problem(409),
        "requested_at"
    );
    let later = alice.request_at(&orchard, None, now().saturating_add(5));
    assert_eq!(orchard.post_bytes(REGISTER, later).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_named() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    let good = String::from_utf8(alice.request(&orchard, None)).unwrap();

    let unsigned = {
        let start = good.find("\"signature\"").unwrap();
        let end = good[start..].find(',').unwrap() + start + 1;
        format!("{}{}", &good[..start], &good[end..])
    };
    for (what, body, field) in [
        ("unsigned", unsigned, "signature"),
        (
            "changed",
            good.replace("\"alice\"", "\"mallory\""),
            "signature",
        ),
        ("spaced", good.replacen(':', ": ", 1), "$"),
        ("truncated", good[..good.len() / 2].to_owned(), "$"),
        ("empty", String::new(), "$"),
        ("not JSON", "hello".to_owned(), "$"),
        ("another shape", "[1,2]".to_owned(), "$"),
        ("deep", "[".repeat(3000), "$"),
    ] {
        let answer = orchard.post_bytes(REGISTER, body.into_bytes()).await;
        assert_eq!(answer.problem(422), field, "{what}: {}", answer.text);
    }
    let stale = alice.request_at(&orchard, None, now().saturating_add(-3700));
    assert_eq!(
        orchard.post_bytes(REGISTER, stale).await.problem(422),
        "requested_at"
    );
    let ahead = alice.request_at(&orchard, None, now().saturating_add(3700));
    assert_eq!(
        orchard.post_bytes(REGISTER, ahead).await.problem(422),
        "requested_at"
    );
    let elsewhere = alice.request(&harbour, None);
    assert_eq!(
        orchard.post_bytes(REGISTER, elsewhere).await.problem(422),
        "village_url"
    );
    orchard
        .post_bytes(REGISTER, vec![b' '; 100_000])
        .await
        .problem(413);
    assert!(
        orchard.get("/api/v1/farmers").await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tracker_must_show_the_key_that_signed() {
    let orchard = TestVillage::start("Orchard").await;
    let mut alice = TestTracker::start("alice", 1).await;
    alice.key = SecretKey::from_bytes([9; 32]);
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    assert_eq!(answer.problem(422), "farmer_key");
    // An actor on another origin than the tracker's does not even parse.
    let good = String::from_utf8(alice.request(&orchard, None)).unwrap();
    let moved = good.replace(&alice.actor(), "http://other.localhost:1/ap/actor");
    assert_eq!(
        orchard
            .post_bytes(REGISTER, moved.into_bytes())
            .await
            .problem(422),
        "actor"
    );
    // A tracker that nobody can reach is the applicant's fault, not the village's.
    alice.url = "http://nobody.localhost:1".to_owned();
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    assert_eq!(answer.problem(422), "actor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_belongs_to_one_key() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let impostor = TestTracker::start("alice", 2).await;
    let id = alice.join(&orchard).await;
    let answer = orchard
        .post_bytes(REGISTER, impostor.request(&orchard, None))
        .await;
    assert_eq!(answer.problem(409), "handle");
    // Nor can anyone but she end her membership.
    impostor.leave(&orchard, &id).await.problem(403);
    orchard
        .delete_with(&format!("/api/v1/farmers/{id}"), Vec::new())
        .await
        .problem(401);
    assert_eq!(alice.leave(&orchard, &id).await.status, 204);
    let answer = orchard
        .post_bytes(REGISTER, impostor.request(&orchard, None))
        .await;
    assert_eq!(answer.problem(409), "handle", "not even after she left");
    for name in ["orchard", "admin", "instance"] {
        let office = TestTracker::start(name, 3).await;
        let answer = orchard
            .post_bytes(REGISTER, office.request(&orchard, None))
            .await;
        assert_eq!(answer.problem(422), "handle");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_in_as_many_as_it_says() {
    let orchard = TestVillage::with("Orchard", json!({ "registration": "invite" })).await;
    let alice = TestTracker::start("alice", 1).await;
    let bob = TestTracker::start("bob", 2).await;
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    assert_eq!(answer.problem(403), "invite");
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, Some("guess")))
        .await;
    assert_eq!(answer.problem(403), "invite");

    orchard
        .post_bytes("/api/v1/invites", b"{}".to_vec())
        .await
        .problem(401);
    let invite = orchard
        .admin("POST", "/api/v1/invites", Some(json!({})))
        .await;
    assert_eq!(invite.status, 201);
    let code = invite.json()["code"].as_str().unwrap().to_owned();
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, Some(&code)))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let answer = orchard
        .post_bytes(REGISTER, bob.request(&orchard, Some(&code)))
        .await;
    assert_eq!(answer.problem(403), "invite");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_decide_where_people_decide() {
    let orchard = TestVillage::with("Orchard", json!({ "registration": "approval" })).await;
    let alice = TestTracker::start("alice", 1).await;
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    assert_eq!(answer.status, 202);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    orchard
        .get(&format!("/api/v1/farmers/{id}"))
        .await
        .problem(404);
    orchard
        .get("/api/v1/farmers?status=pending")
        .await
        .problem(401);
    let waiting = orchard
        .admin("GET", "/api/v1/farmers?status=pending", None)
        .await
        .json();
    assert_eq!(waiting["items"][0]["id"], id.as_str());

    let approve = format!("/api/v1/farmers/{id}/approve");
    orchard.post_bytes(&approve, Vec::new()).await.problem(401);
    assert_eq!(orchard.admin("POST", &approve, None).await.status, 200);
    alice.followed_by(&orchard).await;
    alice.publish(Shown::default()).await;
    orchard.board_of("", 1).await;

    // Sent away, she does not come back by herself.
    let path = format!("/api/v1/farmers/{id}");
    assert_eq!(orchard.admin("DELETE", &path, None).await.status, 204);
    assert!(orchard.board("").await.is_empty());
    let later = alice.request_at(&orchard, None, now().saturating_add(5));
    orchard.post_bytes(REGISTER, later).await.problem(403);
}
