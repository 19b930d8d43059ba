//! Proofs and agents over REST.

use farmops_protocol::proof::Category;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cast::TestAgent,
    server::{Tracker, now},
};

#[tokio::test]
async fn a_proof_is_chained_scored_and_listed() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let proof = agent.work(Category::Incident, now());
    let (status, answer) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    assert_eq!(
        (status, &answer["standing"]),
        (StatusCode::CREATED, &json!("chained"))
    );
    assert_eq!(answer["hash"], proof.hash().to_string());
    let (status, answer) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    assert_eq!(
        (status, &answer["standing"]),
        (StatusCode::OK, &json!("duplicate"))
    );

    let shown = tracker
        .get(&format!("/api/v1/proofs/{}", proof.body().proof_id))
        .await;
    // 30 coins × 1.25 (medium) × 1.2222 (radius 3), first day.
    assert_eq!(shown["coins"], 46);
    let raw = tracker
        .owner(
            Method::GET,
            &format!("/api/v1/proofs/{}", proof.body().proof_id),
        )
        .send()
        .await
        .unwrap();
    let text = raw.text().await.unwrap();
    let canonical = std::str::from_utf8(proof.bytes()).unwrap();
    assert!(
        text.contains(canonical),
        "the proof is shown as it was received"
    );
    let farm = tracker.get("/api/v1/farm").await;
    assert_eq!(
        (&farm["total_coins"], &farm["streak_days"]),
        (&json!(46), &json!(1))
    );
    let stats = tracker.get("/api/v1/farm/stats").await;
    assert_eq!(stats["by_category"][4]["total_coins"], 46);
    assert_eq!(stats["by_day"][0]["total_proofs"], 1);
}

#[tokio::test]
async fn lists_have_pages_filters_and_links() {
    let tracker = Tracker::begin().await;
    let mut one = tracker.trusted(1).await;
    let mut two = tracker.trusted(2).await;
    let start = now().saturating_add(-1000);
    for n in 0..12_i64 {
        let category = Category::ALL[usize::try_from(n).unwrap() % 2];
        let agent = if n % 3 == 0 { &mut two } else { &mut one };
        let proof = agent.work(category, start.saturating_add(n));
        assert_eq!(
            tracker
                .post("/api/v1/proofs", proof.bytes().to_vec())
                .await
                .0,
            201
        );
    }
    let mut path = "/api/v1/proofs?limit=5".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = tracker.owner(Method::GET, &path).send().await.unwrap();
        let link = answer
            .headers()
            .get("link")
            .map(|l| l.to_str().unwrap().to_owned());
        let page: serde_json::Value = answer.json().await.unwrap();
        let times = page["proofs"].as_array().unwrap().iter();
        seen.extend(times.map(|p| p["timestamp"].as_str().unwrap().to_owned()));
        assert_eq!(link.is_some(), page["next"].is_string());
        let Some(link) = link else { break };
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    let expected: Vec<_> = (0..12)
        .rev()
        .map(|n| start.saturating_add(n).to_string())
        .collect();
    assert_eq!(seen, expected);
    for (query, count) in [
        (format!("agent={}", two.id), 4),
        ("category=toil".to_owned(), 6),
        (format!("since={}", start.saturating_add(9)), 3),
        (format!("agent={}&category=toil", two.id), 2),
    ] {
        let page = tracker.get(&format!("/api/v1/proofs?{query}")).await;
        assert_eq!(page["proofs"].as_array().unwrap().len(), count, "{query}");
    }
    for query in [
        "limit=0",
        "limit=9999",
        "cursor=x",
        "cursor=p99999999999999999",
        "agent=x",
        "category=x",
        "since=yesterday",
        "color=red",
    ] {
        let answer = tracker
            .owner(Method::GET, &format!("/api/v1/proofs?{query}"))
            .send()
            .await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn an_agent_waits_for_the_owner_and_is_told_where_it_stands() {
    let tracker = Tracker::begin().await;
    let mut agent = TestAgent::new(1);
    let proof = agent.work(Category::Toil, now());
    let (status, problem) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("agent-unknown"))
    );
    let (status, answer) = tracker.enrol(&agent).await;
    assert_eq!(
        (status, &answer["status"]),
        (StatusCode::OK, &json!("pending"))
    );
    let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (_, hello) = tracker.enrol(&agent).await;
    assert_eq!(
        hello["head"]["proof_id"],
        json!(proof.body().proof_id),
        "it need not send it again"
    );
    let path = format!("/api/v1/agents/{}/approve", agent.id);
    for (body, status) in [
        (
            json!({ "fingerprint": TestAgent::new(2).key.public().fingerprint() }),
            422,
        ),
        (json!({ "fingerprint": "abc" }), 422),
        (json!({}), 422),
        (
            json!({ "fingerprint": agent.key.public().fingerprint(), "force": true }),
            422,
        ),
    ] {
        let answer = tracker
            .owner(Method::POST, &path)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{body}");
        assert_eq!(
            tracker.get("/api/v1/agents").await["agents"][0]["status"],
            "pending"
        );
    }
    assert_eq!(tracker.approve(&agent).await["status"], "active");
    assert!(
        tracker.get("/api/v1/farm").await["total_coins"]
            .as_u64()
            .unwrap()
            > 0
    );
    let revoke = format!("/api/v1/agents/{}/revoke", agent.id);
    let answer = tracker.owner(Method::POST, &revoke).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let late = agent.work(Category::Toil, now());
    let (status, problem) = tracker.post("/api/v1/proofs", late.bytes().to_vec()).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::FORBIDDEN, &json!("agent-revoked"))
    );
    assert_eq!(tracker.enrol(&agent).await.1["status"], "revoked");
}

