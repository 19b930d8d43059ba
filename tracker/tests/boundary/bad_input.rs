//! Foreign bytes: each bad document is answered with a problem that names a field, over both doors,
//! and leaves no trace.

use farmops_protocol::{canonical, limits::PROOF_BYTES_MAX, proof::Category};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cast::TestAgent,
    server::{Tracker, message, now, stream},
};

/// Bad documents with what the answer's field must be.
fn corpus(agent: &TestAgent) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut agent = agent.clone();
    let good = agent.work_after(agent.head.clone().as_ref(), Category::Toil, now());
    let text = String::from_utf8(good.bytes().to_vec()).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let with = |path: &str, new: Value| {
        let mut changed = value.clone();
        *changed.pointer_mut(path).unwrap() = new;
        canonical::to_vec(&changed).unwrap_or_else(|_| serde_json::to_vec(&changed).unwrap())
    };
    let mut stranger = agent.clone();
    stranger.key = TestAgent::new(99).key;
    let head = agent.head;
    let other_key = stranger
        .work_after(head.as_ref(), Category::Toil, now())
        .bytes()
        .to_vec();
    let mut unknown = TestAgent::new(98);
    let future = agent.work_after(head.as_ref(), Category::Toil, now().saturating_add(3600));
    vec![
        ("empty", Vec::new(), "$"),
        ("truncated", text.as_bytes()[..text.len() / 2].to_vec(), "*"),
        ("not JSON", b"\xff\xfe\x00proof".to_vec(), "$"),
        ("an array", b"[]".to_vec(), "*"),
        ("nested", "[".repeat(PROOF_BYTES_MAX).into_bytes(), "*"),
        ("nested in a member", with("/action", nested(60)), "*"),
        ("spaces", text.replacen(':', ": ", 1).into_bytes(), "$"),
        ("other order", reordered(&value), "$"),
        (
            "duplicate key",
            text.replacen("{\"action\"", "{\"schema_version\":\"1\",\"action\"", 1)
                .into_bytes(),
            "*",
        ),
        (
            "unknown key",
            text.replacen("{\"action\"", "{\"aaa\":1,\"action\"", 1)
                .into_bytes(),
            "*",
        ),
        (
            "wrong type",
            with("/outcome/verified", json!("yes")),
            "outcome.verified",
        ),
        (
            "float",
            with("/scoring_hints/impact_radius", json!(1.5)),
            "scoring_hints.impact_radius",
        ),
        (
            "huge number",
            text.replacen(
                "\"impact_radius\":3",
                "\"impact_radius\":9007199254740993",
                1,
            )
            .into_bytes(),
            "scoring_hints.impact_radius",
        ),
        (
            "out of range",
            with("/scoring_hints/impact_radius", json!(11)),
            "scoring_hints.impact_radius",
        ),
        (
            "unknown word",
            with("/action/category", json!("gardening")),
            "action.category",
        ),
        (
            "control character",
            with("/action/description", json!("a\u{202e}b")),
            "action.description",
        ),
        (
            "host name",
            with("/agent/cluster_alias", json!("db1.internal")),
            "agent.cluster_alias",
        ),
        (
            "half a genesis",
            with("/prev_proof_hash", Value::Null),
            "prev_proof_hash",
        ),
        (
            "changed text",
            with("/action/description", json!("Resolved everything")),
            "signature",
        ),
        ("wrong key", other_key, "signature"),
        (
            "unknown agent",
            unknown.work(Category::Toil, now()).bytes().to_vec(),
            "agent.agent_id",
        ),
        ("future-dated", future.bytes().to_vec(), "timestamp"),
    ]
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

/// The same members, the last one first.
fn reordered(value: &Value) -> Vec<u8> {
    let members: serde_json::Map<String, Value> = value
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .rev()
        .collect();
    serde_json::to_vec(&members).unwrap()
}

