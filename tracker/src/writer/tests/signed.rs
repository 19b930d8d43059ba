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

/// A database that says the same everywhere, in its log too, but made with another body of this event.
async fn retold(farm: &Farm, position: u64, change: Change<'_>) -> Vec<(u64, String)> {
    let lines = farm.database.reads().ledger(0, 10_000).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/retold.db", folder.path().display());
    let database = Database::open(&url).await.unwrap();
    database.keep_secrets([super::fsck::FARM_KEY, SECRET]).await;
    let mut journal = database.journal().await.unwrap();
    let (mut state, mut log) = (State::default(), Log::default());
    for line in lines {
        let mut body = line.body.bytes().unwrap().to_vec();
        if line.position == position {
            let mut value = serde_json::from_slice(&body).unwrap();
            change(&mut value);
            body = farmops_protocol::canonical::to_vec(&value).unwrap();
        }
        let entry = Entry {
            position: line.position,
            recorded_at: line.recorded_at,
            event: Event::read(&line.kind, &body).unwrap(),
        };
        let (from, mut changes) = (log.head(), crate::domain::Changes::default());
        let entered = enter(&mut state, &mut log, &SaltSource::new(SECRET), &entry);
        changes.note(&state, &entry, entered.applied);
        let batch = Batch {
            entries: &[entry],
            changes: Some((&state, &changes)),
            log: Some(Growth {
                from,
                log: &log,
                tiles: &entered.tiles,
            }),
            ..Batch::default()
        };
        journal.commit(&batch).await.unwrap();
    }
    let report = super::fsck::checked(&url).await;
    let findings = report.findings.into_iter();
    findings.map(|f| (f.position, f.reason)).collect()
}

/// A position, a change to what is there, and what is said of it.
type Wrong<'a> = (u64, Change<'a>, &'a str);

/// A tracker that signs what is false about what it has itself is found out.
#[tokio::test]
async fn what_a_revocation_a_reset_and_a_composite_say_is_worked_out_again() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    super::composites::earn_one(&farm, &mut agent).await;
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    for _ in 0..2 {
        let proof = agent.work(Category::Incident, friday());
        farm.submit(proof.bytes()).await.unwrap();
    }
    let resumes = Some(first.body().proof_id);
    let after = Resumption::After(resumes);
    farm.writer.reset_chain(agent.id, after).await.unwrap();
    // Now everything counts that was accepted, on the branch that was left as well.
    farm.writer.revoke(agent.id, Since::Now).await.unwrap();
    let kept = farm.view().await.coins;
    farm.writer
        .revoke(agent.id, Since::After(resumes))
        .await
        .unwrap();
    assert!(farm.view().await.coins.earned < kept.earned);
    let reads = farm.database.reads();
    let rows = reads.proofs(&ProofFilter::default(), 100).await.unwrap();
    assert_eq!(rows.iter().filter(|record| !record.row.counts).count(), 2);
    let lines = reads.ledger(0, 10_000).await.unwrap();
    let last_of = |kind: &str| {
        lines
            .iter()
            .rfind(|line| line.kind == kind)
            .unwrap()
            .position
    };
    assert_eq!(retold(&farm, 0, &|_| ()).await, []);
    let (revoked, reset, composite) = (
        last_of("agent_revoked"),
        last_of("chain_reset"),
        last_of("composite_earned"),
    );
    let wrong: [Wrong<'_>; 6] = [
        (
            revoked,
            &|body| body["withdrawn"][0]["coins"] = json!(1),
            "taken back",
        ),
        (revoked, &|body| body["withdrawn"] = json!([]), "taken back"),
        (
            revoked,
            &|body| body["last_good_proof"] = json!(Uuid::nil()),
            "none of this agent's",
        ),
        (
            reset,
            &|body| body["resumes_at"]["length"] = json!(2),
            "resumes",
        ),
        (
            composite,
            &|body| body["coins"] = json!(9_000),
            "not the one",
        ),
        (
            composite,
            &|body| body["parts"].as_array_mut().unwrap().reverse(),
            "not the one",
        ),
    ];
    for (position, change, reason) in wrong {
        let found = retold(&farm, position, change).await;
        let here = found.iter().find(|(at, _)| *at == position);
        assert!(
            here.is_some_and(|(_, told)| told.contains(reason)),
            "{reason} at {position}: {found:?}"
        );
    }
}
