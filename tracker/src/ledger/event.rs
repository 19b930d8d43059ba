//! The events, and their bodies as they stand in the ledger.
//!
//! What someone else signed is kept as they signed it: the body of an accepted proof is the proof,
//! the body of an enrolment is the agent's request. All bodies are canonical JSON.

use std::borrow::Cow;

use farmops_protocol::{
    canonical,
    digest::Digest,
    enrolment::EnrolmentRequest,
    field::FieldError,
    key::{Fingerprint, PublicKey},
    limits::DEPTH_MAX,
    proof::{ParsedProof, ProofBody, VerifiedProof},
    scoring::RuleSet,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The farm began: always the first entry.
    FarmFounded(FarmFounded),
    /// From here on proofs are scored by these rules.
    RulesAdopted(RuleSet),
    /// An agent presented its key; nothing of it counts yet.
    AgentEnrolled(EnrolmentRequest),
    /// The owner compared the fingerprint and trusts the agent.
    AgentApproved(AgentApproved),
    /// The owner trusts the agent no longer.
    AgentRevoked(AgentRevoked),
    /// A proof extended its agent's chain.
    ProofAccepted(Box<AcceptedProof>),
    /// An agent signed a second successor of one proof; it was refused, and this is the evidence.
    ForkRefused(ForkRefused),
}

/// Whose farm it is and which days count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarmFounded {
    /// The key that signs checkpoints and snapshots.
    pub farmer_key: PublicKey,
    /// The name before the `@`.
    pub handle: String,
    /// The name people read.
    pub name: String,
    /// An IANA time zone.
    pub time_zone: String,
    /// The days of the week that count, Monday first.
    pub working_days: [bool; 7],
}

/// The owner's word for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentApproved {
    /// The agent.
    pub agent_id: Uuid,
    /// The fingerprint the owner saw.
    pub fingerprint: Fingerprint,
}

/// The end of trust in an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRevoked {
    /// The agent.
    pub agent_id: Uuid,
    /// The last proof of it that counts; none if it never had one.
    pub last_good_proof: Option<Uuid>,
}

/// Two proofs of one agent with the same predecessor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForkRefused {
    /// The agent that signed both.
    pub agent_id: Uuid,
    /// The predecessor that both name; none for two first proofs.
    pub follows: Option<Uuid>,
    /// The proof that came first and stands.
    pub kept: Uuid,
    /// The canonical text of the one that was refused.
    pub refused: String,
}

/// A proof in the ledger: just verified, or read back from where only verified ones are written.
#[derive(Debug, Clone)]
pub enum AcceptedProof {
    /// Its signature was checked in this process.
    Verified(VerifiedProof),
    /// It was read from the ledger.
    Recorded(ParsedProof),
}

/// A ledger line that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The kind is none of ours.
    #[error("the ledger holds an event of the unknown kind `{0}`")]
    UnknownKind(String),
    /// The body does not fit its kind.
    #[error("the body of a `{kind}` does not parse: {source}")]
    Body {
        /// The event's kind.
        kind: &'static str,
        /// What is wrong with it.
        source: FieldError,
    },
}

impl AcceptedProof {
    /// What the proof says.
    pub fn body(&self) -> &ProofBody {
        match self {
            Self::Verified(proof) => proof.body(),
            Self::Recorded(proof) => proof.body(),
        }
    }

    /// The canonical bytes as they were received.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Verified(proof) => proof.bytes(),
            Self::Recorded(proof) => proof.bytes(),
        }
    }

    /// The proof's hash.
    pub fn hash(&self) -> Digest {
        match self {
            Self::Verified(proof) => proof.hash(),
            Self::Recorded(proof) => proof.hash(),
        }
    }

    /// Whether it can earn coins: a verified success.
    pub fn earns(&self) -> bool {
        let outcome = &self.body().outcome;
        outcome.verified && outcome.status == farmops_protocol::proof::OutcomeStatus::Success
    }
}

impl PartialEq for AcceptedProof {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

const FARM_FOUNDED: &str = "farm_founded";
const RULES_ADOPTED: &str = "rules_adopted";
const AGENT_ENROLLED: &str = "agent_enrolled";
const AGENT_APPROVED: &str = "agent_approved";
const AGENT_REVOKED: &str = "agent_revoked";
const PROOF_ACCEPTED: &str = "proof_accepted";
const FORK_REFUSED: &str = "fork_refused";

impl Event {
    /// The event's word in the ledger. Words are never reused.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::FarmFounded(_) => FARM_FOUNDED,
            Self::RulesAdopted(_) => RULES_ADOPTED,
            Self::AgentEnrolled(_) => AGENT_ENROLLED,
            Self::AgentApproved(_) => AGENT_APPROVED,
            Self::AgentRevoked(_) => AGENT_REVOKED,
            Self::ProofAccepted(_) => PROOF_ACCEPTED,
            Self::ForkRefused(_) => FORK_REFUSED,
        }
    }

    /// The event's canonical body.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match self {
            Self::ProofAccepted(proof) => Cow::Borrowed(proof.bytes()),
            Self::FarmFounded(body) => written(body),
            Self::RulesAdopted(rules) => written(rules),
            Self::AgentEnrolled(request) => written(request),
            Self::AgentApproved(body) => written(body),
            Self::AgentRevoked(body) => written(body),
            Self::ForkRefused(body) => written(body),
        }
    }

    /// The event of a ledger line.
    ///
    /// # Errors
    /// [`EventError`] when the line was not written by this version or an earlier one.
    pub fn read(kind: &str, body: &[u8]) -> Result<Self, EventError> {
        match kind {
            PROOF_ACCEPTED => ParsedProof::parse(body)
                .map(|proof| Self::ProofAccepted(Box::new(AcceptedProof::Recorded(proof))))
                .map_err(|source| EventError::Body {
                    kind: PROOF_ACCEPTED,
                    source,
                }),
            FARM_FOUNDED => read(FARM_FOUNDED, body).map(Self::FarmFounded),
            RULES_ADOPTED => read(RULES_ADOPTED, body).map(Self::RulesAdopted),
            AGENT_ENROLLED => read(AGENT_ENROLLED, body).map(Self::AgentEnrolled),
            AGENT_APPROVED => read(AGENT_APPROVED, body).map(Self::AgentApproved),
            AGENT_REVOKED => read(AGENT_REVOKED, body).map(Self::AgentRevoked),
            FORK_REFUSED => read(FORK_REFUSED, body).map(Self::ForkRefused),
            other => Err(EventError::UnknownKind(other.to_owned())),
        }
    }
}

/// Every body is made of text, flags and 32-bit numbers, so its canonical form always exists.
fn written<T: Serialize>(body: &T) -> Cow<'static, [u8]> {
    Cow::Owned(canonical::to_vec(body).unwrap_or_default())
}

fn read<T: DeserializeOwned>(kind: &'static str, body: &[u8]) -> Result<T, EventError> {
    canonical::parse_canonical(body, DEPTH_MAX)
        .and_then(|value| {
            serde_json::from_value(value).map_err(|e| FieldError::document(e.to_string()))
        })
        .map_err(|source| EventError::Body { kind, source })
}
