//! Two villages: following by handle, federating, and ending it.

use serde_json::json;

use crate::{
    tracker::{Shown, TestTracker},
    world::{TestVillage, eventually},
};

pub(crate) async fn befriend(orchard: &TestVillage, harbour: &TestVillage) {
    let wish = json!({ "url": harbour.url });
    let answer = orchard
        .admin("POST", "/api/v1/federation/connect", Some(wish))
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let asked = eventually("Harbour was asked", async || {
        let peers = harbour.get("/api/v1/federation/peers").await.json();
        peers["items"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let peers = harbour.get("/api/v1/federation/peers").await.json();
    assert_eq!(
        peers["items"][0]["status"], "pending",
        "nobody at Harbour agreed yet"
    );
    let accept = format!("/api/v1/federation/peers/{asked}/accept");
    harbour.post_bytes(&accept, Vec::new()).await.problem(401);
    let answer = harbour.admin("POST", &accept, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for village in [orchard, harbour] {
        eventually("both agreed", async || {
            let peers = village.get("/api/v1/federation/peers").await.json();
            (peers["items"][0]["status"] == "active").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_farmer_is_followed_from_another_village_by_her_handle() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    alice.join(&orchard).await;
    let handle = alice.handle_at(&orchard);

    let wish = || Some(json!({ "handle": handle }));
    let body = wish().unwrap().to_string().into_bytes();
    harbour
        .post_bytes("/api/v1/following", body)
        .await
        .problem(401);
    let answer = harbour.admin("POST", "/api/v1/following", wish()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["handle"], handle);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        harbour
            .admin("POST", "/api/v1/following", wish())
            .await
            .status,
        200
    );
    alice.followed_by(&harbour).await;
    alice
        .publish(Shown {
            coins: 777,
            ..Shown::default()
        })
        .await;
    assert_eq!(
        harbour.board_of("scope=federated", 1).await,
        [(handle.clone(), 777)]
    );
    assert!(harbour.board("scope=local").await.is_empty());
    let page = harbour.get(&format!("/farmers/{handle}")).await;
    assert!(page.text.contains("777"), "{}", page.text);
    assert!(harbour.get("/following").await.text.contains(&handle));

    let path = format!("/api/v1/following/{id}");
    assert_eq!(harbour.admin("DELETE", &path, None).await.status, 204);
    assert!(harbour.board("scope=federated").await.is_empty());
    assert_eq!(harbour.get(&format!("/farmers/{handle}")).await.status, 404);
    harbour.admin("DELETE", &path, None).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_that_lead_nowhere_are_the_askers_fault() {
    let harbour = TestVillage::start("Harbour").await;
    let orchard = TestVillage::start("Orchard").await;
    for handle in [
        "",
        "alice",
        "@alice@",
        "@alice@127.0.0.1",
        "@alice@orchard.example:1/x",
        "@nobody@nowhere.localhost:1",
        &format!("@nobody@{}", orchard.host()),
        // A village is no farmer.
        &format!("@orchard@{}", orchard.host()),
    ] {
        let wish = Some(json!({ "handle": handle }));
        let answer = harbour.admin("POST", "/api/v1/following", wish).await;
        assert_eq!(answer.problem(422), "handle", "{handle}: {}", answer.text);
    }
    for url in [
        "",
        "x",
        "http://nowhere.localhost:1",
        "ftp://orchard.example",
        &harbour.url,
    ] {
        let wish = Some(json!({ "url": url }));
        let answer = harbour
            .admin("POST", "/api/v1/federation/connect", wish)
            .await;
        assert_eq!(answer.problem(422), "url", "{url}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn befriended_villages_rank_the_farmers_of_both() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    let bob = TestTracker::start("bob", 2).await;
    befriend(&orchard, &harbour).await;
    let alices_id = alice.join(&orchard).await;
    bob.join(&harbour).await;
    alice.followed_by(&orchard).await;
    bob.followed_by(&harbour).await;
    alice
        .publish(Shown {
            coins: 300,
            ..Shown::default()
        })
        .await;
    bob.publish(Shown {
        coins: 200,
        ..Shown::default()
    })
    .await;
    let expected = [
        (alice.handle_at(&orchard), 300),
        (bob.handle_at(&harbour), 200),
    ];
    assert_eq!(orchard.board_of("scope=federated", 2).await, expected);
    assert_eq!(harbour.board_of("scope=federated", 2).await, expected);
    assert_eq!(harbour.board("scope=local").await.len(), 1);
    let line = &harbour.board("scope=federated").await[0];
    assert_eq!(line["origin"], orchard.host());
    assert_eq!(line["member"], false);

    // Followed as well as announced, she is still one farmer.
    let wish = Some(json!({ "handle": alice.handle_at(&orchard) }));
    let answer = harbour.admin("POST", "/api/v1/following", wish).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    alice.followed_by(&harbour).await;
    alice
        .publish(Shown {
            sequence: 2,
            coins: 301,
            ..Shown::default()
        })
        .await;
    eventually("the new snapshot is there", async || {
        let board = harbour.board("scope=federated").await;
        (board.len() == 2 && board[0]["value"] == 301).then_some(())
    })
    .await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/following/{id}");
    assert_eq!(harbour.admin("DELETE", &path, None).await.status, 204);
    assert_eq!(
        harbour.board("scope=federated").await.len(),
        2,
        "her village still announces her"
    );

    // When she leaves Orchard, Harbour hears of it.
    assert_eq!(alice.leave(&orchard, &alices_id).await.status, 204);
    assert_eq!(orchard.board_of("scope=federated", 1).await[0].1, 200);
    assert_eq!(harbour.board_of("scope=federated", 1).await[0].1, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_peer_is_shown_the_farms_as_they_stand() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    let bob = TestTracker::start("bob", 2).await;
    for (farmer, village) in [(&alice, &orchard), (&bob, &harbour)] {
        farmer.join(village).await;
        farmer.followed_by(village).await;
        farmer.publish(Shown::default()).await;
        village.board_of("", 1).await;
    }
    befriend(&orchard, &harbour).await;
    orchard.board_of("scope=federated", 2).await;
    harbour.board_of("scope=federated", 2).await;

    // When one side ends it, both lose the other's farms; a new beginning brings them back.
    let peers = harbour.get("/api/v1/federation/peers").await.json();
    let path = format!(
        "/api/v1/federation/peers/{}",
        peers["items"][0]["id"].as_str().unwrap()
    );
    harbour.delete_with(&path, Vec::new()).await.problem(401);
    assert_eq!(harbour.admin("DELETE", &path, None).await.status, 204);
    assert_eq!(harbour.board("scope=federated").await.len(), 1);
    let peers = harbour.get("/api/v1/federation/peers").await.json();
    assert_eq!(peers["items"].as_array().unwrap().len(), 0);
    orchard.board_of("scope=federated", 1).await;
    eventually("Orchard saw both ends of it", async || {
        let peers = orchard.get("/api/v1/federation/peers").await.json();
        let peer = &peers["items"][0];
        (peer["we_follow"] == "rejected" && peer["they_follow"].is_null()).then_some(())
    })
    .await;
    befriend(&orchard, &harbour).await;
    orchard.board_of("scope=federated", 2).await;
    harbour.board_of("scope=federated", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_village_disappears_at_once() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    let bob = TestTracker::start("bob", 2).await;
    befriend(&orchard, &harbour).await;
    alice.join(&orchard).await;
    bob.join(&harbour).await;
    alice.followed_by(&orchard).await;
    bob.followed_by(&harbour).await;
    alice.publish(Shown::default()).await;
    bob.publish(Shown::default()).await;
    harbour.board_of("scope=federated", 2).await;
    orchard.board_of("scope=federated", 2).await;
    // Harbour also follows her itself: her handle is at the village that will be blocked, her
    // tracker is not.
    let wish = Some(json!({ "handle": alice.handle_at(&orchard) }));
    let answer = harbour.admin("POST", "/api/v1/following", wish).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    alice.followed_by(&harbour).await;

    let peers = harbour.get("/api/v1/federation/peers").await.json();
    let peer = peers["items"][0]["id"].as_str().unwrap().to_owned();
    let block = format!("/api/v1/federation/peers/{peer}/block");
    harbour.post_bytes(&block, Vec::new()).await.problem(401);
    let answer = harbour.admin("POST", &block, None).await;
    assert_eq!(answer.json()["status"], "blocked");
    let handle = alice.handle_at(&orchard);
    assert_eq!(harbour.board("scope=federated").await.len(), 1);
    assert_eq!(harbour.get(&format!("/farmers/{handle}")).await.status, 404);
    assert!(!harbour.get("/about").await.text.contains(orchard.host()));

    // Neither door lets her back in: not her handle, and not her village's announcement.
    let wish = Some(json!({ "handle": handle }));
    let answer = harbour.admin("POST", "/api/v1/following", wish).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    let wish = Some(json!({ "url": orchard.url }));
    let answer = harbour
        .admin("POST", "/api/v1/federation/connect", wish)
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    alice
        .publish(Shown {
            sequence: 2,
            coins: 5_000,
            ..Shown::default()
        })
        .await;
    bob.publish(Shown {
        sequence: 2,
        coins: 6_000,
        ..Shown::default()
    })
    .await;
    eventually("Bob's next snapshot", async || {
        let board = harbour.board("scope=federated").await;
        assert_eq!(board.len(), 1, "{board:?}");
        (board[0]["value"] == 6_000).then_some(())
    })
    .await;

    let unblock = format!("/api/v1/federation/peers/{peer}/unblock");
    assert_eq!(
        harbour.admin("POST", &unblock, None).await.json()["status"],
        "active"
    );
    alice
        .publish(Shown {
            sequence: 3,
            coins: 5_001,
            ..Shown::default()
        })
        .await;
    harbour.board_of("scope=federated", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_cannot_forge_a_farmers_snapshot() {
    let orchard = TestVillage::start("Orchard").await;
    let harbour = TestVillage::start("Harbour").await;
    let alice = TestTracker::start("alice", 1).await;
    befriend(&orchard, &harbour).await;
    alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    alice.publish(Shown::default()).await;
    harbour.board_of("scope=federated", 1).await;

    let federation = orchard.village.federation();
    let announce = async |key: &str, object: &serde_json::Value| {
        let audience = farmops_federation::Audience::Villages;
        let post = federation
            .announce("village", key, object, audience)
            .unwrap();
        federation.publish(&post).await.unwrap();
    };
    let mut forged = alice
        .snapshot(Shown {
            sequence: 2,
            ..Shown::default()
        })
        .value()
        .clone();
    forged["farm:totalCoins"] = 1_000_000.into();
    announce("forged", &forged).await;
    let key = farmops_protocol::key::SecretKey::from_bytes([66; 32]);
    let other = alice.snapshot_by(
        &key,
        Shown {
            sequence: 3,
            coins: 99,
            ..Shown::default()
        },
    );
    announce("other-key", other.value()).await;
    // A genuine one after them shows that both were looked at.
    alice
        .publish(Shown {
            sequence: 4,
            coins: 104,
            ..Shown::default()
        })
        .await;
    eventually("the genuine one", async || {
        let board = harbour.board("scope=federated").await;
        assert!(board[0]["value"].as_u64().unwrap() <= 104, "{board:?}");
        (board[0]["sequence"] == 4).then_some(())
    })
    .await;
}
