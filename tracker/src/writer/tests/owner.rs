//! The owner's own decisions: buying, rest, rules, leagues.

use farmops_farm::catalogue::Catalogue;
use farmops_ledger::{CompositeEarned, CompositePart, ItemPurchased};
use farmops_protocol::key::Fingerprint;

use super::*;

/// A farm whose agent has earned some coins.
async fn rich(coins: u64) -> (Farm, TestAgent) {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let mut when = friday().saturating_add(-10 * 86_400);
    while farm.coins().await < coins {
        let proof = agent.work(Category::Incident, when);
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Chained
        );
        when = when.saturating_add(600);
    }
    (farm, agent)
}

/// The cheapest thing that is sold to this farm now.
pub(super) fn cheapest(view: &FarmView) -> (String, u64) {
    let customer = farmops_farm::shop::Customer {
        owned: &view.upgrades,
        farm_level: view.level(),
        balance: view.coins.current(),
        season: farmops_farm::shop::season_at(friday()),
    };
    let offers =
        farmops_farm::shop::offers(farmops_farm::catalogue::Catalogue::builtin(), &customer);
    let sold = offers.into_iter().filter_map(|offer| offer.decision.ok());
    let cheapest = sold.min_by_key(|purchase| purchase.price).unwrap();
    (cheapest.item, cheapest.price)
}

#[tokio::test]
async fn a_purchase_happens_once_however_often_it_is_asked_for() {
    let (farm, _) = rich(800).await;
    let before = farm.view().await;
    let (item, price) = cheapest(&before);
    let bought = farm.buy("a", &item).await.unwrap();
    assert_eq!((bought.level, bought.price), (1, price));
    assert_eq!(farm.buy("a", &item).await.unwrap(), bought);
    let after = farm.view().await;
    assert_eq!(after.coins.current(), before.coins.current() - price);
    assert_eq!(after.coins.earned, before.coins.earned);
    // Also when the tracker has forgotten everything but the disk.
    let farm = farm.restart().await;
    assert_eq!(farm.buy("a", &item).await.unwrap(), bought);
    assert_eq!(farm.view().await.coins, after.coins);
    let refusal = farm.buy("a", "something-else").await.unwrap_err();
    assert!(matches!(
        refusal,
        WriteError::Refused(Refusal::KeyReused(_))
    ));
}

#[tokio::test]
async fn no_crowd_of_buyers_spends_more_than_there_is() {
    let (farm, _) = rich(700).await;
    let before = farm.view().await.coins.current();
    let (item, _) = cheapest(&farm.view().await);
    let farm = Arc::new(farm);
    let buyers = (0..1_000).map(|n| {
        let (farm, item) = (farm.clone(), item.clone());
        // Every key is used twice, at the same time.
        tokio::spawn(async move { farm.buy(&format!("{}", n / 2), &item).await })
    });
    let mut bought = Vec::new();
    for buyer in buyers.collect::<Vec<_>>() {
        match buyer.await.unwrap() {
            Ok(purchase) => bought.push(purchase),
            Err(error) => assert!(matches!(error, WriteError::Refused(Refusal::NotForSale(_)))),
        }
    }
    bought.sort_by_key(|purchase| purchase.position);
    bought.dedup();
    let spent: u64 = bought.iter().map(|purchase| purchase.price).sum();
    let after = farm.view().await;
    assert!(spent > 0 && spent <= before);
    assert_eq!(after.coins.current(), before - spent);
    let levels: Vec<_> = bought.iter().map(|purchase| purchase.level).collect();
    assert_eq!(levels, (1..=levels.len() as u64).collect::<Vec<_>>());
    let ledgered = farm.database.reads().purchases().await.unwrap();
    assert_eq!(ledgered, bought);
}

#[tokio::test]
async fn history_keeps_its_scores_when_the_rules_change() {
    let (farm, mut agent) = rich(100).await;
    let before = farm.view().await.coins.earned;
    let mut rules = RuleSet::default();
    rules.base_coins.incident = 1_000;
    let adopted = rules.clone();
    let decide =
        move |state: &State, _| Ok(decide_rules(state, adopted.clone()).into_iter().collect());
    farm.writer.decide(decide, |_| ()).await.unwrap();
    assert_eq!(farm.view().await.coins.earned, before);
    let proof = agent.work(Category::Incident, friday());
    farm.submit(proof.bytes()).await.unwrap();
    assert!(farm.view().await.coins.earned >= before + 1_000);
    let reads = farm.database.reads();
    assert_eq!(reads.rules(None).await.unwrap(), Some(rules));
    let first = RuleSet::default();
    let kept = reads.rules(Some(first.digest())).await.unwrap();
    assert_eq!(kept, Some(first));
}

