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

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let tracker = Tracker::begin().await;
    let (ok, report, _) = run(&tracker, &["doctor", "--json"]).await;
    let report: Value = serde_json::from_str(&report).unwrap();
    let state = |report: &Value, check: &str| {
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("{check} was not looked at: {report}"))["state"].clone()
    };
    assert!(ok, "{report}");
    assert_eq!(state(&report, "tracker"), "ok");
    assert_eq!(state(&report, "token"), "ok");
    assert_eq!(state(&report, "agents"), "look", "none has enrolled");
    tracker.enrol(&TestAgent::new(1)).await;
    let (_, report, _) = run(&tracker, &["doctor"]).await;
    assert!(report.contains("1 wait for your approval"), "{report}");

    let nowhere = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["doctor", "--json", "--url", "http://127.0.0.1:1"])
        .current_dir(tracker.folder.path())
        .output()
        .await
        .unwrap();
    assert!(!nowhere.status.success());
    let report: Value = serde_json::from_slice(&nowhere.stdout).unwrap();
    assert_eq!(state(&report, "tracker"), "wrong");
}

#[tokio::test]
async fn completions_and_man_pages_come_from_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farmops-tracker"));
        command.args(args).current_dir(folder.path());
        command
    };
    for shell in ["bash", "zsh", "fish"] {
        let script = tracker(&["completions", shell]).output().await.unwrap();
        let script = String::from_utf8(script.stdout).unwrap();
        assert!(script.contains("approve") && script.contains("doctor"));
    }
    assert!(tracker(&["man", "pages"]).status().await.unwrap().success());
    let page = folder.path().join("pages/farmops-tracker-agents-approve.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("fingerprint"), "{page}");
}
