//! How everybody else reaches the writer.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use farmops_protocol::{
    enrolment::{EnrolmentAnswer, EnrolmentRequest},
    key::Fingerprint,
};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::command::{Answer, Checked, Command, Glimpse, Outgoing, Reply, WriteError};
use crate::intake::Directory;

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

    /// Transactions committed since the start.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Hands checked proofs over, in chain order; waits only while the queue is full.
    pub async fn hand_over(&self, chunk: Vec<Checked>) -> Result<Handed, WriteError> {
        let (reply, answers) = oneshot::channel();
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

    /// Revokes an agent.
    pub async fn revoke(&self, agent_id: Uuid) -> Result<EnrolmentAnswer, WriteError> {
        self.ask(|reply| Command::Revoke { agent_id, reply }).await
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
        let (reply, answer) = oneshot::channel();
        self.send(command(reply)).await?;
        answer.await.unwrap_or(Err(WriteError::Unavailable))
    }

    async fn send(&self, command: Command) -> Result<(), WriteError> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| WriteError::Unavailable)
    }
}