#[tokio::test]
async fn a_league_is_scored_by_its_own_rules_and_apart() {
    let (farm, mut agent) = rich(100).await;
    let before = farm.view().await.coins.earned;
    join_league(&farm).await;
    let proof = agent.work(Category::Upgrade, friday());
    farm.submit(proof.bytes()).await.unwrap();
    let leagues = farm.database.reads().leagues().await.unwrap();
    assert!(leagues["harvest"].seasons["2026-Q1"] >= 500_000);
    let earned = farm.view().await.coins.earned - before;
    assert!(
        earned < 1_000,
        "the farm's own coins are scored by its own rules"
    );
}

/// Joins a league in which upgrades are worth a fortune.
pub(super) async fn join_league(farm: &Farm) {
    let mut rules = RuleSet::default();
    rules.base_coins.upgrade = 500_000;
    let offer = LeagueOffer {
        league: "harvest".to_owned(),
        name: "Harvest league".to_owned(),
        rules,
        village: None,
    };
    let decide = move |state: &State, _| {
        Ok(decide_join_league(state, offer.clone())?
            .into_iter()
            .collect())
    };
    farm.writer.decide(decide, |_| ()).await.unwrap();
}

/// Marks a day as one of rest; how many there are then.
pub(super) async fn rest_on(farm: &Farm, day: &str) -> Result<usize, WriteError> {
    let day = day.parse().unwrap();
    let decide =
        move |state: &State, now| Ok(decide_rest(state, day, true, now)?.into_iter().collect());
    farm.writer
        .decide(decide, |state| state.known.rest_days.len())
        .await
}

#[tokio::test]
async fn another_calendar_counts_from_tomorrow_on() {
    let farm = Farm::begin().await;
    farm.live_in("Pacific/Apia").await;
    farm.live_in("Pacific/Apia").await;
    assert_eq!(
        farm.view().await.ledger_size,
        3,
        "the same one is no change"
    );
    let days = |view: &FarmView| {
        // In Berlin midnight is at 23:00 by UTC, in Apia at 11:00.
        [
            "2026-02-20T10:59:59Z",
            "2026-02-20T22:59:59Z",
            "2026-02-21T11:00:00Z",
        ]
        .map(|time| view.profile.schedule.day(at(time)).to_string())
    };
    let expected = ["2026-02-20", "2026-02-21", "2026-02-22"];
    assert_eq!(days(&farm.view().await), expected);
    assert_eq!(days(&farm.restart().await.view().await), expected);
}

#[tokio::test]
async fn a_day_of_rest_is_not_far_away() {
    let farm = Farm::begin().await;
    assert_eq!(rest_on(&farm, "2026-02-23").await, Ok(1));
    assert_eq!(rest_on(&farm, "2026-02-23").await, Ok(1));
    for far in ["2025-12-31", "2031-01-01"] {
        let refusal = rest_on(&farm, far).await.unwrap_err();
        assert!(matches!(refusal, WriteError::Refused(refusal) if refusal.field() == "date"));
    }
}

#[tokio::test]
async fn an_agent_that_is_sent_away_takes_its_proofs_with_it() {
    let farm = Farm::begin().await;
    let mut agent = TestAgent::new(1);
    farm.enrol(&agent).await.unwrap();
    let proof = agent.work(Category::Toil, friday());
    assert_eq!(
        standing(&farm.submit(proof.bytes()).await),
        Standing::Buffered
    );
    let answer = farm.writer.dismiss(agent.id).await.unwrap();
    assert_eq!(answer.status, AgentStatus::Revoked);
    assert_eq!(code(&farm.submit(proof.bytes()).await), "agent-revoked");
    let agents = farm.database.reads().agents().await.unwrap();
    assert_eq!(agents[0].buffered, 0);
    let fingerprint: Fingerprint = agent.key.public().fingerprint();
    assert!(farm.writer.approve(agent.id, fingerprint).await.is_err());
    let trusted = farm.trusted(2).await;
    assert!(farm.writer.dismiss(trusted.id).await.is_err());
}

