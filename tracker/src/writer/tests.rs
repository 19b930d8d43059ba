//! The writer on a real database.
#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use farmops_protocol::{
    enrolment::{AgentStatus, EnrolmentRequest},
    key::SecretKey,
    proof::Category,
    time::Timestamp,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    audit::Audit,
    cast::TestAgent,
    domain::{History, Refusal, Submission},
    store::{
        Loaded, Notice, ProofFilter, Publication, Reads, Village,
        sqlite::{Database, SqliteJournal},
    },
};

const SECRET: &[u8] = b"a farm's secret";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn friday() -> Timestamp {
    at("2026-02-20T09:30:00Z")
}

/// A journal whose commits fail while the switch is on.
struct Faulty {
    journal: SqliteJournal,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Journal for Faulty {
    async fn load(&mut self) -> Result<Loaded, StoreError> {
        self.journal.load().await
    }
    async fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::File(std::io::Error::other("the disk is full")));
        }
        self.journal.commit(batch).await
    }
    async fn history(&mut self, a: Uuid, p: Uuid, f: Uuid) -> Result<History, StoreError> {
        self.journal.history(a, p, f).await
    }
    async fn buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        self.journal.buffered(agent).await
    }
    async fn last_publication(&mut self) -> Result<Option<Publication>, StoreError> {
        self.journal.last_publication().await
    }
    async fn notice(&mut self, key: &str) -> Result<Option<Notice>, StoreError> {
        self.journal.notice(key).await
    }
    async fn villages(&mut self) -> Result<Vec<Village>, StoreError> {
        self.journal.villages().await
    }
}

/// A founded farm with a running writer.
struct Farm {
    folder: TempDir,
    database: Database,
    writer: WriterHandle,
    broken: Arc<AtomicBool>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Farm {
    async fn begin() -> Self {
        Self::at(tempfile::tempdir().unwrap(), BufferBounds::default()).await
    }

    async fn at(folder: TempDir, bounds: BufferBounds) -> Self {
        let url = format!("sqlite://{}/farm.db", folder.path().display());
        let database = Database::open(&url).await.unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let journal = Faulty {
            journal: database.journal().await.unwrap(),
            broken: broken.clone(),
        };
        let setup = Setup {
            bounds,
            salt: LeafSalt::new(SECRET),
            clock: Arc::new(friday),
        };
        let (mut writer, handle) = Writer::open(journal, setup).await.unwrap();
        let founding = Founding {
            handle: "alice".to_owned(),
            name: "Alice's farm".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            working_days: [true, true, true, true, true, false, false],
        };
        let key = SecretKey::from_bytes([200; 32]).public();
        writer.found(&founding, key).await.unwrap();
        let stop = CancellationToken::new();
        Self {
            folder,
            database,
            writer: handle,
            broken,
            running: tokio::spawn(writer.run(stop.clone())),
            stop,
        }
    }

    async fn restart(self) -> Self {
        self.stop.cancel();
        self.running.await.unwrap();
        Self::at(self.folder, BufferBounds::default()).await
    }

    async fn enrol(&self, agent: &TestAgent) -> Result<AgentStatus, WriteError> {
        let request = EnrolmentRequest::verify(&agent.enrolment(friday()), friday()).unwrap();
        self.writer.enrol(request).await.map(|answer| answer.status)
    }

    async fn approve(&self, agent: &TestAgent) -> farmops_protocol::enrolment::EnrolmentAnswer {
        let fingerprint = agent.key.public().fingerprint();
        self.writer.approve(agent.id, fingerprint).await.unwrap()
    }

    async fn trusted(&self, number: u8) -> TestAgent {
        let agent = TestAgent::new(number);
        self.enrol(&agent).await.unwrap();
        self.approve(&agent).await;
        agent
    }

    async fn submit(&self, bytes: &[u8]) -> Answer {
        let checked = self.writer.directory().check(bytes);
        self.writer
            .submit(vec![checked])
            .await
            .unwrap()
            .pop()
            .unwrap()
    }

    async fn coins(&self) -> u64 {
        self.database
            .reads()
            .farm()
            .await
            .unwrap()
            .unwrap()
            .coins
            .earned
    }

    async fn dump(&self) -> String {
        self.database.dump_projections().await
    }
}

fn standing(answer: &Answer) -> Standing {
    answer.as_ref().unwrap().standing
}

fn code(answer: &Answer) -> &'static str {
    answer.as_ref().unwrap_err().code()
}

