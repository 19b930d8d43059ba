//! A village on the open internet: whom it never asks, and who cannot wear it out.

use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    tracker::{Place, REGISTER, TestTracker},
    world::{TestVillage, client, listener},
};

/// Hosts and whole addresses that lead into somebody's own network.
const INSIDE: [&str; 16] = [
    "https://127.0.0.1",
    "https://0.0.0.0",
    "https://2130706433",
    "https://0x7f.1",
    "https://10.0.0.1",
    "https://100.64.0.1",
    "https://169.254.169.254",
    "https://[::]",
    "https://[::1]",
    "https://[::ffff:169.254.169.254]",
    "https://[::7f00:1]",
    "https://[64:ff9b::7f00:1]",
    "https://[2001::1]",
    "https://[2002:7f00:1::1]",
    "https://localhost",
    "https://LOCALHOST.",
];

struct Orchard(TestVillage);

impl Place for Orchard {
    fn url(&self) -> &'static str {
        "https://orchard.example"
    }
}

/// A village as it runs in earnest: https, no loopback.
async fn public() -> Orchard {
    let settings = json!({ "public_url": "https://orchard.example", "allow_loopback": false });
    Orchard(TestVillage::with("Orchard", settings).await)
}

/// CVE-2026-33693, CVE-2026-22245, -46348, -47389, CVE-2026-50131, CVE-2025-23221, CVE-2026-62857:
/// neither a peering, nor a follow, nor a stranger's registration makes the village ask an address
/// that is not public, written out or behind a name.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_village_asks_nobody_inside() {
    let orchard = public().await;
    let others = [
        "http://harbour.example",
        "https://harbour.example:8443",
        "https://u:p@harbour.example",
        "data:application/jrd+json,{}",
        "file:///etc/passwd",
        "gopher://harbour.example",
    ];
    for url in INSIDE.iter().chain(&others) {
        let wish = Some(json!({ "url": url }));
        let answer = orchard
            .0
            .admin("POST", "/api/v1/federation/connect", wish)
            .await;
        assert_eq!(answer.problem(422), "url", "{url}: {}", answer.text);
        assert!(
            !answer.text.contains("could not be reached"),
            "{url}: {}",
            answer.text
        );
        let host = url.split_once("//").map_or(*url, |(_, host)| host);
        let wish = Some(json!({ "handle": format!("@alice@{host}") }));
        let answer = orchard.0.admin("POST", "/api/v1/following", wish).await;
        if host != "harbour.example" {
            assert_eq!(answer.problem(422), "handle", "{url}: {}", answer.text);
            assert!(
                !answer.text.contains("could not be reached"),
                "{}",
                answer.text
            );
        }
    }
    // A name passes the door; what it resolves to does not pass the client.
    let wish = Some(json!({ "url": "https://inside.localhost" }));
    let answer = orchard
        .0
        .admin("POST", "/api/v1/federation/connect", wish)
        .await;
    assert_eq!(answer.problem(422), "url");
    assert!(
        answer.text.contains("resolves to a loopback address"),
        "{}",
        answer.text
    );
    let wish = Some(json!({ "handle": "@alice@inside.localhost" }));
    let answer = orchard.0.admin("POST", "/api/v1/following", wish).await;
    assert_eq!(answer.problem(422), "handle");
    assert!(
        answer.text.contains("resolves to a loopback address"),
        "{}",
        answer.text
    );
}

/// As above, at the door that needs no token; and a stranger is not told what a name is in here.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_of_names_inside() {
    let orchard = public().await;
    let mut alice = TestTracker::start("alice", 1).await;
    let names = [
        "https://inside.localhost",
        "https://db.inside.localhost",
        "https://nowhere.invalid",
    ];
    for url in INSIDE.iter().chain(&names) {
        (*url).clone_into(&mut alice.url);
        let answer = orchard
            .0
            .post_bytes(REGISTER, alice.request(&orchard, None))
            .await;
        assert_eq!(answer.status, 422, "{url}: {}", answer.text);
        if names.contains(url) {
            // One and the same, whether there is such a name, and wherever it leads.
            assert_eq!(answer.json()["detail"], "could not be reached from here");
        }
    }
}

/// CVE-2026-54738, CVE-2023-49952: the bound on registrations counts them, not who they say they
/// are; no header makes a new visitor of an old one.
#[tokio::test(flavor = "multi_thread")]
async fn no_header_gets_round_the_bound_on_registrations() {
    let orchard = TestVillage::start("Orchard").await;
    let (silent, url) = listener("silent").await;
    let mut alice = TestTracker::start("alice", 1).await;
    alice.url = url;
    let request = alice.request(&orchard, None);
    let register = |n: usize| {
        client()
            .post(format!("{}{REGISTER}", orchard.url))
            .header("content-type", "application/json")
            .header("x-forwarded-for", format!("203.0.113.{n}, 10.0.0.{n}"))
            .header("forwarded", format!("for=203.0.113.{n}"))
            .header("x-real-ip", format!("203.0.113.{n}"))
            .body(request.clone())
            .send()
    };
    let waiting: Vec<_> = (0..8).map(|n| tokio::spawn(register(n))).collect();
    let held = take(&silent, 8).await;
    for n in 8..20 {
        let answer = register(n).await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{n}");
        assert!(answer.headers().contains_key("retry-after"));
    }
    drop((silent, held));
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap().status(), 422);
    }
    // The places are free again.
    assert_eq!(register(20).await.unwrap().status(), 422);
}

/// That many connections, taken and never answered.
async fn take(listener: &TcpListener, count: usize) -> Vec<tokio::net::TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(listener.accept().await.unwrap().0);
    }
    held
}
