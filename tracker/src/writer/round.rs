//! One round of the writer: commands decided, not yet durable, not yet answered.

use farmops_protocol::{
    chain::ChainError,
    enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest},
    int::SafeUint,
    key::Fingerprint,
    proof::{ParsedProof, VerifiedProof},
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    Writer,
    command::{Answer, Checked, Command, Glimpse, Outgoing, Receipt, Reply, Standing, WriteError},
};
use crate::{
    domain::{
        Approval, Changes, FarmView, Fit, History, Refusal, Stray, Submission, decide_approve,
        decide_enrol, decide_revoke, decide_stray, decide_submit,
    },
    ledger::{AcceptedProof, Entry, Event, FullTile},
    store::{BufferedProof, Journal, StoreError},
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
    decided: Vec<Decided>,
}

/// A command with its answer, held back until the commit.
enum Decided {
    Proofs(Reply<Vec<Answer>>, Result<Vec<Answer>, WriteError>),
    Agent(Reply<EnrolmentAnswer>, Result<EnrolmentAnswer, WriteError>),
    Said(Reply<()>),
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
            decided: Vec::new(),
        }
    }

    pub(super) fn proofs(&self) -> usize {
        self.entries.len() + self.buffered.len()
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.proofs() > 0 || !self.released.is_empty() || !self.outgoing.is_empty()
    }

    /// Sends the answers, after the commit. A caller who has gone away is no fault.
    pub(super) fn answer(&mut self) {
        for decided in std::mem::take(&mut self.decided) {
            match decided {
                Decided::Proofs(reply, answers) => drop(reply.send(answers)),
                Decided::Agent(reply, answer) => drop(reply.send(answer)),
                Decided::Said(reply) => drop(reply.send(Ok(()))),
            }
        }
        *self = Self::new(self.now);
    }

    /// Answers "unavailable" to everyone.
    pub(super) fn fail(&mut self) {
        for decided in std::mem::take(&mut self.decided) {
            match decided {
                Decided::Proofs(reply, _) => drop(reply.send(Err(WriteError::Unavailable))),
                Decided::Agent(reply, _) => drop(reply.send(Err(WriteError::Unavailable))),
                Decided::Said(reply) => drop(reply.send(Err(WriteError::Unavailable))),
            }
        }
        *self = Self::new(self.now);
    }
}

impl<J: Journal> Writer<J> {
    /// Decides one command and keeps its answer for after the commit.
    pub(super) async fn take(&mut self, round: &mut Round, command: Command) {
        match command {
            Command::Submit { chunk, reply } => {
                let answers = self.submit(round, chunk).await;
                round.decided.push(Decided::Proofs(reply, answers));
            }
            Command::Enrol { request, reply } => {
                let answer = self.enrol(round, *request).map_err(WriteError::from);
                round.decided.push(Decided::Agent(reply, answer));
            }
            Command::Approve {
                agent_id,
                fingerprint,
                reply,
            } => {
                let answer = self.approve(round, agent_id, fingerprint).await;
                round.decided.push(Decided::Agent(reply, answer));
            }
            Command::Revoke { agent_id, reply } => {
                let answer = self.revoke(round, agent_id).map_err(WriteError::from);
                round.decided.push(Decided::Agent(reply, answer));
            }
            Command::Glimpse { notice_keys, reply } => {
                // What is shown must be durable.
                let glimpse = if self.commit(round).await {
                    self.glimpse(&notice_keys).await.map_err(unavailable)
                } else {
                    Err(WriteError::Unavailable)
                };
                drop(reply.send(glimpse));
            }
            Command::Say { outgoing, reply } => {
                round.outgoing.append(*outgoing);
                round.decided.push(Decided::Said(reply));
            }
        }
    }