#[tokio::test]
async fn a_composite_is_taken_back_with_any_of_its_parts_and_only_with_them() {
    let (farm, mut first) = (Farm::begin().await, TestAgent::new(1));
    farm.enrol(&first).await.unwrap();
    farm.approve(&first).await;
    let mut second = farm.trusted(2).await;
    let id = crate::cast::uuid_v7(1_771_000_000_000, 7);
    let mut parts = Vec::new();
    for agent in [&mut first, &mut second] {
        // Ids are unique within a chain only: both proofs have the same one.
        let proof = agent.work_as(id, Category::Toil, friday());
        farm.submit(proof.bytes()).await.unwrap();
        parts.push(CompositePart {
            agent_id: agent.id,
            proof_id: id,
        });
    }
    let alone = farm.coins().await;
    let composite = CompositeEarned {
        coins: 100,
        day: "2026-02-20".parse().unwrap(),
        parts: vec![parts[0]],
        slug: "safe-change".to_owned(),
    };
    let event = Event::CompositeEarned(composite);
    farm.writer
        .decide(move |_, _| Ok(vec![event.clone()]), |_| ())
        .await
        .unwrap();
    let view = farm.view().await;
    assert_eq!((view.coins.earned, view.composites), (alone + 100, 1));
    farm.writer
        .revoke(second.id, Since::After(None))
        .await
        .unwrap();
    let view = farm.view().await;
    assert_eq!((view.coins.earned, view.composites), (alone / 2 + 100, 1));
    farm.writer
        .revoke(first.id, Since::After(None))
        .await
        .unwrap();
    let view = farm.view().await;
    assert_eq!((view.coins.earned, view.composites), (0, 0));
    let before = farm.dump().await;
    let mut journal = farm.database.stranger().await;
    let salts = SaltSource::new(SECRET);
    journal
        .rebuild(&salts, &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(before, farm.dump().await);
}

#[tokio::test]
async fn a_leagues_daily_cap_is_held_against_what_the_league_brought() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let mut rules = RuleSet::default();
    rules.base_coins.toil = 60;
    rules.caps.per_day = Some(150);
    let offer = LeagueOffer {
        league: "capped".to_owned(),
        name: "A capped league".to_owned(),
        rules,
        village: None,
    };
    let decide = move |state: &State, _| {
        Ok(decide_join_league(state, offer.clone())?
            .into_iter()
            .collect())
    };
    farm.writer.decide(decide, |_| ()).await.unwrap();
    let mut brought = Vec::new();
    let mut ids = Vec::new();
    for day in [0, 0, 0, 1, 1] {
        let when = friday().saturating_add((day - 1) * 86_400);
        let proof = agent.work(Category::Toil, when);
        farm.submit(proof.bytes()).await.unwrap();
        ids.push(proof.body().proof_id);
        let season = farm.view().await.leagues["capped"].seasons["2026-Q1"];
        brought.push(season);
    }
    assert!(brought[0] < 150, "{brought:?}");
    assert_eq!(brought[1..3], [150, 150], "the cap of the first day");
    assert_eq!(brought[4], 300, "and of the second one");
    // What is taken back leaves room.
    let farm = farm.restart().await;
    farm.writer
        .revoke(agent.id, Since::After(Some(ids[3])))
        .await
        .unwrap();
    let league = &farm.view().await.leagues["capped"];
    assert_eq!(league.seasons["2026-Q1"], brought[3]);
    let days = |state: &State| state.leagues["capped"].days.values().copied().collect();
    let days: Vec<_> = farm
        .writer
        .decide(|_, _| Ok(Vec::new()), days)
        .await
        .unwrap();
    assert_eq!(days, [150, brought[3] - 150]);
    let before = farm.dump().await;
    let mut journal = farm.database.stranger().await;
    let salts = SaltSource::new(SECRET);
    journal
        .rebuild(&salts, &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(before, farm.dump().await);
}

#[tokio::test]
async fn what_was_bought_boosts_as_the_ledger_says_whatever_the_catalogue_has() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let bought = |boosts: Option<u32>, level, key: &[u8]| {
        Event::ItemPurchased(ItemPurchased {
            idempotency_key: sha256(key),
            item: "fence".to_owned(),
            level,
            price: 0,
            boosts_bp: boosts.map(|boost| [(Category::Toil, boost)].into()),
        })
    };
    let catalogued = Catalogue::builtin().item("fence").unwrap();
    let step = catalogued.boosts_bp.get(&Category::Toil).copied();
    // One level of an earlier version, one with what the catalogue has no more.
    for event in [bought(None, 1, b"1"), bought(Some(777), 2, b"2")] {
        let decide = move |_: &State, _| Ok(vec![event.clone()]);
        farm.writer.decide(decide, |_| ()).await.unwrap();
    }
    let factor = 10_000 + step.unwrap_or(0) + 777;
    let mut folded = String::new();
    let mut farm = farm;
    for _ in 0..2 {
        let proof = agent.work(Category::Toil, friday());
        farm.submit(proof.bytes()).await.unwrap();
        let id = proof.body().proof_id;
        let record = farm
            .database
            .reads()
            .proof(id, None)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(record.row.score.upgrade_bp, factor);
        folded = farm.dump().await;
        farm = farm.restart().await;
    }
    let url = farm.url.clone();
    let _folder = farm.end().await;
    let database = Database::open(&url).await.unwrap();
    let mut journal = database.journal().await.unwrap();
    journal
        .rebuild(&SaltSource::new(SECRET), &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(database.dump_projections().await, folded);
}
