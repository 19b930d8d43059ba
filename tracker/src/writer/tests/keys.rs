//! Keys that change, trust that ends in the past, chains that resume earlier.

use super::*;

#[tokio::test]
async fn after_a_rotation_only_the_new_key_signs() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    let before = agent.clone();
    farm.rotate(&mut agent, [77; 32]).await.unwrap();
    let mut stale = before.clone();
    let refused = stale.work(Category::Toil, friday());
    assert_eq!(code(&farm.submit(refused.bytes()).await), "bad-signature");
    let second = agent.work(Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(second.bytes()).await),
        Standing::Chained
    );
    // What the former key signed and the chain has is acknowledged again.
    assert_eq!(
        standing(&farm.submit(first.bytes()).await),
        Standing::Duplicate
    );
    // Whoever missed the answer asks again, and anyone else is refused.
    let new = SecretKey::from_bytes([77; 32]);
    let again = KeyRotation::sign(agent.id, before.head.as_ref(), &before.key, &new, friday());
    let again = ParsedKeyRotation::parse(&again.unwrap()).unwrap();
    farm.writer.rotate(again).await.unwrap();
    let mut thief = agent.clone();
    thief.key = SecretKey::from_bytes([66; 32]);
    assert!(farm.rotate(&mut thief, [67; 32]).await.is_err());
    let back = farm.rotate(&mut agent, [1; 32]).await.unwrap_err();
    assert!(matches!(back, WriteError::Refused(refusal) if refusal.field() == "new_key"));
    // Every proof holds under the key of its place.
    let mut audit = Audit::default();
    for line in farm.database.reads().ledger(0, 1_000).await.unwrap() {
        audit.line(
            line.position,
            &line.kind,
            line.recorded_at,
            line.body.bytes().unwrap(),
        );
    }
    let view = farm.view().await;
    let report = audit.finish(view.coins.earned, view.ledger_size);
    assert_eq!(report.findings, vec![]);
}

#[tokio::test]
async fn a_key_is_replaced_so_often_and_no_more() {
    let farm = Farm::begin().await;
    let mut agent = TestAgent::new(100);
    farm.enrol(&agent).await.unwrap();
    let fits = |error: &WriteError, code: &str, again: bool| {
        let WriteError::Refused(refusal) = error else {
            panic!("{error}")
        };
        assert_eq!((refusal.code(), refusal.field()), (code, "new_key"));
        assert_eq!(refusal.retry_after_seconds().is_some(), again);
    };
    let key = |n: u8| [n, 1].repeat(16).try_into().unwrap();
    for n in 0..8 {
        farm.rotate(&mut agent, key(n)).await.unwrap();
    }
    let refused = farm.rotate(&mut agent, key(8)).await.unwrap_err();
    fits(&refused, "too-many-keys", true);
    let size = farm.view().await.ledger_size;
    // What is in force is acknowledged as ever.
    let (old, new) = (SecretKey::from_bytes(key(6)), SecretKey::from_bytes(key(7)));
    let again = KeyRotation::sign(agent.id, None, &old, &new, farm.now()).unwrap();
    let again = ParsedKeyRotation::parse(&again).unwrap();
    farm.writer.rotate(again).await.unwrap();
    assert_eq!(farm.view().await.ledger_size, size);
    farm.approve(&agent).await;
    for n in 8..64 {
        farm.rotate(&mut agent, key(n)).await.unwrap();
    }
    let refused = farm.rotate(&mut agent, key(64)).await.unwrap_err();
    fits(&refused, "too-many-keys", false);
}

#[tokio::test]
async fn a_pending_agent_may_rotate_and_its_buffer_keeps_its_keys() {
    let farm = Farm::begin().await;
    let mut agent = TestAgent::new(1);
    farm.enrol(&agent).await.unwrap();
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    farm.rotate(&mut agent, [77; 32]).await.unwrap();
    let second = agent.work(Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(second.bytes()).await),
        Standing::Buffered
    );
    farm.approve(&agent).await;
    assert_eq!(farm.view().await.categories[&Category::Toil].proofs, 2);
    let mut audit = Audit::default();
    for line in farm.database.reads().ledger(0, 1_000).await.unwrap() {
        audit.line(
            line.position,
            &line.kind,
            line.recorded_at,
            line.body.bytes().unwrap(),
        );
    }
    assert_eq!(audit.into_report().findings, vec![]);
}

#[tokio::test]
async fn a_revocation_takes_back_what_came_after_the_last_good_proof() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let mut other = farm.trusted(2).await;
    let start = friday().saturating_add(-4 * 86_400);
    let mut then = Vec::new();
    for n in 0..4 {
        let when = start.saturating_add(n * 86_400);
        let proof = agent.work(Category::Incident, when);
        farm.submit(proof.bytes()).await.unwrap();
        then.push((proof.body().proof_id, farm.view().await));
    }
    let kept = other.work(Category::Toil, start);
    farm.submit(kept.bytes()).await.unwrap();
    let toil = farm.view().await.categories[&Category::Toil].coins;
    let whole = farm.view().await;
    assert_eq!(whole.streak.days, 4);
    let (second, as_then) = &then[1];
    let unknown = Since::After(Some(Uuid::nil()));
    assert!(farm.writer.revoke(agent.id, unknown).await.is_err());
    farm.writer
        .revoke(agent.id, Since::After(Some(*second)))
        .await
        .unwrap();
    let view = farm.view().await;
    assert_eq!(view.coins.earned, as_then.coins.earned + toil);
    assert_eq!(view.streak, as_then.streak);
    assert_eq!(
        view.categories[&Category::Incident].coins,
        as_then.categories[&Category::Incident].coins
    );
    // It may reach further back later, not less far.
    farm.writer
        .revoke(agent.id, Since::After(Some(then[3].0)))
        .await
        .unwrap();
    assert_eq!(farm.view().await.coins, view.coins);
    farm.writer
        .revoke(agent.id, Since::After(None))
        .await
        .unwrap();
    assert_eq!(farm.view().await.coins.earned, toil);
    let rows = farm
        .database
        .reads()
        .proofs(&ProofFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(rows.iter().filter(|record| record.row.counts).count(), 1);
}