#[tokio::test]
async fn forks_and_gaps_name_the_head() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let first = agent.work(Category::Toil, now());
    tracker.post("/api/v1/proofs", first.bytes().to_vec()).await;
    let mut ahead = agent.clone();
    ahead.work(Category::Toil, now());
    for (proof, code) in [
        (ahead.work(Category::Toil, now()), "not-the-head"),
        (
            agent.clone().work_after(None, Category::Toil, now()),
            "fork",
        ),
    ] {
        let (status, problem) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        assert_eq!(
            (status, problem["code"].as_str().unwrap()),
            (StatusCode::CONFLICT, code)
        );
        assert_eq!(problem["head"]["hash"], first.hash().to_string());
        assert_eq!(problem["field"], "prev_proof_id");
    }
    assert_eq!(tracker.get("/api/v1/agents").await["agents"][0]["forks"], 1);
}

#[tokio::test]
async fn answers_carry_tags_and_unchanged_ones_are_not_sent_again() {
    let tracker = Tracker::begin().await;
    for path in [
        "/api/v1/farm",
        "/api/v1/farm/stats",
        "/api/v1/farm/upgrades",
        "/api/v1/shop/items",
        "/api/v1/public/profile",
        "/farm.svg",
    ] {
        let first = tracker.owner(Method::GET, path).send().await.unwrap();
        let tag = first.headers()["etag"].clone();
        let again = tracker
            .owner(Method::GET, path)
            .header("if-none-match", tag)
            .send()
            .await;
        assert_eq!(again.unwrap().status(), StatusCode::NOT_MODIFIED, "{path}");
        let other = tracker
            .owner(Method::GET, path)
            .header("if-none-match", "\"x\"")
            .send()
            .await;
        assert_eq!(other.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_proof_is_shown_of_the_agent_that_is_named_where_two_have_its_id() {
    let tracker = Tracker::begin().await;
    let id = crate::cast::uuid_v7(1_771_000_000_000, 7);
    let mut agents = [tracker.trusted(1).await, tracker.trusted(2).await];
    let path = format!("/api/v1/proofs/{id}");
    for agent in &mut agents {
        let proof = agent.work_as(id, Category::Toil, now());
        let (status, _) = tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        assert_eq!(status, StatusCode::CREATED);
        let shown = tracker.get(&format!("{path}?agent={}", agent.id)).await;
        assert_eq!(shown["agent_id"], agent.id.to_string());
    }
    let answer = tracker.owner(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(
        (&problem["code"], &problem["field"]),
        (&json!("ambiguous"), &json!("agent"))
    );
    // Lists since a time, of none and of all.
    let later = format!("/api/v1/proofs?since={}", now().saturating_add(3600));
    assert_eq!(tracker.get(&later).await["proofs"], json!([]));
    let of_both = tracker
        .get("/api/v1/proofs?category=toil&since=2026-01-01T00:00:00Z")
        .await;
    assert_eq!(of_both["proofs"].as_array().unwrap().len(), 2);
}
