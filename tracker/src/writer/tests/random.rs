//! Whatever happens on a farm, its tables are what its ledger says.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Enrol(u8),
    Approve(u8),
    Revoke(u8),
    /// Work of an agent, so many seconds after its last.
    Work(u8, Category, i64),
    /// A second successor of the agent's first proof.
    Fork(u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let agent = 0..3_u8;
    let category = prop::sample::select(Category::ALL);
    prop_oneof![
        2 => agent.clone().prop_map(Step::Enrol),
        3 => agent.clone().prop_map(Step::Approve),
        1 => agent.clone().prop_map(Step::Revoke),
        24 => (agent.clone(), category, 0..100_000_i64)
            .prop_map(|(agent, category, seconds)| Step::Work(agent, category, seconds)),
        1 => agent.prop_map(Step::Fork),
        1 => Just(Step::Restart),
    ]
}

/// Takes every step, allowed or not, through the real writer.
async fn live(steps: &[Step]) -> Farm {
    let mut farm = Farm::begin().await;
    let mut agents: Vec<_> = (1..=3).map(TestAgent::new).collect();
    let mut clocks = [friday().saturating_add(-20 * 86_400); 3];
    for step in steps {
        match *step {
            Step::Enrol(n) => drop(farm.enrol(&agents[usize::from(n)]).await),
            Step::Approve(n) => {
                let agent = &agents[usize::from(n)];
                let fingerprint = agent.key.public().fingerprint();
                drop(farm.writer.approve(agent.id, fingerprint).await);
            }
            Step::Revoke(n) => drop(farm.writer.revoke(agents[usize::from(n)].id).await),
            Step::Work(n, category, seconds) => {
                let n = usize::from(n);
                let when = clocks[n].saturating_add(seconds);
                let before = agents[n].head;
                let proof = agents[n].work(category, when);
                if farm.submit(proof.bytes()).await.is_ok() {
                    clocks[n] = when;
                } else {
                    agents[n].head = before;
                }
            }
            Step::Fork(n) => {
                let n = usize::from(n);
                let proof = agents[n].work_after(None, Category::Toil, clocks[n]);
                drop(farm.submit(proof.bytes()).await);
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
            let mut journal = farm.database.journal().await.unwrap();
            let loaded = journal.load().await.unwrap();
            let salts = SaltSource::new(SECRET);
            let rebuilt = journal.rebuild(&salts, &mut |_| ()).await.unwrap();
            assert_eq!(before, farm.dump().await);
            assert_eq!((loaded.state, coins), (rebuilt.clone(), rebuilt.coins.earned));
            let reread = journal.load().await.unwrap();
            assert_eq!((reread.state, reread.log), (rebuilt, loaded.log));
        });
    }
}
