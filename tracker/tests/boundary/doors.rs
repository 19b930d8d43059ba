//! Every route by name: who may use it, what none of them takes, and whom the tracker never asks.

use std::time::Duration;

use farmops_tracker::http::openapi;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cast::TestAgent,
    server::{Tracker, config, now},
};

const ID: &str = "01890000-0000-7000-8000-000000000000";

/// What needs the owner's token, or one with the scope.
pub const OWNERS: [(&str, &str, &str); 49] = [
    ("GET", "/api/v1/proofs", "read"),
    ("GET", "/api/v1/proofs/{id}", "read"),
    ("GET", "/api/v1/ledger", "read"),
    ("GET", "/api/v1/ledger/{position}/opening", "read"),
    ("GET", "/api/v1/farm", "read"),
    ("GET", "/api/v1/farm/balance", "read"),
    ("GET", "/api/v1/farm/balance/history", "read"),
    ("GET", "/api/v1/farm/stats", "read"),
    ("GET", "/api/v1/farm/upgrades", "read"),
    ("PUT", "/api/v1/farm/name", "farm"),
    ("GET", "/api/v1/farm/calendar", "read"),
    ("PUT", "/api/v1/farm/calendar", "farm"),
    ("GET", "/api/v1/farm/layout", "read"),
    ("POST", "/api/v1/farm/layout/changes", "farm"),
    ("GET", "/api/v1/farm/rest-days", "read"),
    ("PUT", "/api/v1/farm/rest-days/{date}", "farm"),
    ("DELETE", "/api/v1/farm/rest-days/{date}", "farm"),
    ("GET", "/api/v1/rules", "read"),
    ("PUT", "/api/v1/rules", "farm"),
    ("GET", "/api/v1/rules/{digest}", "read"),
    ("GET", "/api/v1/leagues", "read"),
    ("PUT", "/api/v1/leagues/{league}", "farm"),
    ("DELETE", "/api/v1/leagues/{league}", "farm"),
    ("GET", "/api/v1/shop/items", "read"),
    ("POST", "/api/v1/shop/purchase", "farm"),
    ("GET", "/api/v1/shop/purchases", "read"),
    ("GET", "/api/v1/agents", "read"),
    ("POST", "/api/v1/agents/{id}/approve", "agents"),
    ("POST", "/api/v1/agents/{id}/dismiss", "agents"),
    ("POST", "/api/v1/agents/{id}/reset-chain", "agents"),
    ("POST", "/api/v1/agents/{id}/revoke", "agents"),
    ("GET", "/api/v1/villages", "read"),
    ("POST", "/api/v1/villages", "social"),
    ("POST", "/api/v1/villages/leave", "social"),
    ("GET", "/api/v1/villages/leagues", "read"),
    ("POST", "/api/v1/villages/leagues", "farm"),
    ("GET", "/api/v1/followers", "read"),
    ("POST", "/api/v1/followers/accept", "social"),
    ("POST", "/api/v1/followers/reject", "social"),
    ("POST", "/api/v1/followers/block", "social"),
    ("POST", "/api/v1/followers/unblock", "social"),
    ("GET", "/api/v1/following", "read"),
    ("POST", "/api/v1/following", "social"),
    ("POST", "/api/v1/following/remove", "social"),
    ("GET", "/api/v1/tokens", "admin"),
    ("POST", "/api/v1/tokens", "admin"),
    ("DELETE", "/api/v1/tokens/{label}", "admin"),
    ("PUT", "/api/v1/owner-token", "admin"),
    ("DELETE", "/api/v1/sessions", "admin"),
];

/// The owner's pages: with a session; others are sent to log in.
pub const PAGES: [&str; 13] = [
    "/coins",
    "/days",
    "/proofs",
    "/proofs/{id}",
    "/agents",
    "/shop",
    "/arrange",
    "/villages",
    "/villages/leagues",
    "/people",
    "/rules",
    "/settings",
    "/settings/tokens",
];

/// What she takes away with her, likewise.
const DOWNLOADS: [&str; 2] = ["/settings/ledger.jsonl", "/settings/farm.tar"];

