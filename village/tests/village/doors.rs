//! Every route by name: who may use it, and what none of them takes.

use http::Method;
use serde_json::json;

use crate::world::{TestVillage, client};

const ID: &str = "00000000-0000-7000-8000-000000000000";

/// What only the village's people may do.
const ADMINS: [(&str, &str); 13] = [
    ("POST", "/api/v1/farmers/{id}/approve"),
    ("DELETE", "/api/v1/farmers/{id}"),
    ("POST", "/api/v1/following"),
    ("DELETE", "/api/v1/following/{id}"),
    ("POST", "/api/v1/invites"),
    ("POST", "/api/v1/federation/connect"),
    ("DELETE", "/api/v1/federation/peers/{id}"),
    ("POST", "/api/v1/federation/peers/{id}/accept"),
    ("POST", "/api/v1/federation/peers/{id}/block"),
    ("POST", "/api/v1/federation/peers/{id}/unblock"),
    ("GET", "/api/v1/federation/blocks"),
    ("POST", "/api/v1/federation/blocks"),
    ("DELETE", "/api/v1/federation/blocks/{host}"),
];

/// What anyone may do.
const ANYONES: [(&str, &str); 20] = [
    ("GET", "/api/v1/leaderboard"),
    ("GET", "/api/v1/leagues"),
    ("GET", "/api/v1/leagues/{league}"),
    ("GET", "/api/v1/farmers"),
    ("POST", "/api/v1/farmers/register"),
    ("GET", "/api/v1/farmers/{id}"),
    ("GET", "/api/v1/farmers/{id}/history"),
    ("GET", "/api/v1/farmers/{id}/farm.svg"),
    ("GET", "/api/v1/following"),
    ("GET", "/api/v1/federation/info"),
    ("GET", "/api/v1/federation/peers"),
    ("GET", "/live"),
    ("GET", "/"),
    ("GET", "/farmers/{handle}"),
    ("GET", "/farmers/{handle}/farm.svg"),
    ("GET", "/following"),
    ("GET", "/about"),
    ("GET", "/assets/style.css"),
    ("GET", "/assets/live.js"),
    ("GET", "/assets/icon.svg"),
];

fn filled(path: &str) -> String {
    path.replace("{id}", ID)
        .replace("{host}", "evil.example")
        .replace("{handle}", "@nobody")
        .replace("{league}", "harvest")
}

/// The routes that the router's own source mounts: method and path.
fn mounted() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in [
        include_str!("../../src/http.rs"),
        include_str!("../../src/pages.rs"),
    ] {
        for route in source.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            // Up to the end of the call: the handlers of one route.
            let handlers = route.split("\n        .").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if handlers.contains(&format!("{method}(")) {
                    found.push((method.to_uppercase(), path.to_owned()));
                }
            }
        }
    }
    found.sort();
    found
}

/// A route that is in neither table was added without asking whose it is.
#[test]
fn every_route_is_somebodys() {
    let mut known: Vec<_> = ADMINS
        .iter()
        .chain(&ANYONES)
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    known.sort();
    assert_eq!(mounted(), known);
}

/// CVE-2026-72914: the token is asked for before a body is read or a row looked for. The database
/// is closed, so whatever touches it first answers 500.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_comes_before_any_work() {
    let orchard = TestVillage::start("Orchard").await;
    orchard.village.store().close().await;
    for (method, path) in ADMINS {
        let url = format!("{}{}", orchard.url, filled(path));
        for token in [None, Some(""), Some("wrong")] {
            // Without a token, the body of this one is a farmer's own departure: read before
            // anyone is looked up.
            let departs =
                (method, path) == ("DELETE", "/api/v1/farmers/{id}") && token != Some("wrong");
            for body in ["", "{", "{\"handle\":\"@a@b.example\"}"] {
                let method: Method = method.parse().unwrap();
                let mut request = client()
                    .request(method.clone(), &url)
                    .header("content-type", "application/json")
                    .body(body);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let answer = request.send().await.unwrap();
                let case = format!("{method} {path} {token:?} {body}");
                if departs && !body.is_empty() {
                    assert_eq!(answer.status(), 422, "{case}");
                } else {
                    assert_eq!(answer.status(), 401, "{case}");
                    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
                }
            }
        }
    }
    // And it is the closed database that the village's people run into.
    let answer = orchard
        .admin("GET", "/api/v1/federation/blocks", None)
        .await;
    answer.problem(500);
}

/// CVE-2024-25636, CVE-2023-36460, CVE-2025-32949: nobody uploads anything, so there is nothing to
/// decode, to unpack, or to serve as somebody's document.
#[tokio::test(flavor = "multi_thread")]
async fn no_route_takes_a_file() {
    let orchard = TestVillage::start("Orchard").await;
    let part = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../../etc/cron.d/x\"\
        \r\ncontent-type: image/svg+xml\r\n\r\n<svg onload=\"alert(1)\"/>\r\n--x--\r\n";
    for (media_type, body) in [
        ("multipart/form-data; boundary=x", part.as_bytes()),
        ("image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        (
            "image/svg+xml",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        ),
        ("application/zip", b"PK\x03\x04"),
        ("application/activity+json", b"{\"type\":\"Person\"}"),
    ] {
        let inboxes = [("POST", "/ap/inbox"), ("POST", "/ap/village/inbox")];
        let paths: Vec<String> = ADMINS
            .iter()
            .chain(&ANYONES)
            .chain(&inboxes)
            .map(|(_, path)| filled(path))
            .collect();
        for path in &paths {
            for method in [Method::POST, Method::PUT, Method::PATCH] {
                let answer = client()
                    .request(method.clone(), format!("{}{path}", orchard.url))
                    .bearer_auth(orchard.token())
                    .header("content-type", media_type)
                    .body(body)
                    .send()
                    .await
                    .unwrap();
                let status = answer.status();
                assert!(
                    status.is_client_error(),
                    "{method} {path} {media_type}: {status}"
                );
            }
        }
    }
}

/// Akkoma 3.12, CVE-2024-25623: nothing that we serve can be taken for something else. Only the
/// federation's own routes speak ActivityPub; pictures are ours and run nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let harvest = crate::leagues::file(&folder, "harvest", "Harvest league");
    let orchard = TestVillage::with("Orchard", json!({ "leagues": [harvest] })).await;
    let alice = crate::tracker::TestTracker::start("alice", 1).await;
    let id = alice.join(&orchard).await;
    alice.followed_by(&orchard).await;
    alice.publish(crate::tracker::Shown::default()).await;
    orchard.board_of("", 1).await;
    for (method, path) in ANYONES {
        if method != "GET" || path == "/live" {
            continue;
        }
        let path = path.replace("{handle}", "@alice").replace("{id}", &id);
        let path = filled(&path);
        let answer = orchard
            .get_with(&path, "accept", "application/activity+json")
            .await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        let media_type = answer.headers["content-type"].to_str().unwrap();
        assert!(!media_type.contains("activity+json") && !media_type.contains("ld+json"));
        if path.ends_with("farm.svg") {
            assert!(policy.contains("sandbox") && !policy.contains("script-src"));
            for harm in [
                "<script",
                "<foreignObject",
                "<image",
                "href=\"http",
                "javascript:",
                " onload=",
                " onclick=",
            ] {
                assert!(!answer.text.contains(harm), "{path} has {harm}");
            }
        }
    }
    orchard.get("/ap/alice").await.problem(404);
}
