//! The writer on a real database.
#![allow(clippy::unwrap_used)]

mod buffer;
mod commits;
mod composites;
mod fsck;
mod keys;
mod log;
mod owner;
mod prune;
mod random;
mod replay;
mod signed;
mod strays;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use async_trait::async_trait;
use farmops_protocol::{
    chain::ChainHead,
    chain_reset::{ChainResetRequest, ParsedChainReset},
    digest::sha256,
    enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest},
    key::SecretKey,
    proof::Category,
    rotation::{KeyRotation, ParsedKeyRotation},
    scoring::RuleSet,
    time::Timestamp,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    audit::Audit,
    cast::TestAgent,
    domain::{
        Cut, FarmView, History, LeagueOffer, Purchase, Refusal, Submission, decide_calendar,
        decide_join_league, decide_purchase, decide_rename, decide_rest, decide_rules,
    },
    store::{
        Database, Loaded, Notice, Nowhere, ProofFilter, Publication, SignedHead, Upkeep, Village,
        tests::{fresh, misfit_error},
    },
};

const SECRET: [u8; 32] = *b"the secret of a farm, 32 bytes !";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn friday() -> Timestamp {
    at("2026-02-20T09:30:00Z")
}

/// A journal whose commits fail while the switch is on, or while they hold a proof of an agent that does not fit.
struct Faulty {
    journal: Box<dyn Upkeep>,
    broken: Arc<AtomicBool>,
    misfit: Arc<Mutex<Option<Uuid>>>,
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
        let misfit = *self.misfit.lock().unwrap();
        let by_it = |entry: &Entry| match &entry.event {
            Event::ProofAccepted(proof) => Some(proof.body().agent.agent_id) == misfit,
            _ => false,
        };
        if batch.entries.iter().any(by_it) {
            return Err(misfit_error());
        }
        self.journal.commit(batch).await
    }
    async fn history(&mut self, a: Uuid, p: Uuid, f: Uuid) -> Result<History, StoreError> {
        self.journal.history(a, p, f).await
    }
    async fn cut(&mut self, a: Uuid, p: Option<Uuid>) -> Result<Option<Cut>, StoreError> {
        self.journal.cut(a, p).await
    }
    async fn last_proof(&mut self, a: Uuid) -> Result<Option<Uuid>, StoreError> {
        self.journal.last_proof(a).await
    }
    async fn head_at(&mut self, a: Uuid, p: Uuid) -> Result<Option<ChainHead>, StoreError> {
        self.journal.head_at(a, p).await
    }
    async fn buffered(&mut self, agent: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
        self.journal.buffered(agent).await
    }
    async fn last_publication(&mut self) -> Result<Option<Publication>, StoreError> {
        self.journal.last_publication().await
    }
    async fn checkpoint(&mut self) -> Result<Option<SignedHead>, StoreError> {
        self.journal.checkpoint().await
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
    url: String,
    database: Database,
    writer: WriterHandle,
    broken: Arc<AtomicBool>,
    /// Whose proofs do not fit.
    misfit: Arc<Mutex<Option<Uuid>>>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    /// The second that it is.
    clock: Arc<AtomicI64>,
}

impl Farm {
    async fn begin() -> Self {
        Self::with_buffer(BufferBounds::default()).await
    }

    async fn with_buffer(bounds: BufferBounds) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(folder.path());
        let clock = Arc::new(AtomicI64::new(friday().second()));
        Self::at(folder, url, bounds, clock).await
    }

    async fn at(folder: TempDir, url: String, bounds: BufferBounds, clock: Arc<AtomicI64>) -> Self {
        let database = Database::open(&url).await.unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let misfit = Arc::default();
        let journal = Faulty {
            journal: database.journal().await.unwrap(),
            broken: broken.clone(),
            misfit: Arc::clone(&misfit),
        };
        let setup = Setup {
            bounds,
            salts: SaltSource::new(SECRET),
            clock: {
                let clock = clock.clone();
                Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap())
            },
        };
        let (mut writer, handle) = Writer::open(Box::new(journal), setup).await.unwrap();
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
            url,
            database,
            writer: handle,
            broken,
            misfit,
            running: tokio::spawn(writer.run(stop.clone())),
            stop,
            clock,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    /// Lets so many days go by.
    fn wait(&self, days: u32) {
        self.clock
            .fetch_add(i64::from(days) * 86_400, Ordering::SeqCst);
    }

    /// Stops, and gives the folder that its database is in.
    async fn end(self) -> TempDir {
        self.stop.cancel();
        self.running.await.unwrap();
        self.folder
    }

    async fn restart(self) -> Self {
        self.stop.cancel();
        self.running.await.unwrap();
        Self::at(self.folder, self.url, BufferBounds::default(), self.clock).await
    }

    async fn enrol(&self, agent: &TestAgent) -> Result<AgentStatus, WriteError> {
        let request = EnrolmentRequest::verify(&agent.enrolment(self.now()), self.now()).unwrap();
        self.writer.enrol(request).await.map(|answer| answer.status)
    }

    async fn approve(&self, agent: &TestAgent) -> farmops_protocol::enrolment::EnrolmentAnswer {
        let fingerprint = agent.key.public().fingerprint();
        self.writer.approve(agent.id, fingerprint).await.unwrap()
    }

    /// Lives by the calendar of this zone, every day of the week.
    async fn live_in(&self, zone: &'static str) {
        let decide = move |state: &State, now| {
            let event = decide_calendar(state, zone, [true; 7], now)?;
            Ok(event.into_iter().collect())
        };
        self.writer.decide(decide, |_| ()).await.unwrap();
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

    /// Buys the next level of an item under a key of its own for each name.
    async fn buy(&self, key: &str, item: &str) -> Result<Purchase, WriteError> {
        let key = sha256(key.as_bytes());
        let item = item.to_owned();
        let bought = self.writer.decide(
            move |state, now| {
                Ok(decide_purchase(state, key, &item, now)?
                    .into_iter()
                    .collect())
            },
            move |state| {
                let mut purchases = state.purchases.iter();
                purchases.find(|p| p.idempotency_key == key).cloned()
            },
        );
        bought.await.map(Option::unwrap)
    }

    /// Hands an agent's key over to another one.
    async fn rotate(
        &self,
        agent: &mut TestAgent,
        new: [u8; 32],
    ) -> Result<EnrolmentAnswer, WriteError> {
        let new = SecretKey::from_bytes(new);
        let text = KeyRotation::sign(agent.id, agent.head.as_ref(), &agent.key, &new, self.now());
        let Ok(text) = text else {
            return Err(WriteError::Unavailable);
        };
        let parsed = ParsedKeyRotation::parse(&text).unwrap();
        let answer = self.writer.rotate(parsed).await;
        if answer.is_ok() {
            agent.key = new;
        }
        answer
    }

    /// Asks, in an agent's name, for its chain to resume earlier.
    async fn ask_reset(
        &self,
        agent: &TestAgent,
        resumes_after: Option<Uuid>,
    ) -> Result<EnrolmentAnswer, WriteError> {
        let text =
            ChainResetRequest::sign(agent.id, resumes_after, &agent.key, self.now()).unwrap();
        let parsed = ParsedChainReset::parse(&text).unwrap();
        self.writer.ask_reset(parsed).await
    }

    async fn view(&self) -> FarmView {
        self.database.reads().farm().await.unwrap().unwrap()
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
