//! Why the tracker does not do what it was asked, with a word for machines and the field to blame.

use farmops_farm::shop::NotForSale;
use farmops_protocol::{
    chain::{ChainError, ChainHead},
    field::FieldError,
};
use uuid::Uuid;

/// A request that was understood and refused. Nothing of it leaves a trace in any projection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A member of the document breaks a rule.
    #[error("{}", .0.reason)]
    Invalid(FieldError),
    /// The agent's key did not sign it.
    #[error("the signature does not verify under the agent's key")]
    BadSignature,
    /// Nobody enrolled under this id.
    #[error("no agent has enrolled under this id")]
    AgentUnknown,
    /// The owner revoked the agent.
    #[error("the owner has revoked this agent")]
    AgentRevoked,
    /// The owner has not approved the agent yet.
    #[error("the owner has not approved this agent yet")]
    AgentPending,
    /// Only an agent that waits can be sent away.
    #[error("the agent is approved; revoke it instead")]
    AgentActive,
    /// No proof of this agent has the id in that field.
    #[error("no proof of this agent has that id")]
    NoSuchProof(&'static str),
    /// Only the agent or a proof's id says where its chain is to resume.
    #[error("this agent has not asked for its chain to resume; name the proof to resume after")]
    NoResetAsked,
    /// The farm was never in that league.
    #[error("the farm was never in that league")]
    NoSuchLeague,
    /// The farm is in a league of that slug that another village runs, or by rules of the owner's.
    #[error("the farm is in another league of this name; leave that one first")]
    OtherLeague,
    /// The item cannot be bought now.
    #[error(transparent)]
    NotForSale(#[from] NotForSale),
    /// The key stands for another purchase.
    #[error("this key was used to buy `{0}`; use a new key for another purchase")]
    KeyReused(String),
    /// The id belongs to another key.
    #[error("another key is enrolled under this id")]
    AgentIdTaken,
    /// Too many agents wait for the owner.
    #[error("{0} agents already wait for approval")]
    TooManyPending(usize),
    /// The agent has replaced its key as often as it may.
    #[error("{}", too_many_keys(*.replaced, *.pending))]
    TooManyKeys {
        /// How often it has.
        replaced: usize,
        /// Whether it waits for its owner.
        pending: bool,
    },
    /// The owner compared with something else. It does not say what the key's is: that is to come from the agent.
    #[error(
        "the agent's key has another fingerprint; take the one that `farmops-agent keys show` says where the agent runs"
    )]
    FingerprintDiffers,
    /// The chain has another proof under this id.
    #[error("another proof of this chain has the same id")]
    ProofIdTaken,
    /// The proof does not extend the chain.
    #[error("{error}")]
    Chain {
        /// What does not fit.
        error: ChainError,
        /// Where the chain ends: the agent resumes there.
        head: Option<ChainHead>,
    },
    /// A second proof with the same predecessor.
    #[error("proof {kept} already follows that predecessor; this one is a fork")]
    Fork {
        /// The proof that stands.
        kept: Uuid,
        /// Where the chain ends.
        head: Option<ChainHead>,
    },
    /// The agent has sent as much as is kept before approval.
    #[error("the buffer for this agent is full until the owner approves it: {0}")]
    BufferFull(&'static str),
}

/// What sort of refusal it is: each door has one status for each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It is about something that does not exist.
    NotFound,
    /// Whoever asks may not.
    Denied,
    /// Someone else has it.
    Taken,
    /// It does not fit what is recorded.
    Conflict,
    /// There is too much of it for now.
    TooMany,
    /// It breaks a rule whatever is recorded.
    Invalid,
}

/// Seconds after which a refused agent should try again when the owner has to act first.
const OWNER_SECONDS: u32 = 300;

