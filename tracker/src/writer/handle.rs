//! How everybody else reaches the writer.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use farmops_ledger::Event;
use farmops_protocol::{
    chain_reset::ParsedChainReset,
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    key::Fingerprint,
    rotation::ParsedKeyRotation,
    time::Timestamp,
};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::command::{
    Answer, Checked, Command, Decided, Glimpse, Outgoing, Reply, Resumption, Since, WriteError,
    answering,
};
use crate::{
    domain::{Refusal, State},
    intake::Directory,
};

/// A way to the writer; cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    commands: mpsc::Sender<Command>,
    directory: Directory,
    changes: watch::Receiver<u64>,
    commits: Arc<AtomicU64>,
}

/// A batch of proofs that has been handed over and will be answered after its commit.
pub struct Handed(oneshot::Receiver<Result<Vec<Answer>, WriteError>>);

impl Handed {
    /// Waits for the commit.
    pub async fn answers(self) -> Result<Vec<Answer>, WriteError> {
        self.0.await.unwrap_or(Err(WriteError::Unavailable))
    }
}

impl WriterHandle {
    pub(super) fn new(
        commands: mpsc::Sender<Command>,
        directory: Directory,
        changes: watch::Receiver<u64>,
        commits: Arc<AtomicU64>,
    ) -> Self {
        Self {
            commands,
            directory,
            changes,
            commits,
        }
    }

    /// The keys of the enrolled agents.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The last entry that changed what the public sees, as it moves.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Whether nobody takes commands any more: the writer has ended.
    pub fn is_gone(&self) -> bool {
        self.commands.is_closed()
    }

    /// Transactions committed since the start.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Hands checked proofs over, in chain order; waits only while the queue is full.
    pub async fn hand_over(&self, chunk: Vec<Checked>) -> Result<Handed, WriteError> {
        let (reply, answers) = Reply::channel();
        self.send(Command::Submit { chunk, reply }).await?;
        Ok(Handed(answers))
    }

    /// Submits checked proofs and waits for the commit.
    pub async fn submit(&self, chunk: Vec<Checked>) -> Result<Vec<Answer>, WriteError> {
        self.hand_over(chunk).await?.answers().await
    }

    /// Enrols an agent, or answers its hello.
    pub async fn enrol(&self, request: EnrolmentRequest) -> Result<EnrolmentAnswer, WriteError> {
        let request = Box::new(request);
        self.ask(|reply| Command::Enrol { request, reply }).await
    }

    /// Approves an agent whose key has that fingerprint.
    pub async fn approve(
        &self,
        agent_id: Uuid,
        fingerprint: Fingerprint,
    ) -> Result<EnrolmentAnswer, WriteError> {
        self.ask(|reply| Command::Approve {
            agent_id,
            fingerprint,
            reply,
        })
        .await
    }

    /// Sends away an agent that waits, with what it has sent.
    pub async fn dismiss(&self, agent_id: Uuid) -> Result<EnrolmentAnswer, WriteError> {
        self.ask(|reply| Command::Dismiss { agent_id, reply }).await
    }

    /// Revokes an agent, and takes back what its proofs brought `since`.
    pub async fn revoke(
        &self,
        agent_id: Uuid,
        since: Since,
    ) -> Result<EnrolmentAnswer, WriteError> {
        self.ask(|reply| Command::Revoke {
            agent_id,
            since,
            reply,
        })
        .await
    }

    /// Takes up an agent's hand-over to a new key.
    pub async fn rotate(&self, rotation: ParsedKeyRotation) -> Result<EnrolmentAnswer, WriteError> {
        let rotation = Box::new(rotation);
        self.ask(|reply| Command::Rotate { rotation, reply }).await
    }

    /// Keeps an agent's request to let its chain resume earlier, for the owner.
    pub async fn ask_reset(
        &self,
        request: ParsedChainReset,
    ) -> Result<EnrolmentAnswer, WriteError> {
        let request = Box::new(request);
        self.ask(|reply| Command::AskReset { request, reply }).await
    }

    /// Lets an agent's chain resume earlier.
    pub async fn reset_chain(
        &self,
        agent_id: Uuid,
        resumption: Resumption,
    ) -> Result<EnrolmentAnswer, WriteError> {
        self.ask(|reply| Command::Reset {
            agent_id,
            resumption,
            reply,
        })
        .await
    }

    /// Records what `decide` makes of the state, and answers with what `answer` sees in it afterwards,
    /// once that is durable. `decide` sees every earlier decision, also those still on their way.
    pub async fn decide<T: Send + 'static>(
        &self,
        decide: impl Fn(&State, Timestamp) -> Result<Vec<Event>, Refusal> + Send + Sync + 'static,
        answer: impl Fn(&State) -> T + Send + Sync + 'static,
    ) -> Result<T, WriteError> {
        self.decide_with(
            move |state, now| Ok((decide(state, now)?, ())),
            move |state, ()| answer(state),
        )
        .await
    }

    /// Like [`Self::decide`], handing something on from before to after.
    pub async fn decide_with<C: Send + 'static, T: Send + 'static>(
        &self,
        decide: impl Fn(&State, Timestamp) -> Result<(Vec<Event>, C), Refusal> + Send + Sync + 'static,
        answer: impl Fn(&State, C) -> T + Send + Sync + 'static,
    ) -> Result<T, WriteError> {
        let answer = Arc::new(answer);
        self.ask(|reply| {
            Command::Decide(Arc::new(move |state, now| {
                let (reply, answer) = (reply.clone(), answer.clone());
                match decide(state, now) {
                    Ok((events, handed)) => Decided {
                        events,
                        answer: Box::new(move |state| answering(reply, Ok(answer(state, handed)))),
                    },
                    Err(refusal) => Decided {
                        events: Vec::new(),
                        answer: Box::new(move |_| answering(reply, Err(refusal.into()))),
                    },
                }
            }))
        })
        .await
    }

    /// The farm as it stands, with those of the named notices that exist.
    pub async fn glimpse(&self, notice_keys: Vec<String>) -> Result<Glimpse, WriteError> {
        self.ask(|reply| Command::Glimpse { notice_keys, reply })
            .await
    }

    /// Says something to the world, in one transaction.
    pub async fn say(&self, outgoing: Outgoing) -> Result<(), WriteError> {
        let outgoing = Box::new(outgoing);
        self.ask(|reply| Command::Say { outgoing, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, WriteError> {
        let (reply, answer) = Reply::channel();
        self.send(command(reply)).await?;
        answer.await.unwrap_or(Err(WriteError::Unavailable))
    }

    async fn send(&self, command: Command) -> Result<(), WriteError> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| WriteError::Unavailable)
    }
}