/// A history with two agents, several days, failures, a fork, a pending agent and a revocation.
async fn lively(farm: &Farm) {
    let mut first = farm.trusted(1).await;
    let mut second = farm.trusted(2).await;
    let mut stranger = TestAgent::new(3);
    farm.enrol(&stranger).await.unwrap();
    for n in 0..120_i64 {
        let when = friday().saturating_add(-10 * 86_400 + n * 7_000);
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
    farm.writer.revoke(second.id).await.unwrap();
}

#[tokio::test]
async fn replaying_the_ledger_gives_the_same_state_and_the_same_rows() {
    let farm = Farm::begin().await;
    lively(&farm).await;
    let (before, coins) = (farm.dump().await, farm.coins().await);
    assert!(coins > 0 && before.contains("proof_chain"));
    let mut journal = farm.database.journal().await.unwrap();
    let loaded = journal.load().await.unwrap();
    let replayed = journal.rebuild(&LeafSalt::new(SECRET)).await.unwrap();
    assert_eq!(loaded.state, replayed);
    assert_eq!(before, farm.dump().await);
    // The comparison can fail: another secret gives another log.
    journal.rebuild(&LeafSalt::new(*b"another")).await.unwrap();
    assert_ne!(before, farm.dump().await);
}

#[tokio::test]
async fn an_audit_finds_nothing_in_a_sound_ledger_and_what_is_wrong_in_another() {
    let farm = Farm::begin().await;
    lively(&farm).await;
    let reads = farm.database.reads();
    let lines = reads.ledger(0, 10_000).await.unwrap();
    let audit = |tamper: &dyn Fn(&mut Vec<u8>)| {
        let mut audit = Audit::default();
        for line in &lines {
            let mut body = line.body.clone();
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
        WriteError::Refused(Refusal::FingerprintDiffers(_))
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
    let farm = Farm::at(tempfile::tempdir().unwrap(), bounds).await;
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
    farm.writer.revoke(agent.id).await.unwrap();
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
async fn a_failed_commit_answers_everyone_and_leaves_nothing() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let kept = agent.work(Category::Toil, friday());
    farm.submit(kept.bytes()).await.unwrap();
    let before = farm.dump().await;
    let lost = agent.work(Category::Toil, friday());
    farm.broken.store(true, Ordering::SeqCst);
    let checked = || farm.writer.directory().check(lost.bytes());
    let (one, two) = tokio::join!(
        farm.writer.submit(vec![checked()]),
        farm.writer.submit(vec![checked()])
    );
    assert_eq!(
        (one, two),
        (Err(WriteError::Unavailable), Err(WriteError::Unavailable))
    );
    assert_eq!(
        farm.enrol(&TestAgent::new(2)).await,
        Err(WriteError::Unavailable)
    );
    farm.broken.store(false, Ordering::SeqCst);
    assert_eq!(before, farm.dump().await);
    assert_eq!(
        standing(&farm.submit(lost.bytes()).await),
        Standing::Chained
    );
}

#[tokio::test]
async fn a_storm_of_duplicates_counts_once() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let proofs: Vec<_> = (0..20)
        .map(|_| agent.work(Category::Toil, friday()))
        .collect();
    let storm = (0..16).map(|_| {
        let chunk = proofs
            .iter()
            .map(|p| farm.writer.directory().check(p.bytes()))
            .collect();
        farm.writer.submit(chunk)
    });
    let answers = futures::future::join_all(storm).await;
    let chained = answers
        .iter()
        .flat_map(|answers| answers.as_ref().unwrap())
        .filter(|answer| standing(answer) == Standing::Chained)
        .count();
    assert_eq!(chained, 20);
    let kept = farm
        .database
        .reads()
        .proofs(&ProofFilter::default(), 100)
        .await
        .unwrap();
    assert_eq!(kept.len(), 20);
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