impl Refusal {
    /// The word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::ProofIdTaken => "invalid",
            Self::BadSignature => "bad-signature",
            Self::AgentUnknown => "agent-unknown",
            Self::AgentRevoked => "agent-revoked",
            Self::AgentPending => "agent-pending",
            Self::AgentActive => "agent-active",
            Self::NoSuchProof(_) => "no-such-proof",
            Self::NoResetAsked => "no-reset-asked",
            Self::NoSuchLeague => "no-such-league",
            Self::OtherLeague => "other-league",
            Self::NotForSale(reason) => reason.code(),
            Self::KeyReused(_) => "idempotency-key-reused",
            Self::AgentIdTaken => "agent-id-taken",
            Self::TooManyPending(_) => "too-many-pending",
            Self::TooManyKeys { .. } => "too-many-keys",
            Self::FingerprintDiffers => "fingerprint-differs",
            // To the agent both mean the same: this is not where the chain goes on.
            Self::Chain {
                error: ChainError::NoGenesis,
                ..
            } => ChainError::NotTheHead.code(),
            Self::Chain { error, .. } => error.code(),
            Self::Fork { .. } => "fork",
            Self::BufferFull(_) => "buffer-full",
        }
    }

    /// What sort of refusal it is.
    pub fn sort(&self) -> Sort {
        match self {
            Self::AgentUnknown | Self::NoSuchLeague => Sort::NotFound,
            Self::AgentRevoked => Sort::Denied,
            Self::TooManyPending(_)
            | Self::BufferFull(_)
            | Self::TooManyKeys { pending: true, .. } => Sort::TooMany,
            Self::Invalid(_)
            | Self::ProofIdTaken
            | Self::NoSuchProof(_)
            | Self::BadSignature
            | Self::FingerprintDiffers
            | Self::KeyReused(_)
            | Self::NotForSale(NotForSale::Unknown(_))
            // A time is wrong whatever the chain holds.
            | Self::Chain {
                error: ChainError::BackInTime | ChainError::FutureDated,
                ..
            } => Sort::Invalid,
            Self::AgentIdTaken => Sort::Taken,
            Self::NoResetAsked
            | Self::OtherLeague
            | Self::AgentPending
            | Self::AgentActive
            | Self::TooManyKeys { .. }
            | Self::NotForSale(_)
            | Self::Chain { .. }
            | Self::Fork { .. } => Sort::Conflict,
        }
    }

    /// The member of the document that the refusal is about.
    pub fn field(&self) -> &str {
        match self {
            Self::Invalid(error) => &error.field,
            Self::BadSignature => "signature",
            Self::ProofIdTaken => "proof_id",
            Self::AgentUnknown | Self::AgentRevoked | Self::BufferFull(_) => "agent.agent_id",
            Self::AgentIdTaken
            | Self::TooManyPending(_)
            | Self::AgentPending
            | Self::AgentActive => "agent_id",
            Self::NoSuchProof(field) => field,
            Self::NoResetAsked => "resumes_after",
            Self::NoSuchLeague | Self::OtherLeague => "league",
            Self::NotForSale(_) => "item",
            Self::KeyReused(_) => "Idempotency-Key",
            Self::TooManyKeys { .. } => "new_key",
            Self::FingerprintDiffers => "fingerprint",
            Self::Chain { error, .. } => error.field(),
            Self::Fork { .. } => "prev_proof_id",
        }
    }

    /// Where the agent's chain ends here, when that helps it to resume.
    pub fn head(&self) -> Option<&ChainHead> {
        match self {
            Self::Chain { head, .. } | Self::Fork { head, .. } => head.as_ref(),
            _ => None,
        }
    }

    /// Seconds to wait before trying again; `None` when trying again cannot help.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::TooManyPending(_)
            | Self::BufferFull(_)
            | Self::TooManyKeys { pending: true, .. } => Some(OWNER_SECONDS),
            _ => None,
        }
    }
}

fn too_many_keys(replaced: usize, pending: bool) -> String {
    let instead = if pending {
        "its owner approves it first"
    } else {
        "let a new agent take its place, and have the owner revoke this one"
    };
    format!("this agent has replaced its key {replaced} times already; {instead}")
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Invalid(error)
    }
}
