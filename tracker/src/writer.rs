//! The writer: one task that owns the state and the writing connection.
//!
//! Commands arrive by channel. Each round takes what has queued up while the last commit was on its
//! way to the disk, decides every command against the state in memory, writes one transaction and only
//! then answers. So a busy tracker commits hundreds of proofs at once, an idle one answers after a
//! single flush, and an answer always means that the disk has it.
//!
//! If a commit fails, every command of the round is answered "unavailable" and the state is read back
//! from the store: nothing is half-applied. If it is a row that does not fit, which only the command that
//! wrote it is to blame for, the commands are carried out again one by one.

mod again;
mod agents;
mod command;
mod contacts;
mod handle;
mod round;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use farmops_federation::Clock;
use farmops_ledger::{Entry, Event};
use farmops_protocol::{
    key::PublicKey,
    log::{TreeHead, commitment::SaltSource},
};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{command::Command, contacts::Contacts, round::Round};
pub use self::{
    command::{
        Answer, Checked, Glimpse, Outgoing, Receipt, Resumption, Since, Standing, WriteError,
    },
    handle::WriterHandle,
};
use crate::{
    domain::{BufferBounds, Founding, State, WaitingRoom, decide_composites, decide_found},
    intake::Directory,
    log::{Log, enter},
    store::{Batch, Growth, Journal, Loaded, ResetAsked, StoreError},
};

/// Commands that may wait; more callers wait to be let in.
const COMMANDS_MAX: usize = 256;
/// Proofs in one transaction.
const ROUND_PROOFS_MAX: usize = 2048;

/// What the writer is told at its start.
pub struct Setup {
    /// Bounds of what is kept before approval.
    pub bounds: BufferBounds,
    /// The salts of the transparency log.
    pub salts: SaltSource,
    /// The clock.
    pub clock: Clock,
}

/// The writer, before it runs.
pub struct Writer {
    journal: Box<dyn Journal>,
    state: State,
    /// The log over the state's entries, and its head as the store has it.
    log: Log,
    durable: TreeHead,
    waiting: WaitingRoom,
    resets: BTreeMap<Uuid, ResetAsked>,
    contacts: Contacts,
    setup: Setup,
    directory: Directory,
    public_position: watch::Sender<u64>,
    commands: mpsc::Receiver<Command>,
    stop: CancellationToken,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Reads the state from the journal; the handle is how everybody else reaches the writer.
    pub async fn open(
        mut journal: Box<dyn Journal>,
        setup: Setup,
    ) -> Result<(Self, WriterHandle), StoreError> {
        let loaded = journal.load().await?;
        let directory = Directory::default();
        directory.replace(&loaded.state.agents);
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (public_position, changes) = watch::channel(loaded.state.public_position);
        let commits = Arc::new(AtomicU64::new(0));
        let handle = WriterHandle::new(sender, directory.clone(), changes, commits.clone());
        let writer = Self {
            journal,
            state: loaded.state,
            durable: loaded.log.head(),
            log: loaded.log,
            waiting: loaded.waiting,
            resets: loaded.resets,
            contacts: Contacts::new(loaded.contacts),
            setup,
            directory,
            public_position,
            commands,
            stop: CancellationToken::new(),
            commits,
        };
        Ok((writer, handle))
    }

    /// Founds the farm if the ledger is empty.
    pub async fn found(
        &mut self,
        founding: &Founding,
        farmer_key: PublicKey,
    ) -> Result<(), FoundError> {
        let events = decide_found(&self.state, founding, farmer_key)?;
        let mut round = Round::new((self.setup.clock)());
        for event in events {
            self.record(&mut round, event);
        }
        if self.commit(&mut round).await {
            Ok(())
        } else {
            Err(FoundError::Unavailable)
        }
    }

    /// Works until `stop`; commands that are in the queue by then are still carried out.
    pub async fn run(mut self, stop: CancellationToken) {
        self.stop = stop.clone();
        loop {
            let command = tokio::select! {
                command = self.commands.recv() => command,
                () = stop.cancelled(), if !self.commands.is_closed() => {
                    self.commands.close();
                    continue;
                }
            };
            let Some(command) = command else { return };
            let mut round = Round::new((self.setup.clock)());
            self.take(&mut round, command).await;
            while round.proofs() < ROUND_PROOFS_MAX {
                let Ok(command) = self.commands.try_recv() else {
                    break;
                };
                self.take(&mut round, command).await;
            }
            self.commit(&mut round).await;
        }
    }

