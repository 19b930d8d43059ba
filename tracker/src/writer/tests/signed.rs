//! What others signed, changed afterwards, is found at its place.

use serde_json::{Value, json};

use super::*;
use crate::store::LedgerLine;

/// A ledger with a hand-over of keys, a fork, and a chain that resumed.
async fn contested() -> Vec<LedgerLine> {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    farm.rotate(&mut agent, [77; 32]).await.unwrap();
    let second = agent.work(Category::Toil, friday());
    farm.submit(second.bytes()).await.unwrap();
    let fork = agent.work_after(None, Category::Toil, friday());
    assert_eq!(code(&farm.submit(fork.bytes()).await), "fork");
    let resumes = Some(first.body().proof_id);
    farm.ask_reset(&agent, resumes).await.unwrap();
    farm.writer
        .reset_chain(agent.id, Resumption::AsAsked)
        .await
        .unwrap();
    farm.database.reads().ledger(0, 1_000).await.unwrap()
}

type Change<'a> = &'a dyn Fn(&mut Value);

fn audited(lines: &[LedgerLine], position: u64, change: Change<'_>) -> Vec<u64> {
    let mut audit = Audit::default();
    for line in lines {
        let mut body = line.body.bytes().unwrap().to_vec();
        if line.position == position {
            let mut value = serde_json::from_slice(&body).unwrap();
            change(&mut value);
            body = farmops_protocol::canonical::to_vec(&value).unwrap();
        }
        audit.line(line.position, &line.kind, line.recorded_at, &body);
    }
    let report = audit.into_report();
    report.findings.iter().map(|f| f.position).collect()
}

/// Changes the canonical text in a member as `change` changes its value.
fn inside(member: &str, change: impl Fn(&mut Value)) -> impl Fn(&mut Value) {
    move |body| {
        let mut value = serde_json::from_str(body[member].as_str().unwrap()).unwrap();
        change(&mut value);
        body[member] = String::from_utf8(farmops_protocol::canonical::to_vec(&value).unwrap())
            .unwrap()
            .into();
    }
}

#[tokio::test]
async fn a_changed_signature_hand_over_or_branch_is_found() {
    let lines = contested().await;
    assert!(audited(&lines, 0, &|_| ()).is_empty());
    let stranger = SecretKey::from_bytes([5; 32]).public();
    let other = farmops_protocol::digest::sha256(b"other");
    let later = |value: &mut Value| value["requested_at"] = json!("2026-02-20T09:31:00Z");
    let changes: [(&str, Change<'_>); 9] = [
        ("agent_approved", &|body| {
            body["fingerprint"] = json!(stranger.fingerprint());
        }),
        ("agent_approved", &|body| {
            body["agent_id"] = json!(Uuid::nil());
        }),
        ("key_rotated", &|body| body["new_key"] = json!(stranger)),
        ("key_rotated", &|body| body["place"] = json!(0)),
        ("key_rotated", &inside("rotation", later)),
        ("fork_refused", &|body| body["follows"] = json!(Uuid::nil())),
        (
            "fork_refused",
            &inside("refused", |proof| {
                proof["actor"]["actor_hash"] = json!(other);
            }),
        ),
        ("chain_reset", &|body| body["branch"] = json!(2)),
        ("chain_reset", &inside("asked", later)),
    ];
    for (number, (kind, change)) in changes.into_iter().enumerate() {
        let line = lines.iter().find(|line| line.kind == kind).unwrap();
        let found = audited(&lines, line.position, change);
        assert_eq!(
            found.first(),
            Some(&line.position),
            "{kind}, change {number}"
        );
    }
}
