//! Proofs that do not extend their chain, and agents that may not.

use super::*;

#[tokio::test]
async fn a_proof_under_its_agents_id_is_refused_and_the_chain_goes_on() {
    let farm = Farm::begin().await;
    let mut trusted = farm.trusted(1).await;
    let mut stranger = TestAgent::new(2);
    farm.enrol(&stranger).await.unwrap();
    for agent in [&mut trusted, &mut stranger] {
        let taken = |answer: &Answer| {
            let standing = standing(answer);
            assert!(matches!(standing, Standing::Chained | Standing::Buffered));
        };
        for _ in 0..2 {
            let named = agent.work_as(agent.id, Category::Toil, friday());
            let refused = farm.submit(named.bytes()).await.unwrap_err();
            assert_eq!((refused.code(), refused.field()), ("invalid", "proof_id"));
            let next = agent.work(Category::Toil, friday());
            taken(&farm.submit(next.bytes()).await);
        }
    }
}

#[tokio::test]
async fn strays_are_told_apart_and_leave_evidence_once() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let first = agent.work(Category::Toil, friday());
    let first_head = agent.head;
    let second = agent.work(Category::Toil, friday());
    let chunk = [&first, &second].map(|p| farm.writer.directory().check(p.bytes()));
    farm.writer.submit(chunk.to_vec()).await.unwrap();
    let before = farm.dump().await;

    assert_eq!(
        standing(&farm.submit(first.bytes()).await),
        Standing::Duplicate
    );
    let unknown = TestAgent::new(1).work(Category::Toil, friday());
    let mut ahead = agent.clone();
    ahead.work(Category::Toil, friday());
    let gap = ahead.work(Category::Toil, friday());
    let refused = farm.submit(gap.bytes()).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.head()),
        ("not-the-head", agent.head.as_ref())
    );
    let late = agent.clone().work_after(
        agent.head.as_ref(),
        Category::Toil,
        friday().saturating_add(-1),
    );
    assert_eq!(code(&farm.submit(late.bytes()).await), "back-in-time");
    let future = agent.clone().work_after(
        agent.head.as_ref(),
        Category::Toil,
        friday().saturating_add(301),
    );
    assert_eq!(code(&farm.submit(future.bytes()).await), "future-dated");
    let mut forged = agent.head;
    if let Some(head) = &mut forged {
        head.hash = farmops_protocol::digest::sha256(b"other");
    }
    let wrong = agent
        .clone()
        .work_after(forged.as_ref(), Category::Toil, friday());
    assert_eq!(code(&farm.submit(wrong.bytes()).await), "wrong-hash");
    assert_eq!(
        before,
        farm.dump().await,
        "what was refused leaves no trace"
    );
    drop(unknown);

    for _ in 0..3 {
        let fork = agent.work_after(first_head.as_ref(), Category::Incident, friday());
        assert_eq!(code(&farm.submit(fork.bytes()).await), "fork");
    }
    let genesis = agent.work_after(None, Category::Incident, friday());
    assert_eq!(code(&farm.submit(genesis.bytes()).await), "fork");
    let forks = farm.database.reads().forks().await.unwrap();
    assert_eq!(forks, vec![(agent.id, 2)], "one for each predecessor");
}

#[tokio::test]
async fn a_revoked_agent_and_a_foreign_key_are_refused() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let mut twin = agent.clone();
    twin.key = SecretKey::from_bytes([77; 32]);
    assert_eq!(
        farm.enrol(&twin).await.unwrap_err(),
        WriteError::Refused(Refusal::AgentIdTaken)
    );
    let foreign = twin.work(Category::Toil, friday());
    assert_eq!(code(&farm.submit(foreign.bytes()).await), "bad-signature");
    let good = agent.work(Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(good.bytes()).await),
        Standing::Chained
    );
    let checked: Submission = farm
        .writer
        .directory()
        .check(agent.work(Category::Toil, friday()).bytes())
        .unwrap();
    farm.writer.revoke(agent.id, Since::Now).await.unwrap();
    // Checked before the revocation, decided after it.
    let answer = farm
        .writer
        .submit(vec![Ok(checked)])
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(code(&answer), "agent-revoked");
    assert_eq!(farm.enrol(&agent).await.unwrap(), AgentStatus::Revoked);
}

#[tokio::test]
async fn a_proof_id_stands_in_a_chain_once_and_may_stand_in_another() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let mut waiting = TestAgent::new(2);
    farm.enrol(&waiting).await.unwrap();
    let first = agent.work(Category::Toil, friday());
    farm.submit(first.bytes()).await.unwrap();
    let second = agent.work(Category::Toil, friday());
    farm.submit(second.bytes()).await.unwrap();
    let before = farm.dump().await;
    let reused = agent.work_as(first.body().proof_id, Category::Incident, friday());
    let refused = farm.submit(reused.bytes()).await.unwrap_err();
    assert_eq!((refused.code(), refused.field()), ("invalid", "proof_id"));
    assert_eq!(farm.dump().await, before);
    // An older id that is not in the chain is as good as any.
    let old = agent.work_as(crate::cast::uuid_v7(1, 1), Category::Toil, friday());
    assert_eq!(standing(&farm.submit(old.bytes()).await), Standing::Chained);
    let borrowed = waiting.work_as(first.body().proof_id, Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(borrowed.bytes()).await),
        Standing::Buffered
    );
    waiting.advance(&borrowed);
    let again = waiting.work_as(first.body().proof_id, Category::Incident, friday());
    assert_eq!(code(&farm.submit(again.bytes()).await), "invalid");
    farm.approve(&waiting).await;
    let good = waiting.work(Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(good.bytes()).await),
        Standing::Chained
    );
}
