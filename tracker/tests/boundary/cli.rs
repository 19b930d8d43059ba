//! The command line against a running tracker.

use farmops_protocol::proof::Category;
use serde_json::Value;
use tokio::process::Command;

use crate::{
    cast::TestAgent,
    server::{Tracker, now},
};

/// Runs the program; whether it succeeded, what it printed, and what it complained about.
async fn run(tracker: &Tracker, args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(args)
        .args(["--url", &tracker.base, "--token-file"])
        .arg(tracker.folder.path().join("owner.token"))
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn the_owner_approves_looks_and_verifies() {
    let tracker = Tracker::begin().await;
    let mut agent = TestAgent::new(1);
    tracker.enrol(&agent).await;
    let (ok, listed, _) = run(&tracker, &["agents", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert!(ok && listed["agents"][0]["status"] == "pending");
    let id = agent.id.to_string();
    let (ok, _, complaint) = run(
        &tracker,
        &["agents", "approve", &id, "--fingerprint", "1234"],
    )
    .await;
    assert!(!ok && complaint.contains("fingerprint"), "{complaint}");
    let fingerprint = agent.key.public().fingerprint().to_string();
    let (ok, said, _) = run(
        &tracker,
        &["agents", "approve", &id, "--fingerprint", &fingerprint],
    )
    .await;
    assert!(ok && said.contains("is approved"));
    let proof = agent.work(Category::Upgrade, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let proof_id = proof.body().proof_id.to_string();
    let (_, listed, _) = run(&tracker, &["proofs", "list", "--category", "upgrade"]).await;
    assert!(listed.contains(&proof_id));
    let (_, shown, _) = run(&tracker, &["proofs", "show", &proof_id]).await;
    assert!(shown.contains(std::str::from_utf8(proof.bytes()).unwrap()));
    let (ok, report, _) = run(&tracker, &["proofs", "verify", "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(ok && report["proofs"] == 1 && report["findings"] == serde_json::json!([]));
    let (ok, said, _) = run(&tracker, &["agents", "revoke", &id]).await;
    assert!(ok && said.contains("is revoked"));
    let (ok, _, complaint) = run(&tracker, &["follow", "not a handle"]).await;
    assert!(!ok && complaint.contains("handle"), "{complaint}");
    let (ok, _, complaint) = run(&tracker, &["join", "http://orchard.localhost:1"]).await;
    assert!(!ok && complaint.contains("does not answer"), "{complaint}");
}

#[tokio::test]
async fn an_unknown_setting_is_named_with_what_was_meant() {
    let output = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["--public-url", "http://alice.localhost:1"])
        .env("FARMOPS_HANDEL", "alice")
        .output()
        .await
        .unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        complaint.contains("FARMOPS_HANDEL") && complaint.contains("`handle`"),
        "{complaint}"
    );
}
