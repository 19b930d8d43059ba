//! The farm as it was.

use farmops_protocol::proof::Category;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Tracker, now};

const VIEWS: [&str; 4] = [
    "/api/v1/farm",
    "/api/v1/farm/balance",
    "/api/v1/farm/stats",
    "/api/v1/farm/upgrades",
];

async fn views(tracker: &Tracker, at: Option<u64>) -> Vec<Value> {
    let query = at.map_or_else(String::new, |at| format!("?at={at}"));
    let mut views = Vec::new();
    for path in VIEWS {
        views.push(tracker.get(&format!("{path}{query}")).await);
    }
    views
}

#[tokio::test]
async fn every_moment_is_answered_as_it_was_answered_then() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let start = now().saturating_add(-7_200);
    let mut then = Vec::new();
    for n in 0..6 {
        let category = [Category::Incident, Category::Toil][usize::try_from(n % 2).unwrap()];
        let proof = agent.work(category, start.saturating_add(n * 60));
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        let views = views(&tracker, None).await;
        then.push((views[0]["ledger_size"].as_u64().unwrap(), views));
    }
    for (size, expected) in &then {
        assert_eq!(&views(&tracker, Some(*size)).await, expected, "at {size}");
    }
    let coins = |views: &[Value]| views[1]["total_coins"].as_u64().unwrap();
    assert!(coins(&then[0].1) < coins(&then[5].1));
    // By time: everything was recorded by now.
    let by_time = tracker
        .get(&format!("/api/v1/farm/balance?at={}", now()))
        .await;
    assert_eq!(by_time, then[5].1[1]);
}

#[tokio::test]
async fn a_moment_without_a_farm_is_refused_by_name() {
    let tracker = Tracker::begin().await;
    let size = tracker.get("/api/v1/farm").await["ledger_size"]
        .as_u64()
        .unwrap();
    let beyond = (size + 1).to_string();
    for (at, status) in [
        ("0", 422),
        (beyond.as_str(), 422),
        ("18446744073709551615", 422),
        ("2000-01-01T00:00:00Z", 422),
        ("9999-01-01T00:00:00Z", 422),
        ("yesterday", 400),
        ("-1", 400),
        ("1.0", 400),
        ("", 400),
        ("2026-02-21", 400),
    ] {
        for path in VIEWS {
            let request = tracker.owner(Method::GET, path).query(&[("at", at)]);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path} {at}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["field"], json!("at"));
        }
    }
}