#[tokio::test]
async fn a_chain_resumes_where_its_owner_lets_it_and_keeps_both_branches() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    // An old copy of the volume: it knows nothing of the second proof.
    let mut restored = agent.clone();
    let lost = agent.work(Category::Toil, friday());
    farm.submit(lost.bytes()).await.unwrap();
    let branched = restored.work_as(
        crate::cast::uuid_v7(1_900_000_000_000, 9),
        Category::Toil,
        friday(),
    );
    assert_eq!(code(&farm.submit(branched.bytes()).await), "fork");
    let resumes = Some(first.body().proof_id);
    let answer = farm.ask_reset(&restored, resumes).await.unwrap();
    assert!(answer.reset_waiting && answer.branch.value() == 0);
    assert_eq!(
        code(&farm.submit(branched.bytes()).await),
        "fork",
        "only the owner decides"
    );
    let farm = farm.restart().await;
    let answer = farm
        .writer
        .reset_chain(agent.id, Resumption::AsAsked)
        .await
        .unwrap();
    assert!(!answer.reset_waiting && answer.branch.value() == 1);
    assert_eq!(answer.head.map(|head| head.proof_id), resumes);
    assert_eq!(
        standing(&farm.submit(branched.bytes()).await),
        Standing::Chained
    );
    assert_eq!(farm.view().await.categories[&Category::Toil].proofs, 3);
    // The old branch is still known, and ended.
    assert_eq!(
        standing(&farm.submit(lost.bytes()).await),
        Standing::Duplicate
    );
    restored.advance(&branched);
    let unknown = farm
        .ask_reset(&restored, Some(Uuid::nil()))
        .await
        .unwrap_err();
    assert!(matches!(unknown, WriteError::Refused(refusal) if refusal.field() == "resumes_after"));
    assert!(
        farm.writer
            .reset_chain(agent.id, Resumption::AsAsked)
            .await
            .is_err()
    );
    let mut audit = Audit::default();
    for line in farm.database.reads().ledger(0, 1_000).await.unwrap() {
        audit.line(
            line.position,
            &line.kind,
            line.recorded_at,
            line.body.bytes().unwrap(),
        );
    }
    assert_eq!(audit.into_report().findings, vec![]);
}

#[tokio::test]
async fn a_chain_goes_on_at_its_end_for_an_agent_whose_proofs_the_tracker_lost() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    let end = Some(first.body().proof_id);
    // The owner alone has no reason to open a branch where the chain ends.
    let after = || Resumption::After(end);
    let answer = farm.writer.reset_chain(agent.id, after()).await.unwrap();
    assert_eq!(answer.branch.value(), 0);
    // What followed the first proof is with nobody any more.
    let known = agent.clone();
    agent.work(Category::Toil, friday());
    let next = agent.work(Category::Toil, friday());
    assert_eq!(code(&farm.submit(next.bytes()).await), "not-the-head");
    let lost = next.body().prev_proof_id;
    let refused = farm.ask_reset(&agent, lost).await.unwrap_err();
    assert!(matches!(refused, WriteError::Refused(refusal) if refusal.field() == "resumes_after"));
    assert!(farm.ask_reset(&agent, end).await.unwrap().reset_waiting);
    let answer = farm
        .writer
        .reset_chain(agent.id, Resumption::AsAsked)
        .await
        .unwrap();
    assert_eq!((answer.branch.value(), answer.reset_waiting), (1, false));
    assert_eq!(answer.head.map(|head| head.proof_id), end);
    let again = known
        .clone()
        .work_as(next.body().proof_id, Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(again.bytes()).await),
        Standing::Chained
    );
    let view = farm.view().await;
    assert_eq!(view.categories[&Category::Toil].proofs, 2);
}

#[tokio::test]
async fn a_pending_agents_request_waits_for_its_approval() {
    let farm = Farm::begin().await;
    let mut agent = TestAgent::new(1);
    farm.enrol(&agent).await.unwrap();
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    let end = Some(first.body().proof_id);
    let unknown = farm.ask_reset(&agent, Some(Uuid::nil())).await;
    assert!(unknown.is_err());
    assert!(farm.ask_reset(&agent, end).await.unwrap().reset_waiting);
    let grant = || farm.writer.reset_chain(agent.id, Resumption::AsAsked);
    let early = grant().await.unwrap_err();
    assert!(matches!(early, WriteError::Refused(Refusal::AgentPending)));
    assert!(farm.approve(&agent).await.reset_waiting, "it waits on");
    let answer = grant().await.unwrap();
    assert_eq!((answer.branch.value(), answer.reset_waiting), (1, false));
    // Who is sent away asks for nothing any more.
    let stranger = TestAgent::new(2);
    farm.enrol(&stranger).await.unwrap();
    assert!(farm.ask_reset(&stranger, None).await.unwrap().reset_waiting);
    let answer = farm.writer.dismiss(stranger.id).await.unwrap();
    assert!(!answer.reset_waiting);
    let farm = farm.restart().await;
    let agents = farm.database.reads().agents().await.unwrap();
    assert!(agents.iter().all(|agent| agent.reset_asked.is_none()));
    assert!(farm.ask_reset(&stranger, None).await.is_err(), "revoked");
}
