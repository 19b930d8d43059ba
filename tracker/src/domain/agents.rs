//! What is decided about agents: who may send proofs, with which key, and where a chain goes on.

use farmops_ledger::{
    AcceptedProof, AgentApproved, AgentDismissed, AgentRevoked, ChainReset, Event, KeyRotated,
    Withdrawn,
};
use farmops_protocol::{
    chain::ChainHead,
    chain_reset::{ParsedChainReset, VerifiedChainReset},
    enrolment::{AgentStatus, EnrolmentRequest},
    field::FieldError,
    key::Fingerprint,
    proof::VerifiedProof,
    rotation::ParsedKeyRotation,
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    refusal::Refusal,
    state::{Agent, State},
    waiting::{BufferBounds, KEYS_MAX, PENDING_KEYS_MAX, Waiting, WaitingRoom},
};

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
        return Err(Refusal::FingerprintDiffers);
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

/// Who waits in vain: agents that have sent no proof and were not heard of for so long as proofs are taken from
/// one that waits. They may give up their places (`ENR-PENDING-001`).
pub fn gone(
    state: &State,
    waiting: &WaitingRoom,
    bounds: &BufferBounds,
    heard_at: impl Fn(Uuid) -> Option<Timestamp>,
    now: Timestamp,
) -> Vec<Uuid> {
    let silent = |(id, agent): &(&Uuid, &Agent)| {
        let heard = heard_at(**id).map_or(agent.enrolled_at, |at| at.max(agent.enrolled_at));
        agent.status == AgentStatus::Pending
            && waiting.get(id).is_none_or(|room| room.head.is_none())
            && now.seconds_since(heard) > bounds.seconds_max()
    };
    let silent = state.agents.iter().filter(silent);
    silent.map(|(id, _)| *id).collect()
}

/// Decides to send away an agent that waits, with everything it has sent; `head` is how far that had
/// come. Sending it away twice changes nothing.
pub fn decide_dismiss(
    state: &State,
    agent_id: Uuid,
    head: Option<ChainHead>,
) -> Result<Option<Event>, Refusal> {
    let agent = state.agents.get(&agent_id).ok_or(Refusal::AgentUnknown)?;
    match agent.status {
        AgentStatus::Pending => Ok(Some(Event::AgentDismissed(AgentDismissed {
            agent_id,
            head,
        }))),
        AgentStatus::Revoked => Ok(None),
        AgentStatus::Active => Err(Refusal::AgentActive),
    }
}

/// From where on an agent's proofs stop counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The last proof that counts; none if none does.
    pub last_good_proof: Option<Uuid>,
    /// What the later ones had brought, as far as it still counts.
    pub withdrawn: Vec<Withdrawn>,
}

/// Decides the owner's revocation: nothing the agent sends from now on counts, and nothing after `cut`. Without
/// one everything up to its `last` proof does, whatever branch that is on.
/// Revoking again may only reach further back; what reaches as far changes nothing.
pub fn decide_revoke(
    state: &State,
    agent_id: Uuid,
    cut: Option<Cut>,
    last: Option<Uuid>,
) -> Result<Option<Event>, Refusal> {
    let agent = state.agents.get(&agent_id).ok_or(Refusal::AgentUnknown)?;
    let cut = match (agent.status, cut) {
        (AgentStatus::Pending, _) => return Err(Refusal::AgentPending),
        (AgentStatus::Revoked, None) => return Ok(None),
        (AgentStatus::Revoked, Some(cut)) if cut.withdrawn.is_empty() => return Ok(None),
        (_, Some(cut)) => cut,
        (AgentStatus::Active, None) => Cut {
            last_good_proof: last,
            withdrawn: Vec::new(),
        },
    };
    Ok(Some(Event::AgentRevoked(AgentRevoked {
        agent_id,
        last_good_proof: cut.last_good_proof,
        withdrawn: cut.withdrawn,
    })))
}