#[tokio::test]
async fn bad_proofs_are_refused_with_a_field_and_leave_no_trace() {
    let tracker = Tracker::begin().await;
    let mut agent = tracker.trusted(1).await;
    let first = agent.work(Category::Toil, now());
    tracker.post("/api/v1/proofs", first.bytes().to_vec()).await;
    let before = tracker.projections().await;
    let mut client = tracker.grpc().await;
    for (name, bytes, field) in corpus(&agent) {
        let (status, problem) = tracker.post("/api/v1/proofs", bytes.clone()).await;
        assert!(status.is_client_error(), "{name}: {status} {problem}");
        let named = problem["field"]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {problem}"));
        assert!(field == "*" || named == field, "{name}: {problem}");
        assert!(
            problem["detail"].as_str().is_some_and(|d| !d.is_empty()),
            "{name}"
        );
        let words = stream(&mut client, vec![message(bytes)]).await;
        assert_eq!(
            words[0],
            problem["code"].as_str().unwrap(),
            "{name}: both doors agree"
        );
    }
    let oversized = vec![b' '; PROOF_BYTES_MAX + 1];
    let (status, problem) = tracker.post("/api/v1/proofs", oversized.clone()).await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("$"))
    );
    assert_eq!(
        stream(&mut client, vec![message(oversized)]).await,
        ["invalid"]
    );
    assert_eq!(tracker.projections().await, before);
    let next = agent.work(Category::Toil, now());
    assert_eq!(
        tracker
            .post("/api/v1/proofs", next.bytes().to_vec())
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn bad_enrolments_leave_no_agent() {
    let tracker = Tracker::begin().await;
    let agent = TestAgent::new(1);
    let good = String::from_utf8(agent.enrolment(now())).unwrap();
    let old = agent.enrolment(now().saturating_add(-4000));
    for bytes in [
        Vec::new(),
        b"null".to_vec(),
        good.as_bytes()[..50].to_vec(),
        good.replacen(':', ": ", 1).into_bytes(),
        good.replace("cluster-1", "cluster-2").into_bytes(),
        good.replace("cluster-1", "db1.internal").into_bytes(),
        good.replacen("{\"agent_id\"", "{\"admin\":true,\"agent_id\"", 1)
            .into_bytes(),
        vec![b'['; 1024],
        vec![b'['; 4096],
        old,
    ] {
        let (status, problem) = tracker.post("/api/v1/agents/enroll", bytes).await;
        assert!(status.is_client_error(), "{status}");
        assert!(problem["field"].is_string(), "{problem}");
    }
    assert_eq!(tracker.get("/api/v1/agents").await["agents"], json!([]));
}

#[tokio::test]
async fn wrong_methods_types_and_paths_are_problems() {
    let tracker = Tracker::begin().await;
    let cases = [
        (
            Method::DELETE,
            "/api/v1/proofs",
            "",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::PUT,
            "/api/v1/public/profile",
            "",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::POST,
            "/api/v1/proofs",
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::POST,
            "/api/v1/agents/enroll",
            "",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Method::POST,
            "/api/v1/villages",
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (Method::GET, "/api/v1/nothing", "", StatusCode::NOT_FOUND),
        (
            Method::GET,
            "/api/v1/proofs/not-a-uuid",
            "",
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::GET,
            "/api/v1/ledger?after=-1",
            "",
            StatusCode::BAD_REQUEST,
        ),
        (
            Method::POST,
            "/login",
            "application/json",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
    ];
    for (method, path, media_type, status) in cases {
        let mut request = tracker.owner(method.clone(), path);
        if !media_type.is_empty() {
            request = request.header("content-type", media_type).body("{}");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/problem+json",
            "{path}"
        );
    }
    for body in [
        "",
        "{",
        "{\"url\":1}",
        "{\"url\":\"ftp://x\"}",
        "{\"url\":\"http://x/path\"}",
        "[]",
    ] {
        let request = tracker.owner(Method::POST, "/api/v1/villages");
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
        let answer = answer.unwrap();
        assert!(
            answer.status().is_client_error(),
            "{body}: {}",
            answer.status()
        );
    }
}
