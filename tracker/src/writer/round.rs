//! One round of the writer: commands decided, not yet durable, not yet answered.

use farmops_ledger::{AcceptedProof, Entry, Event};
use farmops_protocol::{
    chain::{ChainError, ChainHead},
    proof::VerifiedProof,
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    Writer,
    command::{
        Answer, Answering, Checked, Command, Glimpse, Outgoing, Receipt, Reply, Standing,
        WriteError, answering,
    },
};
use crate::{
    domain::{
        Changes, FarmView, Fit, History, Refusal, Stray, Submission, decide_stray, decide_submit,
        follows,
    },
    log::FullTile,
    store::{BufferedProof, ResetAsked, StoreError},
};

/// What a round has gathered.
pub(super) struct Round {
    pub(super) now: Timestamp,
    pub(super) entries: Vec<Entry>,
    pub(super) changes: Changes,
    pub(super) tiles: Vec<FullTile>,
    pub(super) buffered: Vec<BufferedProof>,
    pub(super) released: Vec<Uuid>,
    pub(super) outgoing: Outgoing,
    pub(super) agents_changed: bool,
    pub(super) resets_asked: Vec<ResetAsked>,
    pub(super) resets_answered: Vec<Uuid>,
    pub(super) contacts: Vec<(Uuid, Timestamp)>,
    /// The answers, held back until the commit.
    answers: Vec<Answering>,
    /// What was decided in it, to be carried out again if one of them fails the commit.
    commands: Vec<Command>,
    /// Whether one more is being decided.
    deciding: bool,
    /// Whether that one has to be decided again.
    again: bool,
}

impl Round {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            entries: Vec::new(),
            changes: Changes::default(),
            tiles: Vec::new(),
            buffered: Vec::new(),
            released: Vec::new(),
            outgoing: Outgoing::default(),
            agents_changed: false,
            resets_asked: Vec::new(),
            resets_answered: Vec::new(),
            contacts: Vec::new(),
            answers: Vec::new(),
            commands: Vec::new(),
            deciding: false,
            again: false,
        }
    }

    /// Whether all that it has gathered comes of one command.
    pub(super) fn is_one_command(&self) -> bool {
        self.commands.len() + usize::from(self.deciding) < 2
    }

    /// Its commands, unanswered; the one that is being decided is to be decided again.
    pub(super) fn take_back(&mut self) -> Vec<Command> {
        let again = self.deciding;
        let fresh = Self {
            deciding: again,
            again,
            ..Self::new(self.now)
        };
        std::mem::replace(self, fresh).commands
    }

    pub(super) fn proofs(&self) -> usize {
        self.entries.len() + self.buffered.len()
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.proofs() > 0
            || !self.released.is_empty()
            || !self.outgoing.is_empty()
            || !self.resets_asked.is_empty()
            || !self.resets_answered.is_empty()
            || !self.contacts.is_empty()
    }

    /// Keeps an answer for after the commit.
    pub(super) fn keep<T: Send + 'static>(
        &mut self,
        reply: Reply<T>,
        answer: Result<T, WriteError>,
    ) {
        self.answers.push(answering(reply, answer));
    }

    /// Answers everyone: as decided, or that nothing came of it.
    pub(super) fn end(&mut self, committed: &Result<(), WriteError>) {
        for answer in std::mem::take(&mut self.answers) {
            answer(committed.clone());
        }
        *self = Self {
            deciding: self.deciding,
            ..Self::new(self.now)
        };
    }
}

impl Writer {
    /// Decides one command and keeps its answer for after the commit.
    pub(super) async fn take(&mut self, round: &mut Round, command: Command) {
        round.deciding = true;
        self.decide(round, command.clone()).await;
        if std::mem::take(&mut round.again) {
            // What it had waited for failed through another one.
            round.answers.clear();
            self.decide(round, command.clone()).await;
        }
        round.deciding = false;
        round.commands.push(command);
    }

    async fn decide(&mut self, round: &mut Round, command: Command) {
        match command {
            Command::Submit { chunk, reply } => {
                let answers = self.submit(round, chunk).await;
                round.keep(reply, answers);
            }
            Command::Enrol { request, reply } => {
                let answer = self.enrol(round, *request);
                round.keep(reply, answer.map_err(WriteError::from));
            }
            Command::Approve {
                agent_id,
                fingerprint,
                reply,
            } => {
                let answer = self.approve(round, agent_id, fingerprint).await;
                round.keep(reply, answer);
            }
            Command::Dismiss { agent_id, reply } => {
                let answer = self.dismiss(round, agent_id);
                round.keep(reply, answer.map_err(WriteError::from));
            }
            Command::Revoke {
                agent_id,
                since,
                reply,
            } => {
                let answer = self.revoke(round, agent_id, since).await;
                round.keep(reply, answer);
            }
            Command::Rotate { rotation, reply } => {
                let answer = self.rotate(round, *rotation);
                round.keep(reply, answer.map_err(WriteError::from));
            }
            Command::AskReset { request, reply } => {
                let answer = self.ask_reset(round, *request).await;
                round.keep(reply, answer);
            }
            Command::Reset {
                agent_id,
                resumption,
                reply,
            } => {
                let answer = self.reset(round, agent_id, resumption).await;
                round.keep(reply, answer);
            }
            Command::Decide(decide) => {
                let decided = decide(&self.state, round.now);
                for event in decided.events {
                    self.record(round, event);
                }
                round.answers.push((decided.answer)(&self.state));
            }
            Command::Glimpse { notice_keys, reply } => {
                // What is shown must be durable.
                let glimpse = if self.commit(round).await {
                    self.glimpse(&notice_keys).await.map_err(unavailable)
                } else if round.again {
                    return;
                } else {
                    Err(WriteError::Unavailable)
                };
                reply.send(glimpse);
            }
            Command::Say { outgoing, reply } => {
                round.outgoing.append(*outgoing);
                round.keep(reply, Ok(()));
            }
        }
    }

