//! Enrolling, approving and revoking agents.

use farmops_protocol::{
    enrolment::{AgentStatus, EnrolmentRequest},
    key::Fingerprint,
    proof::VerifiedProof,
};
use uuid::Uuid;

use super::{refusal::Refusal, state::State, waiting::BufferBounds};
use crate::ledger::{AcceptedProof, AgentApproved, AgentRevoked, Event};

/// Decides a verified enrolment. Enrolling again with the same key changes nothing: it is how an agent
/// says hello and learns where its chain ends.
pub fn decide_enrol(
    state: &State,
    bounds: &BufferBounds,
    request: EnrolmentRequest,
) -> Result<Option<Event>, Refusal> {
    match state.agents.get(&request.agent_id) {
        Some(agent) if agent.public_key == request.public_key => Ok(None),
        Some(_) => Err(Refusal::AgentIdTaken),
        None => {
            let pending = state
                .agents
                .values()
                .filter(|agent| agent.status == AgentStatus::Pending)
                .count();
            if pending >= bounds.agents_max {
                Err(Refusal::TooManyPending(pending))
            } else {
                Ok(Some(Event::AgentEnrolled(request)))
            }
        }
    }
}

/// What an approval brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Approval {
    /// The approval and then each buffered proof, in chain order.
    Now(Vec<Event>),
    /// It was approved before.
    Already,
}

/// Decides the owner's approval. `buffered` are the agent's proofs in chain order, each of which was
/// checked against the chain when it was buffered.
pub fn decide_approve(
    state: &State,
    agent_id: Uuid,
    fingerprint: Fingerprint,
    buffered: Vec<VerifiedProof>,
) -> Result<Approval, Refusal> {
    let agent = state.agents.get(&agent_id).ok_or(Refusal::AgentUnknown)?;
    let actual = agent.public_key.fingerprint();
    if actual != fingerprint {
        return Err(Refusal::FingerprintDiffers(actual.to_string()));
    }
    match agent.status {
        AgentStatus::Revoked => Err(Refusal::AgentRevoked),
        AgentStatus::Active => Ok(Approval::Already),
        AgentStatus::Pending => {
            let approved = Event::AgentApproved(AgentApproved {
                agent_id,
                fingerprint,
            });
            let proofs = buffered
                .into_iter()
                .map(|proof| Event::ProofAccepted(Box::new(AcceptedProof::Verified(proof))));
            Ok(Approval::Now(
                std::iter::once(approved).chain(proofs).collect(),
            ))
        }
    }
}

/// Decides the owner's revocation: nothing the agent sends from now on counts. Revoking twice changes nothing.
pub fn decide_revoke(state: &State, agent_id: Uuid) -> Result<Option<Event>, Refusal> {
    let agent = state.agents.get(&agent_id).ok_or(Refusal::AgentUnknown)?;
    Ok((agent.status != AgentStatus::Revoked).then(|| {
        Event::AgentRevoked(AgentRevoked {
            agent_id,
            last_good_proof: agent.head.map(|head| head.proof_id),
        })
    }))
}
