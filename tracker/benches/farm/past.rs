//! The database of a farm with a long past, made once and kept under `target/tmp`.
//!
//! It is written as the writer does it: every event is folded in, committed to in the log, and lands in
//! batches with the rows that it touches.

use std::path::{Path, PathBuf};

use farmops_ledger::{AcceptedProof, Entry, Event};
use farmops_protocol::{
    key::SecretKey,
    log::{TreeHead, commitment::SaltSource},
    time::Timestamp,
};
use farmops_tracker::{
    domain::{Changes, State, decide_composites},
    log::{FullTile, Log, enter},
    store::{Batch, Database, Growth, Secrets, Upkeep},
};

use super::story::Story;

/// Grows when the story or the tables change, so that what was made before is not used.
const EDITION: u32 = 1;
const BATCH: usize = 4096;
/// Beside work, what a morning may bring.
const MORNING_STEPS: u8 = 7;

/// Where the database with at least so many proofs is; it is made if it is not there.
pub(crate) async fn database(proofs: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches");
    let path = folder.join(format!("farm-{proofs}-{EDITION}.db"));
    if path.exists() {
        return path;
    }
    let started = std::time::Instant::now();
    std::fs::create_dir_all(&folder).unwrap();
    let making = tempfile::tempdir_in(&folder).unwrap();
    let made = url(&making.path().join("farm.db"));
    make(&made, proofs).await;
    // Unlike the file alone, a copy has what still stands in the one beside it.
    Database::copy(&made, &path).await.unwrap();
    let seconds = started.elapsed().as_secs();
    eprintln!("{} was made in {seconds} s", path.display());
    path
}

pub(crate) fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// The salts of such a farm.
pub(crate) fn salts() -> SaltSource {
    SaltSource::new(secrets().farm_secret)
}

fn secrets() -> Secrets {
    Secrets {
        farm_key: SecretKey::from_bytes([9; 32]),
        farm_secret: vec![7; 32],
    }
}

/// Tells the whole story to the database at `url`.
pub(crate) async fn make(url: &str, proofs: usize) {
    let database = Database::open(url).await.unwrap();
    let mut journal = database.journal().await.unwrap();
    let secrets = journal.secrets(&secrets()).await.unwrap();
    let mut scribe = Scribe {
        salts: SaltSource::new(secrets.farm_secret.clone()),
        journal,
        state: State::default(),
        log: Log::default(),
        durable: Log::default().head(),
        entries: Vec::new(),
        changes: Changes::default(),
        tiles: Vec::new(),
    };
    let mut story = Story::new();
    for event in story.beginning(secrets.public_key()) {
        scribe.record(event, Story::midnight(0));
    }
    let (mut told, mut day) = (0, 0);
    while told < proofs {
        for step in 0..MORNING_STEPS {
            if let Some(event) = story.morning(&scribe.state, day, step) {
                scribe.record(event, Story::midnight(day));
            }
        }
        for (at, proof) in story.work(day) {
            if told < proofs {
                let proof = Box::new(AcceptedProof::Verified(proof));
                scribe.record(Event::ProofAccepted(proof), at.saturating_add(1));
                told += 1;
            }
        }
        day += 1;
        if scribe.entries.len() >= BATCH {
            scribe.commit().await;
        }
    }
    scribe.commit().await;
}

struct Scribe {
    journal: Box<dyn Upkeep>,
    salts: SaltSource,
    state: State,
    log: Log,
    durable: TreeHead,
    entries: Vec<Entry>,
    changes: Changes,
    tiles: Vec<FullTile>,
}

impl Scribe {
    fn record(&mut self, event: Event, recorded_at: Timestamp) {
        let entry = Entry {
            position: self.state.next_position(),
            recorded_at,
            event,
        };
        let entered = enter(&mut self.state, &mut self.log, &self.salts, &entry);
        self.changes.note(&self.state, &entry, entered.applied);
        self.tiles.extend(entered.tiles);
        let completed = match &entry.event {
            Event::ProofAccepted(proof) => decide_composites(&self.state, proof),
            _ => Vec::new(),
        };
        self.entries.push(entry);
        for composite in completed {
            self.record(composite, recorded_at);
        }
    }

    async fn commit(&mut self) {
        let batch = Batch {
            entries: &self.entries,
            changes: Some((&self.state, &self.changes)),
            log: Some(Growth {
                from: self.durable,
                log: &self.log,
                tiles: &self.tiles,
            }),
            ..Batch::default()
        };
        self.journal.commit(&batch).await.unwrap();
        self.durable = self.log.head();
        self.entries.clear();
        self.tiles.clear();
        self.changes = Changes::default();
    }
}