    async fn submit(
        &mut self,
        round: &mut Round,
        chunk: Vec<Checked>,
    ) -> Result<Vec<Answer>, WriteError> {
        let mut answers = Vec::with_capacity(chunk.len());
        let mut heard = None;
        for checked in chunk {
            let agent = checked.as_ref().ok().map(|s| s.proof.body().agent.agent_id);
            if let Some(agent) = agent.filter(|agent| heard.replace(*agent) != Some(*agent)) {
                self.hear(round, agent);
            }
            answers.push(match checked {
                Ok(submission) => self.submit_one(round, submission).await?,
                Err(refusal) => Err(refusal),
            });
        }
        Ok(answers)
    }

    async fn submit_one(
        &mut self,
        round: &mut Round,
        submission: Submission,
    ) -> Result<Answer, WriteError> {
        let decide = |writer: &Self, round: &Round, id_is_new| {
            let (state, waiting) = (&writer.state, &writer.waiting);
            decide_submit(
                state,
                waiting,
                &writer.setup.bounds,
                &submission,
                id_is_new,
                round.now,
            )
        };
        let mut fit = decide(self, round, false);
        if matches!(fit, Ok(Fit::MaybeReused)) {
            let history = self.history(round, &submission).await?;
            if history.same_id.is_some() {
                return Ok(Err(Refusal::ProofIdTaken));
            }
            fit = decide(self, round, true);
        }
        let hash = submission.proof.hash();
        let accepted = |standing| Ok(Ok(Receipt { hash, standing }));
        match fit {
            Ok(Fit::Chained) => {
                let proof = Box::new(AcceptedProof::Verified(submission.proof));
                self.record(round, Event::ProofAccepted(proof));
                accepted(Standing::Chained)
            }
            Ok(Fit::Buffered(head)) => {
                self.buffer(round, &submission.proof, head);
                accepted(Standing::Buffered)
            }
            Ok(Fit::Duplicate) => accepted(Standing::Duplicate),
            Ok(Fit::Former) => {
                let history = self.history(round, &submission).await?;
                Ok(if history.same_id == Some(hash) {
                    Ok(Receipt {
                        hash,
                        standing: Standing::Duplicate,
                    })
                } else {
                    Err(Refusal::BadSignature)
                })
            }
            Ok(Fit::Stray(error)) => self.stray(round, &submission, error).await,
            // With `id_is_new` it is never in doubt.
            Ok(Fit::MaybeReused) => Ok(Err(Refusal::ProofIdTaken)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn buffer(&mut self, round: &mut Round, proof: &VerifiedProof, head: ChainHead) {
        let body = proof.body();
        let agent_id = body.agent.agent_id;
        let room = self.waiting.entry(agent_id).or_default();
        *room = room.with(head, proof.bytes().len() as u64, round.now);
        round.buffered.push(BufferedProof {
            agent_id,
            chain_length: head.length.value(),
            proof_id: body.proof_id,
            follows: follows(body),
            hash: proof.hash(),
            timestamp: body.timestamp,
            received_at: round.now,
            bytes: proof.bytes().to_vec(),
        });
    }

    /// Looks a proof's history up. What this round has decided so far goes to the store first, so that
    /// the look-up sees it.
    async fn history(
        &mut self,
        round: &mut Round,
        submission: &Submission,
    ) -> Result<History, WriteError> {
        if round.is_dirty() && !self.commit(round).await {
            return Err(WriteError::Unavailable);
        }
        let body = submission.proof.body();
        let agent = body.agent.agent_id;
        let history = self.journal.history(agent, body.proof_id, follows(body));
        let history = history.await;
        history.map_err(unavailable)
    }

    async fn stray(
        &mut self,
        round: &mut Round,
        submission: &Submission,
        error: ChainError,
    ) -> Result<Answer, WriteError> {
        let history = self.history(round, submission).await?;
        match decide_stray(&self.state, &self.waiting, submission, error, &history) {
            Stray::Duplicate => Ok(Ok(Receipt {
                hash: submission.proof.hash(),
                standing: Standing::Duplicate,
            })),
            Stray::Refused { refusal, evidence } => {
                if let Some(fork) = evidence {
                    let agent = fork.agent_id;
                    tracing::warn!(%agent, kept = %fork.kept, "an agent signed a fork; evidence kept");
                    self.record(round, Event::ForkRefused(fork));
                }
                Ok(Err(refusal))
            }
        }
    }

    async fn glimpse(&mut self, notice_keys: &[String]) -> Result<Glimpse, StoreError> {
        let mut notices = Vec::new();
        for key in notice_keys {
            notices.extend(self.journal.notice(key).await?);
        }
        Ok(Glimpse {
            farm: FarmView::of(&self.state),
            head: self.durable,
            signed: self.journal.checkpoint().await?,
            public_position: self.state.public_position,
            published: self.journal.last_publication().await?,
            notices,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(super) fn unavailable(error: StoreError) -> WriteError {
    tracing::error!(%error, cause = ?error, "the store could not be read");
    WriteError::Unavailable
}
