//! Whatever happens on a farm, its tables are what its ledger says.

use farmops_farm::catalogue::Catalogue;
use jiff::{Span, civil::Date};
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Enrol(u8),
    Approve(u8),
    Revoke(u8),
    /// Work of an agent, so many seconds after its last.
    Work(u8, Category, i64),
    /// A second successor of the agent's first proof.
    Fork(u8),
    /// Revokes the agent from this of its proofs on.
    RevokeAfter(u8, usize),
    /// Hands the agent's key over to one of this number.
    Rotate(u8, u8),
    /// Lets the agent's chain resume at this of its proofs.
    Reset(u8, usize),
    Buy(u8),
    Rest(i8),
    Rename(u8),
    Calendar(bool),
    Rules(u32),
    League(u32),
    /// So many days go by.
    Wait(u32),
    Restart,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let agent = 0..3_u8;
    let category = prop::sample::select(Category::ALL);
    prop_oneof![
        2 => agent.clone().prop_map(Step::Enrol),
        3 => agent.clone().prop_map(Step::Approve),
        1 => agent.clone().prop_map(Step::Revoke),
        24 => (agent.clone(), category, 0..100_000_i64)
            .prop_map(|(agent, category, seconds)| Step::Work(agent, category, seconds)),
        1 => agent.clone().prop_map(Step::Fork),
        1 => (agent.clone(), 0..40_usize).prop_map(|(n, k)| Step::RevokeAfter(n, k)),
        1 => (agent.clone(), 10..14_u8).prop_map(|(n, key)| Step::Rotate(n, key)),
        1 => (agent, 0..20_usize).prop_map(|(n, k)| Step::Reset(n, k)),
        2 => (0..20_u8).prop_map(Step::Buy),
        1 => (-35..5_i8).prop_map(Step::Rest),
        1 => (0..3_u8).prop_map(Step::Rename),
        1 => any::<bool>().prop_map(Step::Calendar),
        1 => (1..4_u32).prop_map(Step::Rules),
        1 => (1..4_u32).prop_map(Step::League),
        1 => (1..40_u32).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

fn rules(base: u32) -> RuleSet {
    let mut rules = RuleSet::default();
    rules.base_coins.toil = base;
    rules
}

/// Marks the day that is so many after today as one of rest, or takes the mark away.
async fn turn_rest(farm: &Farm, days: i8) {
    let day = "2026-02-20".parse::<Date>().unwrap() + Span::new().days(days);
    let decide = move |state: &State, now| {
        let rest = !state.known.rest_days.contains(&day);
        Ok(decide_rest(state, day, rest, now)?.into_iter().collect())
    };
    drop(farm.writer.decide(decide, |_| ()).await);
}

/// Takes every step, allowed or not, through the real writer.
pub(super) async fn live(steps: &[Step]) -> Farm {
    let mut farm = Farm::begin().await;
    farm.database
        .keep_secrets([super::fsck::FARM_KEY, SECRET])
        .await;
    let mut agents: Vec<_> = (1..=3).map(TestAgent::new).collect();
    let mut clocks = [friday().saturating_add(-20 * 86_400); 3];
    let mut heads: [Vec<ChainHead>; 3] = Default::default();
    for step in steps {
        match *step {
            Step::Enrol(n) => drop(farm.enrol(&agents[usize::from(n)]).await),
            Step::Approve(n) => {
                let agent = &agents[usize::from(n)];
                let fingerprint = agent.key.public().fingerprint();
                drop(farm.writer.approve(agent.id, fingerprint).await);
            }
            Step::Revoke(n) => {
                let id = agents[usize::from(n)].id;
                drop(farm.writer.revoke(id, Since::Now).await);
            }
            Step::Work(n, category, seconds) => {
                let n = usize::from(n);
                let when = clocks[n].saturating_add(seconds);
                let before = agents[n].head;
                let proof = agents[n].work(category, when);
                if farm.submit(proof.bytes()).await.is_ok() {
                    clocks[n] = when;
                    heads[n].extend(agents[n].head);
                } else {
                    agents[n].head = before;
                }
            }
            Step::Fork(n) => {
                let n = usize::from(n);
                let proof = agents[n].work_after(None, Category::Toil, clocks[n]);
                drop(farm.submit(proof.bytes()).await);
            }
            Step::RevokeAfter(n, k) => {
                let last_good = heads[usize::from(n)].get(k).map(|head| head.proof_id);
                let id = agents[usize::from(n)].id;
                drop(farm.writer.revoke(id, Since::After(last_good)).await);
            }
            Step::Rotate(n, key) => {
                drop(farm.rotate(&mut agents[usize::from(n)], [key; 32]).await);
            }
            Step::Reset(n, k) => {
                let n = usize::from(n);
                let head = heads[n].get(k).copied();
                let after = Resumption::After(head.map(|head| head.proof_id));
                if farm.writer.reset_chain(agents[n].id, after).await.is_ok() {
                    agents[n].head = head;
                    clocks[n] = head.map_or(clocks[n], |head| head.timestamp);
                }
            }
            Step::Buy(n) => {
                let items = Catalogue::builtin().items();
                let item = &items[usize::from(n) % items.len()].slug;
                drop(farm.buy(&format!("{n}-{}", steps.len()), item).await);
            }
            Step::Rest(days) => turn_rest(&farm, days).await,
            Step::Rename(n) => {
                let decide = move |state: &State, _| {
                    Ok(decide_rename(state, &format!("Farm {n}"))?
                        .into_iter()
                        .collect())
                };
                farm.writer.decide(decide, |_| ()).await.unwrap();
            }
            Step::Calendar(east) => {
                let zone = if east { "Pacific/Apia" } else { "America/Lima" };
                farm.live_in(zone).await;
            }
            Step::Rules(base) => {
                let decide = move |state: &State, _| {
                    Ok(decide_rules(state, rules(base)).into_iter().collect())
                };
                farm.writer.decide(decide, |_| ()).await.unwrap();
            }
            Step::League(base) => {
                let offer = LeagueOffer {
                    league: format!("league-{}", base % 2),
                    name: "A league".to_owned(),
                    rules: rules(base),
                    village: None,
                };
                let decide = move |state: &State, _| {
                    let joined = decide_join_league(state, offer.clone())?;
                    Ok(joined.into_iter().collect())
                };
                farm.writer.decide(decide, |_| ()).await.unwrap();
            }
            Step::Wait(days) => {
                farm.wait(days);
                clocks = clocks.map(|clock| clock.saturating_add(i64::from(days) * 86_400));
            }
            Step::Restart => farm = farm.restart().await,
        }
    }
    farm
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_rebuild_gives_the_same_bytes_after_any_history(
        steps in prop::collection::vec(step(), 1..400)
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let farm = live(&steps).await;
            let (before, coins) = (farm.dump().await, farm.coins().await);
            let report = super::fsck::checked(&farm.url).await;
            assert_eq!(report.findings, []);
            let mut journal = farm.database.stranger().await;
            let loaded = journal.load().await.unwrap();
            let salts = SaltSource::new(SECRET);
            let rebuilt = journal.rebuild(&salts, &mut Nowhere, &mut |_| ()).await.unwrap();
            assert_eq!(before, farm.dump().await);
            assert_eq!((loaded.state, coins), (rebuilt.clone(), rebuilt.coins.earned));
            let reread = journal.load().await.unwrap();
            assert_eq!((reread.state, reread.log), (rebuilt, loaded.log));
        });
    }
}