    /// Appends an event to the round, folds it into the state and commits to it in the log.
    fn record(&mut self, round: &mut Round, event: Event) {
        let position = self.state.next_position();
        let entry = Entry {
            position,
            recorded_at: round.now,
            event,
        };
        let entered = enter(&mut self.state, &mut self.log, &self.setup.salts, &entry);
        round.changes.note(&self.state, &entry, entered.applied);
        round.tiles.extend(entered.tiles);
        let completed = match &entry.event {
            Event::ProofAccepted(proof) => decide_composites(&self.state, proof),
            _ => Vec::new(),
        };
        round.entries.push(entry);
        for composite in completed {
            self.record(round, composite);
        }
    }

    /// Makes the round durable and answers its commands; false if the store failed.
    async fn commit(&mut self, round: &mut Round) -> bool {
        if round.is_dirty() {
            let started = Instant::now();
            let batch = Batch {
                entries: &round.entries,
                changes: (!round.entries.is_empty()).then_some((&self.state, &round.changes)),
                log: (!round.entries.is_empty()).then_some(Growth {
                    from: self.durable,
                    log: &self.log,
                    tiles: &round.tiles,
                }),
                checkpoints: &round.outgoing.checkpoints,
                buffered: &round.buffered,
                released: &round.released,
                resets_asked: &round.resets_asked,
                resets_answered: &round.resets_answered,
                contacts: &round.contacts,
                publication: round.outgoing.publication.as_ref(),
                notices: &round.outgoing.notices,
                posts: &round.outgoing.posts,
                villages: &round.outgoing.villages,
                villages_left: &round.outgoing.villages_left,
                villages_ended: &round.outgoing.villages_ended,
                layout: round.outgoing.layout.as_deref(),
                access: &round.outgoing.access,
            };
            if let Err(error) = self.journal.commit(&batch).await {
                tracing::error!(%error, cause = ?error, "a commit failed; nothing of it was kept");
                self.recover(round, &error).await;
                return false;
            }
            self.durable = self.log.head();
            self.commits.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("farmops_tracker_commit_seconds").record(started.elapsed());
            metrics::counter!("farmops_tracker_ledger_entries_total")
                .increment(round.entries.len() as u64);
            if round.agents_changed {
                self.directory.replace(&self.state.agents);
            }
            let position = self.state.public_position;
            self.public_position
                .send_if_modified(|seen| std::mem::replace(seen, position) != position);
        }
        round.end(&Ok(()));
        true
    }

    /// Reads the state back after a failed commit, as often as it takes: deciding anything against a
    /// state that the disk does not have would be worse than answering "unavailable" meanwhile. False if the
    /// end came first.
    async fn reload(&mut self) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.journal.load().await {
                Ok(loaded) => {
                    let Loaded {
                        state,
                        log,
                        waiting,
                        resets,
                        contacts,
                    } = loaded;
                    (self.state, self.waiting) = (state, waiting);
                    (self.resets, self.contacts) = (resets, Contacts::new(contacts));
                    (self.durable, self.log) = (log.head(), log);
                    self.directory.replace(&self.state.agents);
                    return true;
                }
                Err(error) => tracing::error!(%error, "the state cannot be read back yet"),
            }
            if self.turn_away(pause).await {
                return false;
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Answers "unavailable" to everyone who comes within `pause`; true if it was the end.
    async fn turn_away(&mut self, pause: Duration) -> bool {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return false,
                () = self.stop.cancelled() => break,
                // Whoever waits for an answer learns that there will be none.
                command = self.commands.recv(), if !self.commands.is_closed() => drop(command),
            }
        }
        self.commands.close();
        while self.commands.recv().await.is_some() {}
        true
    }
}

/// The farm could not be founded.
#[derive(Debug, thiserror::Error)]
pub enum FoundError {
    /// A setting breaks a rule.
    #[error("{refusal}", refusal = named(.0))]
    Refused(#[from] crate::domain::Refusal),
    /// The store failed; the cause is in the log.
    #[error("the first entries could not be written")]
    Unavailable,
}

fn named(refusal: &crate::domain::Refusal) -> String {
    format!("`{}`: {refusal}", refusal.field())
}
