//! Agents that wait for approval.

use super::*;

#[tokio::test]
async fn buffered_proofs_count_in_chain_order_after_approval_and_a_restart() {
    let farm = Farm::begin().await;
    let mut agent = TestAgent::new(1);
    farm.enrol(&agent).await.unwrap();
    let mut sent = Vec::new();
    for n in 0..5 {
        let proof = agent.work(Category::Security, friday().saturating_add(n));
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Buffered
        );
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Duplicate
        );
        sent.push(proof);
    }
    let farm = farm.restart().await;
    assert_eq!(farm.coins().await, 0);
    assert_eq!(
        standing(&farm.submit(sent[1].bytes()).await),
        Standing::Duplicate
    );
    let gap = TestAgent::new(1).work_after(agent.head.as_ref(), Category::Toil, friday());
    assert!(
        farm.submit(gap.bytes()).await.is_err(),
        "it lies before the head in time"
    );
    let wrong = TestAgent::new(9).key.public().fingerprint();
    let refused = farm.writer.approve(agent.id, wrong).await.unwrap_err();
    assert!(matches!(
        refused,
        WriteError::Refused(Refusal::FingerprintDiffers)
    ));
    let answer = farm.approve(&agent).await;
    assert_eq!(answer.head, agent.head);
    assert!(farm.coins().await > 0);
    let kept = farm
        .database
        .reads()
        .proofs(&ProofFilter::default(), 10)
        .await
        .unwrap();
    let ids: Vec<_> = kept
        .iter()
        .rev()
        .map(|record| record.row.proof_id)
        .collect();
    assert_eq!(
        ids,
        sent.iter().map(|p| p.body().proof_id).collect::<Vec<_>>()
    );
    let farm = farm.restart().await;
    assert_eq!(
        standing(&farm.submit(sent[4].bytes()).await),
        Standing::Duplicate
    );
    let coins = farm.coins().await;
    farm.approve(&agent).await;
    assert_eq!(farm.coins().await, coins, "approving twice counts once");
}

#[tokio::test]
async fn the_buffer_refuses_more_and_forgets_nothing() {
    let bounds = BufferBounds {
        proofs_max: 3,
        agents_max: 2,
        ..BufferBounds::default()
    };
    let farm = Farm::with_buffer(bounds).await;
    let mut agent = TestAgent::new(1);
    farm.enrol(&agent).await.unwrap();
    for _ in 0..3 {
        let proof = agent.work(Category::Toil, friday());
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Buffered
        );
    }
    let fourth = agent.work(Category::Toil, friday());
    assert_eq!(code(&farm.submit(fourth.bytes()).await), "buffer-full");
    farm.enrol(&TestAgent::new(2)).await.unwrap();
    let crowd = farm.enrol(&TestAgent::new(3)).await.unwrap_err();
    assert!(matches!(
        crowd,
        WriteError::Refused(Refusal::TooManyPending(2))
    ));
    farm.approve(&agent).await;
    assert_eq!(
        standing(&farm.submit(fourth.bytes()).await),
        Standing::Chained
    );
}

#[tokio::test]
async fn who_waits_in_vain_makes_room_and_who_was_heard_or_sent_something_does_not() {
    let bounds = BufferBounds {
        agents_max: 3,
        days_max: 7,
        ..BufferBounds::default()
    };
    let farm = Farm::with_buffer(bounds).await;
    let (silent, alive) = (TestAgent::new(1), TestAgent::new(2));
    let (mut sent, real) = (TestAgent::new(3), TestAgent::new(4));
    for agent in [&silent, &alive, &sent] {
        farm.enrol(agent).await.unwrap();
    }
    let proof = sent.work(Category::Toil, friday());
    let answer = farm.submit(proof.bytes()).await;
    assert_eq!(standing(&answer), Standing::Buffered);
    farm.wait(7);
    farm.enrol(&alive).await.unwrap();
    let full = farm.enrol(&real).await.unwrap_err();
    assert!(matches!(
        full,
        WriteError::Refused(Refusal::TooManyPending(3))
    ));
    farm.wait(1);
    assert_eq!(farm.enrol(&real).await, Ok(AgentStatus::Pending));
    assert_eq!(farm.enrol(&silent).await, Ok(AgentStatus::Revoked));
    for agent in [&alive, &sent] {
        assert_eq!(farm.enrol(agent).await, Ok(AgentStatus::Pending));
    }
    // The silence before its owner trusts an agent is no outage.
    farm.wait(3);
    farm.approve(&alive).await;
    farm.enrol(&alive).await.unwrap();
    let outages = async || {
        let lines = farm.database.reads().ledger(0, 100).await.unwrap();
        lines
            .iter()
            .filter(|line| line.kind == "agent_outage")
            .count()
    };
    assert_eq!(outages().await, 0);
    farm.wait(1);
    farm.enrol(&alive).await.unwrap();
    assert_eq!(outages().await, 1);
}

#[tokio::test]
async fn the_buffer_holds_so_many_bytes_and_waits_so_many_days() {
    let mut agent = TestAgent::new(1);
    let proofs: Vec<_> = (0..4)
        .map(|n| agent.work(Category::Toil, friday().saturating_add(n)))
        .collect();
    let room = proofs[..2].iter().map(|p| p.bytes().len() as u64).sum();
    // Exactly two proofs fit; with the bytes of the third, three.
    for (bytes_max, kept) in [(room, 2), (room + proofs[2].bytes().len() as u64, 3)] {
        let bounds = BufferBounds {
            bytes_max,
            ..BufferBounds::default()
        };
        let farm = Farm::with_buffer(bounds).await;
        farm.enrol(&agent).await.unwrap();
        for (n, proof) in proofs.iter().enumerate() {
            let answer = farm.submit(proof.bytes()).await;
            if n < kept {
                assert_eq!(standing(&answer), Standing::Buffered, "{n} of {kept}");
            } else if n == kept {
                assert_eq!(code(&answer), "buffer-full");
            }
        }
        farm.approve(&agent).await;
        let view = farm.view().await;
        let counted: u64 = view.categories.values().map(|totals| totals.proofs).sum();
        assert_eq!(counted, kept as u64);
    }

    let bounds = BufferBounds {
        days_max: 7,
        ..BufferBounds::default()
    };
    let farm = Farm::with_buffer(bounds).await;
    farm.enrol(&agent).await.unwrap();
    let answer = farm.submit(proofs[0].bytes()).await;
    assert_eq!(standing(&answer), Standing::Buffered);
    farm.wait(7);
    let answer = farm.submit(proofs[1].bytes()).await;
    assert_eq!(standing(&answer), Standing::Buffered);
    farm.wait(1);
    assert_eq!(code(&farm.submit(proofs[2].bytes()).await), "buffer-full");
    // Nothing that was taken is forgotten, however long it waits.
    farm.wait(100);
    farm.approve(&agent).await;
    for (proof, expected) in [(0, Standing::Duplicate), (2, Standing::Chained)] {
        let answer = farm.submit(proofs[proof].bytes()).await;
        assert_eq!(standing(&answer), expected);
    }
}
