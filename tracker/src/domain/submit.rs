//! What becomes of a proof that arrives with a good signature.
//!
//! Most proofs extend their chain and are decided from memory. One that does not is a *stray*: whether
//! it is a duplicate, a fork or comes after a gap only the whole chain can tell, so the writer looks up
//! its [`History`] and asks again.

use farmops_ledger::ForkRefused;
use farmops_protocol::{
    chain::{self, ChainError, ChainHead},
    digest::Digest,
    enrolment::AgentStatus,
    key::PublicKey,
    proof::{ProofBody, VerifiedProof},
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    refusal::Refusal,
    state::State,
    waiting::{BufferBounds, WaitingRoom},
};

/// A proof with the key that it was verified under.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The proof.
    pub proof: VerifiedProof,
    /// The key; it must still be the agent's when the proof is decided.
    pub key: PublicKey,
}

/// How a proof stands to its agent's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It extends the chain of an approved agent and counts.
    Chained,
    /// It extends the buffered chain of an agent that waits for approval.
    Buffered(ChainHead),
    /// It is the head, once more.
    Duplicate,
    /// It extends the chain, but its id may stand in it already; its history decides.
    MaybeReused,
    /// A former key signed it, so it is known already or refused; its history decides.
    Former,
    /// It does not extend the chain; its history decides.
    Stray(ChainError),
}

/// What the store knows of a stray proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// The hash of the kept proof with the same id.
    pub same_id: Option<Digest>,
    /// The kept proof with the same predecessor.
    pub sibling: Option<Uuid>,
    /// Whether a fork at that predecessor is on record already.
    pub fork_recorded: bool,
}

/// Decides a proof from memory. `id_is_new` says that its history has been looked up and its id is not
/// in the chain.
pub fn decide_submit(
    state: &State,
    waiting: &WaitingRoom,
    bounds: &BufferBounds,
    submission: &Submission,
    id_is_new: bool,
    now: Timestamp,
) -> Result<Fit, Refusal> {
    let id = submission.proof.body().agent.agent_id;
    let agent = state.agents.get(&id).ok_or(Refusal::AgentUnknown)?;
    if agent.public_key != submission.key && agent.status != AgentStatus::Revoked {
        let mut former = agent.former_keys.iter();
        return if former.any(|former| former.key == submission.key) {
            Ok(Fit::Former)
        } else {
            Err(Refusal::BadSignature)
        };
    }
    let room = match agent.status {
        AgentStatus::Revoked => return Err(Refusal::AgentRevoked),
        AgentStatus::Active => None,
        AgentStatus::Pending => Some(waiting.get(&id).copied().unwrap_or_default()),
    };
    let (head, highest) = room.map_or((agent.head, agent.highest_proof), |room| {
        (room.head, room.highest_proof)
    });
    let is_new = id_is_new || highest < Some(submission.proof.body().proof_id);
    let extended = chain::extend(head.as_ref(), &submission.proof, now);
    if extended.is_ok() {
        chain::check_ids(submission.proof.body())?;
    }
    match (extended, room) {
        (Ok(_), _) if !is_new => Ok(Fit::MaybeReused),
        (Ok(_), None) => Ok(Fit::Chained),
        (Ok(extended), Some(room)) => {
            room.admit(submission.proof.bytes().len() as u64, bounds, now)?;
            Ok(Fit::Buffered(extended))
        }
        (Err(ChainError::Duplicate), _) => Ok(Fit::Duplicate),
        (Err(error), _) if points_elsewhere(error) => Ok(Fit::Stray(error)),
        (Err(error), _) => Err(Refusal::Chain { error, head }),
    }
}

/// What a stray proof turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stray {
    /// It is kept already.
    Duplicate,
    /// It is refused; the first fork at a predecessor is also recorded.
    Refused {
        /// Why.
        refusal: Refusal,
        /// What the ledger keeps of it.
        evidence: Option<ForkRefused>,
    },
}

/// Decides a stray proof. Only forks of an approved agent are recorded.
pub fn decide_stray(
    state: &State,
    waiting: &WaitingRoom,
    submission: &Submission,
    error: ChainError,
    history: &History,
) -> Stray {
    let body = submission.proof.body();
    let id = body.agent.agent_id;
    if history.same_id == Some(submission.proof.hash()) {
        return Stray::Duplicate;
    }
    let agent = state.agents.get(&id);
    let pending = agent.is_some_and(|agent| agent.status == AgentStatus::Pending);
    let head = if pending {
        waiting.get(&id).and_then(|room| room.head)
    } else {
        agent.and_then(|agent| agent.head)
    };
    if history.same_id.is_some() && history.sibling.is_none() {
        return Stray::Refused {
            refusal: Refusal::ProofIdTaken,
            evidence: None,
        };
    }
    let Some(kept) = history.sibling else {
        return Stray::Refused {
            refusal: Refusal::Chain { error, head },
            evidence: None,
        };
    };
    let evidence = (!pending && !history.fork_recorded).then(|| evidence(body, kept, submission));
    Stray::Refused {
        refusal: Refusal::Fork { kept, head },
        evidence,
    }
}

fn evidence(body: &ProofBody, kept: Uuid, submission: &Submission) -> ForkRefused {
    ForkRefused {
        agent_id: body.agent.agent_id,
        follows: body.prev_proof_id,
        kept,
        // Canonical JSON is UTF-8, so nothing is lost.
        refused: String::from_utf8_lossy(submission.proof.bytes()).into_owned(),
    }
}

/// Whether the proof names another predecessor than the head.
const fn points_elsewhere(error: ChainError) -> bool {
    matches!(
        error,
        ChainError::NotTheHead | ChainError::SecondGenesis | ChainError::NoGenesis
    )
}
