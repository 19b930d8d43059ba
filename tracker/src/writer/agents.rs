//! What the writer does about agents. Where the rules need to know more than the state, it asks the
//! store first; what it is asked about must be on disk, so it commits the round before.

use farmops_ledger::{AgentOutage, Event};
use farmops_protocol::{
    chain_reset::ParsedChainReset,
    enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest},
    field::FieldError,
    int::SafeUint,
    key::Fingerprint,
    proof::{ParsedProof, VerifiedProof},
    rotation::ParsedKeyRotation,
};
use uuid::Uuid;

use super::{
    Writer,
    command::{Resumption, Since, WriteError},
    round::{Round, unavailable},
};
use crate::{
    domain::{
        Approval, Refusal, approved, decide_approve, decide_ask_reset, decide_dismiss,
        decide_enrol, decide_reset, decide_revoke, decide_rotate, end_of_chain, gone,
    },
    store::ResetAsked,
};

impl Writer {
    pub(super) fn enrol(
        &mut self,
        round: &mut Round,
        request: EnrolmentRequest,
    ) -> Result<EnrolmentAnswer, Refusal> {
        let agent_id = request.agent_id;
        let mut decided = decide_enrol(&self.state, &self.setup.bounds, request.clone());
        if matches!(decided, Err(Refusal::TooManyPending(_))) && self.send_the_gone_away(round)? {
            decided = decide_enrol(&self.state, &self.setup.bounds, request);
        }
        if let Some(event) = decided? {
            self.record(round, event);
            round.agents_changed = true;
        }
        self.hear(round, agent_id);
        self.standing_of(agent_id)
    }

    pub(super) async fn approve(
        &mut self,
        round: &mut Round,
        agent_id: Uuid,
        fingerprint: Fingerprint,
    ) -> Result<EnrolmentAnswer, WriteError> {
        self.settle(round).await?;
        let buffered = self.buffered_chain(agent_id).await?;
        match decide_approve(&self.state, agent_id, fingerprint, buffered)? {
            Approval::Already => {}
            Approval::Now(events) => {
                for event in events {
                    self.record(round, event);
                }
                self.release(round, agent_id);
            }
        }
        Ok(self.standing_of(agent_id)?)
    }

    pub(super) fn dismiss(
        &mut self,
        round: &mut Round,
        agent_id: Uuid,
    ) -> Result<EnrolmentAnswer, Refusal> {
        let head = self.waiting.get(&agent_id).and_then(|room| room.head);
        if let Some(event) = decide_dismiss(&self.state, agent_id, head)? {
            self.record(round, event);
            self.release(round, agent_id);
            self.forget_request(round, agent_id);
        }
        self.standing_of(agent_id)
    }

    /// Makes room among those that wait; whether there is more of it.
    fn send_the_gone_away(&mut self, round: &mut Round) -> Result<bool, Refusal> {
        let heard_at = |id| self.contacts.heard_at(id);
        let bounds = &self.setup.bounds;
        let gone = gone(&self.state, &self.waiting, bounds, heard_at, round.now);
        for agent_id in &gone {
            tracing::info!(agent = %agent_id, "it waited in vain and is sent away to make room");
            self.dismiss(round, *agent_id)?;
        }
        Ok(!gone.is_empty())
    }

    /// The agent waits no longer.
    fn release(&mut self, round: &mut Round, agent_id: Uuid) {
        round.agents_changed = true;
        round.released.push(agent_id);
        // What this very round buffered would come after the release.
        round.buffered.retain(|proof| proof.agent_id != agent_id);
        self.waiting.remove(&agent_id);
    }

    async fn buffered_chain(&mut self, agent_id: Uuid) -> Result<Vec<VerifiedProof>, WriteError> {
        let bodies = self.journal.buffered(agent_id).await.map_err(unavailable)?;
        let Some(agent) = self.state.agents.get(&agent_id) else {
            return Ok(Vec::new());
        };
        (0_u64..)
            .zip(&bodies)
            .map(|(place, bytes)| {
                let parsed = ParsedProof::parse(bytes).map_err(Refusal::from)?;
                let verified = parsed.verify(agent.key_at(place));
                Ok(verified.map_err(|_| Refusal::BadSignature)?)
            })
            .collect()
    }

    pub(super) async fn revoke(
        &mut self,
        round: &mut Round,
        agent_id: Uuid,
        since: Since,
    ) -> Result<EnrolmentAnswer, WriteError> {
        self.settle(round).await?;
        let last = self.journal.last_proof(agent_id).await;
        let last = last.map_err(unavailable)?;
        let cut = match since {
            Since::Now => None,
            Since::After(last_good) => {
                let cut = self.journal.cut(agent_id, last_good).await;
                Some(
                    cut.map_err(unavailable)?
                        .ok_or(Refusal::NoSuchProof("last_good_proof"))?,
                )
            }
        };
        if let Some(event) = decide_revoke(&self.state, agent_id, cut, last)? {
            self.record(round, event);
            self.forget_request(round, agent_id);
            round.agents_changed = true;
        }
        Ok(self.standing_of(agent_id)?)
    }

