//! Who asks too often, and what is wrong with a parameter or a body.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cast::TestAgent,
    server::{Tracker, config},
};

async fn limited(requests: u32, agents: u32) -> Tracker {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.rate_limits = serde_json::from_value(json!({
        "requests_per_minute": requests,
        "agents_per_minute": agents,
    }))
    .unwrap();
    config.trusted_proxies = serde_json::from_value(json!(["127.0.0.0/8"])).unwrap();
    Tracker::configured(folder, config).await
}

/// Asks for the profile in the name of a client behind the proxy that this test is.
async fn visit(tracker: &Tracker, client: &str) -> reqwest::Response {
    let request = tracker.anyone(Method::GET, "/api/v1/public/profile");
    let request = request.header("x-forwarded-for", client);
    request.send().await.unwrap()
}

#[tokio::test]
async fn each_client_has_its_share_and_hears_what_is_left() {
    let tracker = limited(2, 60).await;
    for left in [r#""requests";r=1;t=30"#, r#""requests";r=0;t=30"#] {
        let answer = visit(&tracker, "192.0.2.1").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["ratelimit"], left);
        assert_eq!(
            answer.headers()["ratelimit-policy"],
            r#""requests";q=2;w=60"#
        );
    }
    let answer = visit(&tracker, "192.0.2.1").await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "quota-exceeded");
    assert_eq!(visit(&tracker, "192.0.2.2").await.status(), StatusCode::OK);
    // Whoever watches over the process is never kept out, and agents have a share of their own.
    let health = tracker
        .anyone(Method::GET, "/healthz")
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(!health.headers().contains_key("ratelimit"));
    let (status, _) = tracker.enrol(&TestAgent::new(1)).await;
    assert_eq!(status, StatusCode::OK);
    tracker.end().await;
}

#[tokio::test]
async fn an_agent_that_asks_too_often_is_told_over_both_roads() {
    let tracker = limited(60, 1).await;
    assert!(tracker.enrol(&TestAgent::new(1)).await.0.is_success());
    let (status, problem) = tracker.enrol(&TestAgent::new(1)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(problem["violated-policies"], json!(["agents"]));
    let call = farmops_protocol::wire::tracker::v1::EnrollRequest {
        canonical_json: TestAgent::new(1).enrolment(crate::server::now()),
    };
    let refused = tracker.grpc().await.enroll(call).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(refused.message().contains("try again in"), "{refused}");
    let wait = refused.metadata().get("retry-after").unwrap();
    assert!((1..=60).contains(&wait.to_str().unwrap().parse().unwrap()));
    let mut client = tracker.grpc().await;
    let stream = client.submit_proofs(futures::stream::pending());
    let refused = stream.await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(refused.metadata().contains_key("retry-after"));
    tracker.end().await;
}

#[tokio::test]
async fn a_wrong_parameter_or_body_is_named() {
    let tracker = limited(60, 60).await;
    for (path, field) in [
        ("/api/v1/ledger?limit=x", "limit"),
        ("/api/v1/proofs?limit=x", "limit"),
        ("/api/v1/proofs/x", "id"),
        ("/api/v1/ledger/x/opening", "position"),
    ] {
        let answer = tracker.owner(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["field"], field, "{path}: {problem}");
    }
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let long = "a".repeat(70_000);
    for (path, media_type, body, status, field) in [
        ("/api/v1/shop/purchase", json, "{", 400, "$"),
        ("/api/v1/shop/purchase", json, "{}", 422, "item"),
        ("/api/v1/shop/purchase", json, "{\"item\":7}", 422, "item"),
        (
            "/api/v1/shop/purchase",
            "text/plain",
            "{}",
            415,
            "content-type",
        ),
        ("/api/v1/shop/purchase", json, &long, 413, "$"),
        ("/api/v1/agents/x/dismiss", json, "", 400, "id"),
        ("/login", json, "{}", 415, "content-type"),
        ("/login", form, &long, 413, "$"),
    ] {
        let request = tracker
            .owner(Method::POST, path)
            .header("idempotency-key", "k");
        let request = request.header("content-type", media_type);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {media_type}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["field"], field, "{path}: {problem}");
    }
    tracker.end().await;
}