/// The owner's forms: with a session and a token that one of its pages made.
pub const FORMS: [(&str, &str); 25] = [
    ("POST", "/agents/{id}/approve"),
    ("POST", "/agents/{id}/dismiss"),
    ("POST", "/agents/{id}/revoke"),
    ("POST", "/agents/{id}/reset-chain"),
    ("POST", "/arrange/place"),
    ("POST", "/arrange/name"),
    ("POST", "/days/rest"),
    ("POST", "/days/calendar"),
    ("POST", "/people/accept"),
    ("POST", "/people/reject"),
    ("POST", "/people/block"),
    ("POST", "/people/unblock"),
    ("POST", "/people/follow"),
    ("POST", "/people/unfollow"),
    ("POST", "/rules"),
    ("POST", "/settings/name"),
    ("POST", "/settings/tokens"),
    ("POST", "/settings/tokens/revoke"),
    ("POST", "/settings/sessions/end"),
    ("POST", "/shop/buy"),
    ("POST", "/villages/join"),
    ("POST", "/villages/leave"),
    ("POST", "/villages/leagues"),
    ("POST", "/villages/leagues/leave"),
    ("POST", "/logout"),
];

/// What anyone may do; agents speak by their signatures.
const ANYONES: [(&str, &str); 17] = [
    ("POST", "/api/v1/proofs"),
    ("POST", "/api/v1/agents/enroll"),
    ("POST", "/api/v1/agents/{id}/rotate"),
    ("POST", "/api/v1/agents/{id}/chain-reset"),
    ("GET", "/api/v1/public/profile"),
    ("GET", "/api/v1/public/snapshot"),
    ("GET", "/farm.svg"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api"),
    ("GET", "/checkpoint"),
    ("GET", "/tile/{path}"),
    ("GET", "/"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/assets/tracker.css"),
    ("GET", "/assets/arrange.js"),
    ("GET", "/assets/icon.svg"),
];

pub fn filled(path: &str) -> String {
    path.replace("{id}", ID)
        .replace("{label}", "nobody")
        .replace("{path}", "entries/000.p/2")
}

/// The routes that are described, and those that the sources of the others mount: method and path.
fn mounted() -> Vec<(String, String)> {
    let description: Value = serde_json::from_str(openapi::TEXT).unwrap();
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        found.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    let source = concat!(
        include_str!("../../src/http/openapi.rs"),
        include_str!("../../src/http/page.rs")
    );
    for route in source.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split("\n        .").next().unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                found.push((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    found.sort();
    found
}

/// A route that is in no table was added without asking whose it is.
#[test]
fn every_route_is_somebodys() {
    let mut known: Vec<_> = OWNERS
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .chain(FORMS)
        .chain(ANYONES)
        .chain(PAGES.into_iter().chain(DOWNLOADS).map(|path| ("GET", path)))
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    known.sort();
    assert_eq!(mounted(), known);
}

#[test]
fn every_scope_is_described() {
    let description: Value = serde_json::from_str(openapi::TEXT).unwrap();
    for (method, path, scope) in OWNERS {
        let operation = &description["paths"][path][method.to_lowercase()];
        let asked = json!([{ "token": [scope] }]);
        assert_eq!(operation["security"], asked, "{method} {path}");
    }
}

/// CVE-2026-72914: the token comes before the body, the id and the query are looked at, so what is
/// wrong with those is not told either.
#[tokio::test]
async fn the_token_comes_before_any_work() {
    let tracker = Tracker::begin().await;
    for (method, path, _) in OWNERS {
        for token in [None, Some(""), Some("wrong")] {
            for (query, body) in [("", ""), ("?limit=x&after=-1&state=?", "{")] {
                let path = path.replace("{id}", if body.is_empty() { ID } else { "no-id" });
                let method: Method = method.parse().unwrap();
                let mut request = tracker
                    .anyone(method.clone(), &format!("{path}{query}"))
                    .header("content-type", "text/plain")
                    .body(body);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 401, "{method} {path}{query} {token:?}");
                let asked = answer.headers()["www-authenticate"].to_str().unwrap();
                let unknown = matches!(token, Some("wrong"));
                assert_eq!(asked.contains("invalid_token"), unknown, "{asked}");
                assert!(asked.starts_with("Bearer"), "{asked}");
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
            }
        }
    }
    // The same mistakes with the token are told apart.
    let wrong = tracker.owner(Method::GET, "/api/v1/ledger?after=-1");
    assert_eq!(wrong.send().await.unwrap().status(), 400);
    let form = format!("form_token={}&fingerprint=x&url=x&invite=x", "0".repeat(64));
    for (method, path) in FORMS {
        let request = tracker.anyone(method.parse().unwrap(), &filled(path));
        let answer = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    for path in PAGES.into_iter().chain(DOWNLOADS) {
        let answer = tracker
            .anyone(Method::GET, &filled(path))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers()["location"], "/login", "{path}");
    }
}

/// CVE-2024-25636, CVE-2023-36460, CVE-2025-32949: nobody uploads anything, so there is nothing to
/// decode, to unpack, or to serve as somebody's document.
#[tokio::test]
async fn no_route_takes_a_file() {
    let tracker = Tracker::begin().await;
    let part = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../../x\"\r\n\
        content-type: image/svg+xml\r\n\r\n<svg onload=\"alert(1)\"/>\r\n--x--\r\n";
    let inboxes = [("POST", "/ap/inbox"), ("POST", "/ap/actor/inbox")];
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
        for (_, path) in OWNERS
            .into_iter()
            .map(|(method, path, _)| (method, path))
            .chain(FORMS)
            .chain(ANYONES)
            .chain(inboxes)
        {
            for method in [Method::POST, Method::PUT, Method::PATCH] {
                let answer = tracker
                    .owner(method.clone(), &filled(path))
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

/// Akkoma 3.12, CVE-2024-25623: nothing that is served can be taken for something else.
#[tokio::test]
async fn what_is_served_is_what_it_says() {
    let tracker = Tracker::begin().await;
    // There is no snapshot before the first one is published.
    let first = async {
        let snapshot = || {
            tracker
                .anyone(Method::GET, "/api/v1/public/snapshot")
                .send()
        };
        while snapshot().await.unwrap().status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), first)
        .await
        .unwrap();
    for (method, path) in ANYONES {
        if method != "GET" {
            continue;
        }
        let answer = tracker
            .anyone(Method::GET, &filled(path))
            .header("accept", "application/activity+json")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        let media_type = header("content-type");
        if path != "/api/v1/public/snapshot" {
            assert!(!media_type.contains("activity+json") && !media_type.contains("ld+json"));
        }
        if path == "/farm.svg" {
            let text = answer.text().await.unwrap();
            for harm in [
                "<script",
                "<foreignObject",
                "<image",
                "href=\"http",
                " onload=",
            ] {
                assert!(!text.contains(harm), "{path} has {harm}");
            }
        }
    }
}

/// CVE-2026-33693, CVE-2026-22245, -46348, -47389, CVE-2026-50131: without the development flag,
/// neither joining nor following asks an address that is not public, written out or behind a name.
#[tokio::test]
async fn a_public_tracker_asks_nobody_inside() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.allow_loopback = false;
    config.public_url = "https://alice.example".parse().unwrap();
    let tracker = Tracker::configured(folder, config).await;
    let ask = async |path: &str, body: Value| {
        let request = tracker.owner(Method::POST, path).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    for host in [
        "127.0.0.1",
        "0.0.0.0",
        "2130706433",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2001::1]",
        "[2002:7f00:1::1]",
        "localhost",
        "inside.localhost",
    ] {
        let wish = json!({ "url": format!("https://{host}") });
        let (status, text) = ask("/api/v1/villages", wish).await;
        assert_eq!(status, 422, "{host}: {text}");
        assert!(text.contains("refused to connect"), "{host}: {text}");
        let wish = json!({ "handle": format!("@bob@{host}") });
        let (status, text) = ask("/api/v1/following", wish).await;
        if host == "inside.localhost" {
            assert_eq!(status, 502, "{text}");
            assert!(text.contains("resolves to a loopback address"), "{text}");
        } else {
            assert_eq!(status, 422, "{host}: {text}");
        }
    }
    for url in ["http://orchard.example", "https://u:p@orchard.example"] {
        let (status, text) = ask("/api/v1/villages", json!({ "url": url })).await;
        assert_eq!(status, 422, "{url}: {text}");
    }
}

/// CVE-2026-54738, CVE-2023-49952: the bound on waiting agents counts agents, not the addresses
/// that a header gives them.
#[tokio::test]
async fn no_header_gets_round_the_bound_on_waiting_agents() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.buffer.agents_max = 2;
    let tracker = Tracker::configured(folder, config).await;
    let mut statuses = Vec::new();
    for number in 1..8 {
        let answer = tracker
            .anyone(Method::POST, "/api/v1/agents/enroll")
            .header("content-type", "application/json")
            .header("x-forwarded-for", format!("203.0.113.{number}, 10.0.0.1"))
            .header("forwarded", format!("for=203.0.113.{number}"))
            .header("x-real-ip", format!("203.0.113.{number}"))
            .body(TestAgent::new(number).enrolment(now()))
            .send()
            .await
            .unwrap();
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
        }
        statuses.push(answer.status().as_u16());
    }
    assert!(
        statuses[..2].iter().all(|status| *status < 300),
        "{statuses:?}"
    );
    assert_eq!(statuses[2..], [429; 5], "{statuses:?}");
    let agents = tracker.get("/api/v1/agents").await;
    assert_eq!(agents["agents"].as_array().unwrap().len(), 2);
}
