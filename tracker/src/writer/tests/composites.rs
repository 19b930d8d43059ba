//! Proofs that are worth more together, across agents; and caps, freezes and outages on the way.

use farmops_protocol::proof::ActionType;

use super::*;

/// Work of a given type.
async fn act(farm: &Farm, agent: &mut TestAgent, what: ActionType, when: Timestamp) -> Uuid {
    let head = agent.head;
    let mut body = agent.body_after(head.as_ref(), Category::Toil, when);
    body.action.action_type = what;
    let proof = body.sign(&agent.key).unwrap();
    agent.advance(&proof);
    let answer = farm.submit(proof.bytes()).await;
    assert_eq!(standing(&answer), Standing::Chained);
    proof.body().proof_id
}

/// A composite of one agent.
pub(super) async fn earn_one(farm: &Farm, agent: &mut TestAgent) {
    for what in [
        ActionType::Configure,
        ActionType::Review,
        ActionType::Deploy,
    ] {
        act(farm, agent, what, friday()).await;
    }
}

/// The first part of one.
pub(super) async fn begin_one(farm: &Farm, agent: &mut TestAgent) {
    act(farm, agent, ActionType::Configure, friday()).await;
}

#[tokio::test]
async fn three_agents_earn_a_composite_once() {
    let farm = Farm::begin().await;
    let (mut plan, mut review, mut deploy) = (
        farm.trusted(1).await,
        farm.trusted(2).await,
        farm.trusted(3).await,
    );
    let start = friday().saturating_add(-7_200);
    let first = act(&farm, &mut plan, ActionType::Configure, start).await;
    let second = act(
        &farm,
        &mut review,
        ActionType::Review,
        start.saturating_add(60),
    )
    .await;
    let farm = farm.restart().await;
    let before = farm.coins().await;
    let third = act(
        &farm,
        &mut deploy,
        ActionType::Deploy,
        start.saturating_add(120),
    )
    .await;
    let earned = farm.database.reads().composites(10).await.unwrap();
    assert_eq!(earned.len(), 1);
    assert_eq!(earned[0].composite.slug, "careful-change");
    let parts: Vec<_> = earned[0]
        .composite
        .parts
        .iter()
        .map(|p| p.proof_id)
        .collect();
    assert_eq!(parts, [first, second, third]);
    let proof = farm
        .database
        .reads()
        .proof(third, None)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(farm.coins().await - before, proof.row.score.coins + 40);
    // Nothing is left for another one.
    act(
        &farm,
        &mut deploy,
        ActionType::Deploy,
        start.saturating_add(180),
    )
    .await;
    assert_eq!(farm.database.reads().composites(10).await.unwrap().len(), 1);
    let view = farm.view().await;
    assert_eq!(view.composites, 1);

    // Without one of its parts it does not count.
    let since = Since::After(None);
    farm.writer.revoke(review.id, since).await.unwrap();
    let after = farm.view().await;
    assert_eq!(after.composites, 0);
    let lost = farm
        .database
        .reads()
        .proof(second, None)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        view.coins.earned - after.coins.earned,
        lost.row.score.coins + 40
    );
    assert!(!farm.database.reads().composites(10).await.unwrap()[0].counts);
    let before = farm.dump().await;
    let mut journal = farm.database.stranger().await;
    journal
        .rebuild(&SaltSource::new(SECRET), &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(before, farm.dump().await);
}

#[tokio::test]
async fn a_day_brings_no_more_than_its_cap() {
    let farm = Farm::begin().await;
    let mut rules = RuleSet::default();
    rules.caps.per_day = Some(50);
    let decide =
        move |state: &State, _| Ok(decide_rules(state, rules.clone()).into_iter().collect());
    farm.writer.decide(decide, |_| ()).await.unwrap();
    let mut agent = farm.trusted(1).await;
    for what in [
        ActionType::Configure,
        ActionType::Review,
        ActionType::Deploy,
        ActionType::Fix,
    ] {
        act(&farm, &mut agent, what, friday()).await;
    }
    assert_eq!(farm.coins().await, 50);
    let monday = friday().saturating_add(-4 * 86_400);
    let mut other = farm.trusted(2).await;
    act(&farm, &mut other, ActionType::Fix, monday).await;
    assert!(farm.coins().await > 50, "another day has its own");
}

#[tokio::test]
async fn a_missed_day_uses_a_freeze_and_a_silent_one_does_not() {
    let day = |n: i64| friday().saturating_add((n - 4) * 86_400);
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    // Monday, Tuesday, Thursday.
    for n in [0, 1, 3] {
        act(&farm, &mut agent, ActionType::Fix, day(n)).await;
    }
    let view = farm.view().await;
    assert_eq!((view.streak.days, view.freezes_held(day(3))), (3, 1));
}