    async fn submit(
        &mut self,
        round: &mut Round,
        chunk: Vec<Checked>,
    ) -> Result<Vec<Answer>, WriteError> {
        let mut answers = Vec::with_capacity(chunk.len());
        for checked in chunk {
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
            Ok(Fit::Stray(error)) => self.stray(round, &submission, error).await,
            // With `id_is_new` it is never in doubt.
            Ok(Fit::MaybeReused) => Ok(Err(Refusal::ProofIdTaken)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn buffer(
        &mut self,
        round: &mut Round,
        proof: &VerifiedProof,
        head: farmops_protocol::chain::ChainHead,
    ) {
        let body = proof.body();
        let agent_id = body.agent.agent_id;
        let room = self.waiting.entry(agent_id).or_default();
        *room = room.with(head, proof.bytes().len() as u64, round.now);
        round.buffered.push(BufferedProof {
            agent_id,
            chain_length: head.length.value(),
            proof_id: body.proof_id,
            follows: body.prev_proof_id.unwrap_or(agent_id),
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
        let follows = body.prev_proof_id.unwrap_or(agent);
        let history = self.journal.history(agent, body.proof_id, follows).await;
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

    fn enrol(
        &mut self,
        round: &mut Round,
        request: EnrolmentRequest,
    ) -> Result<EnrolmentAnswer, Refusal> {
        let agent_id = request.agent_id;
        if let Some(event) = decide_enrol(&self.state, &self.setup.bounds, request)? {
            self.record(round, event);
            round.agents_changed = true;
        }
        self.standing_of(agent_id)
    }

    async fn approve(
        &mut self,
        round: &mut Round,
        agent_id: Uuid,
        fingerprint: Fingerprint,
    ) -> Result<EnrolmentAnswer, WriteError> {
        // Proofs buffered in this very round have to be on disk to be found.
        if round.is_dirty() && !self.commit(round).await {
            return Err(WriteError::Unavailable);
        }
        let buffered = self.buffered_chain(agent_id).await?;
        match decide_approve(&self.state, agent_id, fingerprint, buffered)? {
            Approval::Already => {}
            Approval::Now(events) => {
                for event in events {
                    self.record(round, event);
                }
                round.agents_changed = true;
                round.released.push(agent_id);
                self.waiting.remove(&agent_id);
            }
        }
        Ok(self.standing_of(agent_id)?)
    }

    async fn buffered_chain(&mut self, agent_id: Uuid) -> Result<Vec<VerifiedProof>, WriteError> {
        let Some(agent) = self.state.agents.get(&agent_id) else {
            return Ok(Vec::new());
        };
        let key = agent.public_key;
        let bodies = self.journal.buffered(agent_id).await.map_err(unavailable)?;
        bodies
            .iter()
            .map(|bytes| {
                let parsed = ParsedProof::parse(bytes).map_err(Refusal::from)?;
                Ok(parsed.verify(&key).map_err(|_| Refusal::BadSignature)?)
            })
            .collect()
    }

    fn revoke(&mut self, round: &mut Round, agent_id: Uuid) -> Result<EnrolmentAnswer, Refusal> {
        if let Some(event) = decide_revoke(&self.state, agent_id)? {
            self.record(round, event);
            round.agents_changed = true;
        }
        self.standing_of(agent_id)
    }

    fn standing_of(&self, agent_id: Uuid) -> Result<EnrolmentAnswer, Refusal> {
        let agent = self
            .state
            .agents
            .get(&agent_id)
            .ok_or(Refusal::AgentUnknown)?;
        let head = match agent.status {
            AgentStatus::Pending => self.waiting.get(&agent_id).and_then(|room| room.head),
            AgentStatus::Active | AgentStatus::Revoked => agent.head,
        };
        Ok(EnrolmentAnswer {
            branch: SafeUint::ZERO,
            fingerprint: agent.public_key.fingerprint(),
            head,
            reset_waiting: false,
            status: agent.status,
        })
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
fn unavailable(error: StoreError) -> WriteError {
    tracing::error!(%error, cause = ?error, "the store could not be read");
    WriteError::Unavailable
}
