//! The ledger alone tells everything.

use super::*;
use crate::past::{At, PastError, fold_to};

/// A history with two agents, several days, failures, a fork, a pending agent and a revocation.
pub(super) async fn lively(farm: &Farm, steps: i64) {
    let mut first = farm.trusted(1).await;
    let mut second = farm.trusted(2).await;
    let mut stranger = TestAgent::new(3);
    farm.enrol(&stranger).await.unwrap();
    for n in 0..steps {
        let when = friday().saturating_add(-11 * 86_400 + n * 7_000);
        let category = Category::ALL[usize::try_from(n).unwrap() % Category::ALL.len()];
        let agent = if n % 3 == 0 { &mut second } else { &mut first };
        let proof = agent.work(category, when);
        assert_eq!(
            standing(&farm.submit(proof.bytes()).await),
            Standing::Chained
        );
        let waiting = stranger.work(category, when);
        assert_eq!(
            standing(&farm.submit(waiting.bytes()).await),
            Standing::Buffered
        );
    }
    let fork = first.work_after(None, Category::Toil, friday());
    assert_eq!(code(&farm.submit(fork.bytes()).await), "fork");
    farm.approve(&stranger).await;
    farm.writer.revoke(second.id, Since::Now).await.unwrap();
}

#[tokio::test]
async fn replaying_the_ledger_gives_the_same_state_and_the_same_rows() {
    let farm = Farm::begin().await;
    lively(&farm, 120).await;
    let (before, coins) = (farm.dump().await, farm.coins().await);
    assert!(coins > 0 && before.contains("proof_chain"));
    let mut journal = farm.database.stranger().await;
    let loaded = journal.load().await.unwrap();
    let replayed = journal
        .rebuild(&SaltSource::new(SECRET), &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(loaded.state, replayed);
    assert_eq!(before, farm.dump().await);
    // The comparison can fail: another secret gives another log.
    journal
        .rebuild(&SaltSource::new(*b"another"), &mut Nowhere, &mut |_| ())
        .await
        .unwrap();
    assert_ne!(before, farm.dump().await);
}

#[tokio::test]
async fn an_audit_finds_nothing_in_a_sound_ledger_and_what_is_wrong_in_another() {
    let farm = Farm::begin().await;
    lively(&farm, 120).await;
    let reads = farm.database.reads();
    let lines = reads.ledger(0, 10_000).await.unwrap();
    let audit = |tamper: &dyn Fn(&mut Vec<u8>)| {
        let mut audit = Audit::default();
        for line in &lines {
            let mut body = line.body.bytes().unwrap().to_vec();
            if line.position == 20 {
                tamper(&mut body);
            }
            audit.line(line.position, &line.kind, line.recorded_at, &body);
        }
        audit
    };
    let farm_view = reads.farm().await.unwrap().unwrap();
    let (coins, size) = (farm_view.coins.earned, farm_view.ledger_size);
    let mut sound = audit(&|_| {});
    for record in reads.proofs(&ProofFilter::default(), 1000).await.unwrap() {
        sound.awarded(
            record.row.position,
            record.row.proof_id,
            record.row.score.coins,
        );
    }
    let report = sound.finish(coins, size);
    assert_eq!(report.findings, vec![]);
    assert_eq!(report.proofs, 240);
    let softened = audit(&|body| {
        let text = String::from_utf8(body.clone()).unwrap();
        *body = text
            .replace("after 14 minutes", "after 15 minutes")
            .into_bytes();
    });
    let report = softened.finish(coins, size);
    assert_eq!(report.findings[0].position, 20, "{report:?}");
    assert_eq!(audit(&|_| {}).finish(coins + 1, size).findings.len(), 1);
}

#[tokio::test]
async fn an_audit_tells_two_proofs_of_one_id_apart_by_where_they_stand() {
    let farm = Farm::begin().await;
    let id = crate::cast::uuid_v7(1_771_000_000_000, 7);
    for (number, category) in [(1, Category::Toil), (2, Category::Incident)] {
        let mut agent = farm.trusted(number).await;
        let proof = agent.work_as(id, category, friday());
        farm.submit(proof.bytes()).await.unwrap();
    }
    let reads = farm.database.reads();
    let mut audit = Audit::default();
    for line in reads.ledger(0, 100).await.unwrap() {
        let body = line.body.bytes().unwrap();
        audit.line(line.position, &line.kind, line.recorded_at, body);
    }
    let records = reads.proofs(&ProofFilter::default(), 10).await.unwrap();
    let awarded: Vec<_> = records
        .iter()
        .map(|record| record.row.score.coins)
        .collect();
    assert_ne!(awarded[0], awarded[1]);
    for record in records {
        audit.awarded(record.row.position, id, record.row.score.coins);
    }
    assert_eq!(audit.into_report().findings, vec![]);
}

#[tokio::test]
async fn the_farm_at_a_time_is_the_farm_as_it_was_then() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let founded = farm.now();
    let mut then = vec![(founded, farm.view().await)];
    for _ in 0..5 {
        farm.wait(1);
        let proof = agent.work(Category::Incident, farm.now());
        farm.submit(proof.bytes()).await.unwrap();
        then.push((farm.now(), farm.view().await));
    }
    farm.wait(1);
    let reads = farm.database.reads();
    let now = farm.now();
    let at = async |time| fold_to(&*reads, At::Time(time), now).await;
    for pair in then.windows(2) {
        let ((from, before), (until, after)) = (&pair[0], &pair[1]);
        // From the second in which it was recorded to the last one before the next entry.
        for moment in [*from, until.saturating_add(-1)] {
            let past = at(moment).await.unwrap();
            assert_eq!((&past.farm, past.moment), (before, moment));
        }
        assert!(before.coins.earned < after.coins.earned);
        assert_eq!(&at(*until).await.unwrap().farm, after);
    }
    assert_eq!(at(now).await.unwrap().farm, then.pop().unwrap().1);
    let early = at(founded.saturating_add(-1)).await.unwrap_err();
    assert!(matches!(early, PastError::BeforeFounding(at) if at == founded));
    let late = at(now.saturating_add(1)).await.unwrap_err();
    assert!(matches!(late, PastError::Future));
}