/// Decides an agent's hand-over to a new key. The same hand-over again changes nothing: its answer may
/// have been lost (`KEY-ROT-007`).
pub fn decide_rotate(
    state: &State,
    waiting: &WaitingRoom,
    rotation: ParsedKeyRotation,
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    let agent_id = rotation.rotation().agent_id;
    let new_key = rotation.rotation().new_key;
    let agent = trusted(state, agent_id)?;
    if agent.public_key == new_key {
        let former = agent.former_keys.last();
        let former =
            former.ok_or_else(|| replaced("this is the key that the agent enrolled with"))?;
        rotation.verify(agent_id, &former.key)?;
        return Ok(None);
    }
    let pending = agent.status == AgentStatus::Pending;
    let replaced_max = if pending { PENDING_KEYS_MAX } else { KEYS_MAX };
    if agent.former_keys.len() >= replaced_max {
        return Err(Refusal::TooManyKeys {
            replaced: agent.former_keys.len(),
            pending,
        });
    }
    rotation.check_fresh(now)?;
    if agent.former_keys.iter().any(|former| former.key == new_key) {
        return Err(replaced("a key that was replaced does not come back"));
    }
    let verified = rotation.verify(agent_id, &agent.public_key)?;
    let (head, place) = end_of_chain(agent, waiting.get(&agent_id));
    verified
        .check_head(head.as_ref())
        .map_err(|error| Refusal::Chain { error, head })?;
    Ok(Some(Event::KeyRotated(KeyRotated {
        agent_id,
        new_key,
        place,
        // Canonical JSON is UTF-8, so nothing is lost.
        rotation: String::from_utf8_lossy(verified.bytes()).into_owned(),
    })))
}

fn replaced(reason: &str) -> Refusal {
    FieldError::new("new_key", reason).into()
}

/// Where the agent's next proof goes on, and how many came before, buffered ones included.
pub fn end_of_chain(agent: &Agent, waiting: Option<&Waiting>) -> (Option<ChainHead>, u64) {
    match agent.status {
        AgentStatus::Pending => {
            let head = waiting.and_then(|room| room.head);
            (head, head.map_or(0, |head| head.length.value()))
        }
        AgentStatus::Active | AgentStatus::Revoked => (agent.head, agent.proofs),
    }
}

/// Checks an agent's request to let its chain resume earlier; the owner decides.
pub fn decide_ask_reset(
    state: &State,
    request: ParsedChainReset,
    now: Timestamp,
) -> Result<VerifiedChainReset, Refusal> {
    let agent_id = request.request().agent_id;
    let agent = trusted(state, agent_id)?;
    request.check_fresh(now)?;
    Ok(request.verify(agent_id, &agent.public_key)?)
}

/// Decides the owner's reset: the chain resumes at `resumes_at`, in a branch of its own. An agent that asks
/// to resume where its chain ends already has lost what came before with us (`PRF-RESET-009`).
pub fn decide_reset(
    state: &State,
    agent_id: Uuid,
    resumes_at: Option<ChainHead>,
    asked: Option<String>,
) -> Result<Option<Event>, Refusal> {
    let agent = approved(state, agent_id)?;
    if agent.head == resumes_at && asked.is_none() {
        return Ok(None);
    }
    Ok(Some(Event::ChainReset(ChainReset {
        agent_id,
        asked,
        branch: agent.branch + 1,
        resumes_at,
    })))
}

fn trusted(state: &State, agent_id: Uuid) -> Result<&Agent, Refusal> {
    let agent = state.agents.get(&agent_id).ok_or(Refusal::AgentUnknown)?;
    match agent.status {
        AgentStatus::Active | AgentStatus::Pending => Ok(agent),
        AgentStatus::Revoked => Err(Refusal::AgentRevoked),
    }
}

/// The agent, if its owner has approved it: only then it has a chain that can have a branch (`PRF-RESET-008`).
pub fn approved(state: &State, agent_id: Uuid) -> Result<&Agent, Refusal> {
    let agent = trusted(state, agent_id)?;
    match agent.status {
        AgentStatus::Pending => Err(Refusal::AgentPending),
        AgentStatus::Active | AgentStatus::Revoked => Ok(agent),
    }
}
