//! Pages, with names and addresses that mean harm.

use serde_json::json;

use crate::{
    tracker::{REGISTER, Shown, TestTracker},
    world::{TestVillage, eventually},
};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=y>";

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_text() {
    let settings = json!({ "description": "<b onclick='x'>bold</b>" });
    let orchard = TestVillage::with("Orchard", settings).await;
    let mallory = TestTracker::start("mallory", 1).await;
    mallory.rename(HOSTILE);
    let id = mallory.join(&orchard).await;
    mallory.followed_by(&orchard).await;
    mallory.publish(Shown::default()).await;
    orchard.board_of("", 1).await;
    for path in [
        "/",
        "/?scope=federated",
        "/farmers/@mallory",
        "/about",
        "/following",
    ] {
        let page = orchard.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(!page.text.contains("<img src=x"), "{path}");
        assert!(!page.text.contains("<b onclick"), "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        // The policy forbids inline styles and scripts, so there must be none.
        assert!(
            !page.text.contains(" style=") && !page.text.contains("<style"),
            "{path}"
        );
        assert!(!page.text.contains("href=\"javascript:"), "{path}");
        assert_eq!(
            page.text.matches("<script").count(),
            1,
            "{path}: the one from our own origin"
        );
        assert!(
            page.text.contains("source code"),
            "{path}: the licence asks for it"
        );
    }
    let picture = orchard.get(&format!("/api/v1/farmers/{id}/farm.svg")).await;
    assert_eq!(
        picture.headers["content-type"],
        "image/svg+xml; charset=utf-8"
    );
    assert!(!picture.text.contains("<script"), "{}", picture.text);
    assert!(
        picture.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    let night = orchard.get("/farmers/@mallory/farm.svg?theme=night").await;
    assert_eq!(night.status, 200);
    assert_ne!(night.text, picture.text);
    orchard
        .get("/farmers/@mallory/farm.svg?theme=noon")
        .await
        .problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_answers_every_address_without_a_server_error() {
    let orchard = TestVillage::start("Orchard").await;
    for path in [
        "/?sort=%00&scope=x&season=y&cursor=zz",
        "/?cursor=7b7d",
        "/farmers/@nobody",
        "/farmers/%00",
        "/farmers/@%F0%9F%92%A9@x",
        "/farmers/@a@b@c",
        "/farmers/00000000-0000-0000-0000-000000000000",
        "/following?cursor=zz",
        "/api/v1/farmers/%2e%2e%2f/history",
        "/api/v1/farmers/@nobody/farm.svg",
        "/api/v1/farmers?cursor=zz",
        "/api/v1/farmers?status=vip",
        "/api/v1/following?cursor=00",
        "/nothing/here",
        "/ap/nobody",
    ] {
        let answer = orchard.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    assert!(orchard.get("/").await.text.contains("No farms here yet"));
    assert!(
        orchard
            .get("/following")
            .await
            .text
            .contains("Nobody followed yet")
    );
    assert_eq!(orchard.get("/healthz").await.status, 200);
    assert_eq!(orchard.get("/readyz").await.status, 200);
    let actor = orchard
        .get_with("/ap/village", "accept", "application/activity+json")
        .await;
    assert_eq!(actor.json()["type"], "Group");
    assert_eq!(actor.json()["preferredUsername"], "orchard");
    assert_eq!(
        orchard.get("/nodeinfo/2.1").await.json()["software"]["name"],
        "farmops-village"
    );
    let info = orchard.get("/api/v1/federation/info").await.json();
    assert_eq!(info["actor"], format!("{}/ap/village", orchard.url));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_farmer_has_one_address() {
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let answer = orchard
        .post_bytes(REGISTER, alice.request(&orchard, None))
        .await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    for path in [
        format!("/farmers/{id}"),
        format!("/farmers/@alice@{}", orchard.host()),
    ] {
        let answer = orchard.get(&path).await;
        assert_eq!(answer.status, 308, "{path}");
        assert_eq!(answer.headers["location"], "/farmers/@alice");
    }
    let page = orchard.get("/farmers/@alice").await;
    assert!(page.text.contains("has not arrived yet"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_says_that_something_changed_and_nothing_more() {
    use futures::StreamExt as _;
    let orchard = TestVillage::start("Orchard").await;
    let alice = TestTracker::start("alice", 1).await;
    let stream = crate::world::client()
        .get(format!("{}/live", orchard.url))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut chunks = stream.bytes_stream();
    alice.join(&orchard).await;
    let chunk = eventually("an event", async || chunks.next().await)
        .await
        .unwrap();
    assert_eq!(&chunk[..], b"event: board\ndata: changed\n\n");
}