    pub(super) fn rotate(
        &mut self,
        round: &mut Round,
        rotation: ParsedKeyRotation,
    ) -> Result<EnrolmentAnswer, Refusal> {
        let agent_id = rotation.rotation().agent_id;
        if let Some(event) = decide_rotate(&self.state, &self.waiting, rotation, round.now)? {
            self.record(round, event);
            round.agents_changed = true;
        }
        self.hear(round, agent_id);
        self.standing_of(agent_id)
    }

    pub(super) async fn ask_reset(
        &mut self,
        round: &mut Round,
        request: ParsedChainReset,
    ) -> Result<EnrolmentAnswer, WriteError> {
        let agent_id = request.request().agent_id;
        let verified = decide_ask_reset(&self.state, request, round.now)?;
        let resumes_after = verified.request().resumes_after;
        self.hear(round, agent_id);
        if let Some(proof) = resumes_after {
            self.settle(round).await?;
            // Of a pending agent it is buffered.
            let held = self.journal.history(agent_id, proof, proof).await;
            held.map_err(unavailable)?.same_id.ok_or_else(|| {
                let reason = "no proof of this agent has that id";
                Refusal::Invalid(FieldError::new("resumes_after", reason))
            })?;
        }
        let asked = ResetAsked {
            agent_id,
            resumes_after,
            received_at: round.now,
            // Canonical JSON is UTF-8, so nothing is lost.
            text: String::from_utf8_lossy(verified.bytes()).into_owned(),
        };
        self.resets.insert(agent_id, asked.clone());
        round.resets_asked.push(asked);
        Ok(self.standing_of(agent_id)?)
    }

    pub(super) async fn reset(
        &mut self,
        round: &mut Round,
        agent_id: Uuid,
        resumption: Resumption,
    ) -> Result<EnrolmentAnswer, WriteError> {
        approved(&self.state, agent_id)?;
        let asked = self.resets.get(&agent_id).cloned();
        let (after, asked) = match (resumption, asked) {
            (Resumption::AsAsked, Some(asked)) => (asked.resumes_after, Some(asked.text)),
            (Resumption::AsAsked, None) => return Err(Refusal::NoResetAsked.into()),
            (Resumption::After(proof), asked) => {
                let same = asked.filter(|asked| asked.resumes_after == proof);
                (proof, same.map(|asked| asked.text))
            }
        };
        let resumes_at = match after {
            None => None,
            Some(proof) => {
                self.settle(round).await?;
                let head = self.journal.head_at(agent_id, proof).await;
                Some(
                    head.map_err(unavailable)?
                        .ok_or(Refusal::NoSuchProof("resumes_after"))?,
                )
            }
        };
        if let Some(event) = decide_reset(&self.state, agent_id, resumes_at, asked)? {
            tracing::info!(agent = %agent_id, "a chain resumes in a new branch");
            self.record(round, event);
            self.forget_request(round, agent_id);
        }
        Ok(self.standing_of(agent_id)?)
    }

    fn forget_request(&mut self, round: &mut Round, agent_id: Uuid) {
        if self.resets.remove(&agent_id).is_some() {
            round
                .resets_asked
                .retain(|asked| asked.agent_id != agent_id);
            round.resets_answered.push(agent_id);
        }
    }

    /// Notes that an agent was heard of; after a long silence of a trusted one, also that. What was before its
    /// owner trusted it is nobody's outage.
    pub(super) fn hear(&mut self, round: &mut Round, agent_id: Uuid) {
        let agent = self.state.agents.get(&agent_id);
        let Some(agent) = agent.filter(|agent| agent.status != AgentStatus::Revoked) else {
            return;
        };
        let trusted_since = agent.approved_at;
        let heard = self.contacts.hear(agent_id, round.now);
        let trusted = |outage: &AgentOutage| trusted_since.is_some_and(|at| at <= outage.from);
        if let Some(outage) = heard.outage.filter(trusted) {
            self.record(round, Event::AgentOutage(outage));
        }
        if heard.keep {
            round.contacts.push((agent_id, round.now));
        }
    }

    /// Where an agent stands, as it is told.
    pub(super) fn standing_of(&self, agent_id: Uuid) -> Result<EnrolmentAnswer, Refusal> {
        let agent = self.state.agents.get(&agent_id);
        let agent = agent.ok_or(Refusal::AgentUnknown)?;
        let (head, _) = end_of_chain(agent, self.waiting.get(&agent_id));
        Ok(EnrolmentAnswer {
            // A branch costs its owner a decision: there are never 2^53.
            branch: SafeUint::try_from(agent.branch).unwrap_or_default(),
            fingerprint: agent.public_key.fingerprint(),
            head,
            reset_waiting: self.resets.contains_key(&agent_id),
            status: agent.status,
        })
    }

    /// Puts on disk what this round has decided so far, so that the store knows of it.
    async fn settle(&mut self, round: &mut Round) -> Result<(), WriteError> {
        if round.is_dirty() && !self.commit(round).await {
            return Err(WriteError::Unavailable);
        }
        Ok(())
    }
}
