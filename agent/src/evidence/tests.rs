//! What the farmer is told, and the exit status.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use farmops_service::secret_file;
use serde_json::json;

use super::*;
use crate::store::Store;
use crate::store::tests::{draft_of, intake, meddle, now, reader};

/// A configuration whose data folder holds one proof; gives its id.
async fn farm(folder: &Path) -> (AgentConfig, Uuid) {
    let file = folder.join("agent.yaml");
    let config = json!({"cluster_alias": "a", "tracker_url": "http://127.0.0.1:1",
        "data_dir": folder, "farmer": {"name": "alice"}});
    std::fs::write(&file, config.to_string()).unwrap();
    let config = AgentConfig::load(Some(&file), [], json!({})).unwrap();
    let store = Store::open(folder, Bounds::default()).await.unwrap();
    let intake = intake(&[r#"{"pod":"web-7"}"#]);
    store.accept(&intake, &reader(), now()).await.unwrap();
    let waiting = store.next_for("a/b").await.unwrap().unwrap();
    let draft = draft_of(None, 1, &waiting);
    store.chain(waiting.seq, &draft, now()).await.unwrap();
    store.close().await;
    // The key that the draft is signed with.
    secret_file::write_once(&folder.join(KEY_FILE), &[7; 32]).unwrap();
    (config, draft.head.proof_id)
}

async fn ask(config: &AgentConfig, proof: Uuid, raw: bool) -> (Value, Ending) {
    let command = EvidenceCommand {
        proof: Some(proof),
        json: true,
        raw,
        command: None,
    };
    let (text, ending) = run(config, &command).await.unwrap();
    (serde_json::from_str(&text).unwrap(), ending)
}

#[tokio::test]
async fn a_proof_is_shown_with_what_it_rests_on() {
    let folder = tempfile::tempdir().unwrap();
    let (config, proof) = farm(folder.path()).await;
    let (told, ending) = ask(&config, proof, false).await;
    assert_eq!(ending, Ending::Good);
    assert_eq!(told["verified"], true);
    assert_eq!(told["signature"]["state"], "valid");
    assert_eq!(told["evidence"]["json"]["evidence"], "Klabautermann-1");
    assert_eq!(
        told["computed_hash"],
        told["proof"]["outcome"]["evidence_hash"]
    );
    assert!(told.get("observation").is_none(), "only with --raw");
    let (told, _) = ask(&config, proof, true).await;
    assert_eq!(told["observation"]["payload"]["json"]["pod"], "web-7");
    let command = EvidenceCommand {
        proof: Some(proof),
        json: false,
        raw: true,
        command: None,
    };
    let (text, _) = run(&config, &command).await.unwrap();
    assert!(
        text.ends_with("VERIFIED") && text.contains("web-7"),
        "{text}"
    );
    // After a rotation the key that signed is still known.
    secret_file::replace(&folder.path().join(KEY_FILE), &[8; 32]).unwrap();
    let (told, ending) = ask(&config, proof, false).await;
    assert_eq!(
        (&told["signature"]["state"], ending),
        (&json!("valid-of-earlier-key"), Ending::Good)
    );
}

#[tokio::test]
async fn what_does_not_fit_is_told_by_what_differs() {
    let folder = tempfile::tempdir().unwrap();
    let (config, proof) = farm(folder.path()).await;
    secret_file::replace(&folder.path().join(KEY_FILE), &[8; 32]).unwrap();
    meddle(folder.path(), "UPDATE proofs SET signer = NULL").await;
    let (told, ending) = ask(&config, proof, false).await;
    assert_eq!(
        (&told["signature"]["state"], ending),
        (&json!("invalid"), Ending::Differs)
    );
    secret_file::replace(&folder.path().join("evidence.key"), &[9; 32]).unwrap();
    let (told, ending) = ask(&config, proof, false).await;
    assert_eq!(ending, Ending::OtherKey);
    assert!(
        told["reason"].as_str().unwrap().contains("another key"),
        "{told}"
    );
    meddle(folder.path(), "DELETE FROM evidence").await;
    let (told, ending) = ask(&config, proof, false).await;
    assert_eq!(ending, Ending::Gone);
    assert!(
        told["reason"]
            .as_str()
            .unwrap()
            .contains("evidence.days_max 30"),
        "{told}"
    );
    let (told, ending) = ask(&config, Uuid::nil(), false).await;
    assert_eq!(ending, Ending::Gone);
    assert!(
        told["reason"]
            .as_str()
            .unwrap()
            .contains("limits.proofs_kept_max"),
        "{told}"
    );
}

#[tokio::test]
async fn evidence_that_hashes_to_something_else_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (_, proof) = farm(folder.path()).await;
    let reader = Reader::open(folder.path(), None).await.unwrap();
    let known = reader.proof(proof).await.unwrap().unwrap();
    let mut kept = reader.evidence(proof).await.unwrap().unwrap().unwrap();
    kept.evidence.push(b' ');
    let (body, signature) = check_signature(&known, None).unwrap();
    let shown = Shown::new(&body, signature, &kept, false);
    assert!(!shown.verified);
    assert!(
        shown.text().contains("DIFFERS: the evidence"),
        "{}",
        shown.text()
    );
}

#[test]
fn bounds_that_cannot_work_are_named() {
    let config = EvidenceConfig {
        bytes_max: 1,
        ..EvidenceConfig::default()
    };
    assert_eq!(config.check().unwrap_err().0, "evidence.bytes_max");
}
