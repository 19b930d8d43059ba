//! The events: their words, and how their bodies are written and read.
//!
//! What someone else signed is kept as they signed it: the body of an accepted proof is the proof,
//! the body of an enrolment is the agent's request. All bodies are canonical JSON.

use std::borrow::Cow;

use farmops_protocol::{
    canonical,
    digest::Digest,
    enrolment::EnrolmentRequest,
    field::FieldError,
    limits::DEPTH_MAX,
    proof::{ParsedProof, ProofBody, VerifiedProof},
    scoring::RuleSet,
};
use serde::{Serialize, de::DeserializeOwned};

use super::bodies::{
    AgentApproved, AgentDismissed, AgentOutage, AgentRevoked, CalendarChanged, ChainReset,
    CompositeEarned, DayMarked, FarmProfile, FarmRenamed, ForkRefused, ItemPurchased, KeyRotated,
    LeagueJoined, LeagueLeft,
};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The farm began: always the first entry.
    FarmFounded(FarmProfile),
    /// The farm has another name.
    FarmRenamed(FarmRenamed),
    /// The farmer lives by another calendar.
    CalendarChanged(CalendarChanged),
    /// A day was marked as one of rest, or no longer.
    DayMarked(DayMarked),
    /// Something was bought.
    ItemPurchased(ItemPurchased),
    /// From here on proofs are scored by these rules.
    RulesAdopted(RuleSet),
    /// From here on proofs are scored by a league's rules as well.
    LeagueJoined(LeagueJoined),
    /// The farm left a league.
    LeagueLeft(LeagueLeft),
    /// An agent presented its key; nothing of it counts yet.
    AgentEnrolled(EnrolmentRequest),
    /// The owner compared the fingerprint and trusts the agent.
    AgentApproved(AgentApproved),
    /// The owner sent away an agent that waited.
    AgentDismissed(AgentDismissed),
    /// The owner trusts the agent no longer.
    AgentRevoked(AgentRevoked),
    /// The agent handed over to a new key.
    KeyRotated(KeyRotated),
    /// The owner let the agent's chain resume at an earlier proof.
    ChainReset(ChainReset),
    /// An agent was not heard of for long.
    AgentOutage(AgentOutage),
    /// A proof extended its agent's chain.
    ProofAccepted(Box<AcceptedProof>),
    /// An agent signed a second successor of one proof; it was refused, and this is the evidence.
    ForkRefused(ForkRefused),
    /// Proofs made a composite complete.
    CompositeEarned(CompositeEarned),
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
const FARM_RENAMED: &str = "farm_renamed";
const CALENDAR_CHANGED: &str = "calendar_changed";
const DAY_MARKED: &str = "day_marked";
const ITEM_PURCHASED: &str = "item_purchased";
const RULES_ADOPTED: &str = "rules_adopted";
const LEAGUE_JOINED: &str = "league_joined";
const LEAGUE_LEFT: &str = "league_left";
const AGENT_ENROLLED: &str = "agent_enrolled";
const AGENT_APPROVED: &str = "agent_approved";
const AGENT_DISMISSED: &str = "agent_dismissed";
/// The word of a revocation.
pub const AGENT_REVOKED: &str = "agent_revoked";
const KEY_ROTATED: &str = "key_rotated";
/// The word of a chain reset.
pub const CHAIN_RESET: &str = "chain_reset";
const AGENT_OUTAGE: &str = "agent_outage";
/// The word of an accepted proof.
pub const PROOF_ACCEPTED: &str = "proof_accepted";
const FORK_REFUSED: &str = "fork_refused";
const COMPOSITE_EARNED: &str = "composite_earned";

impl Event {
    /// The event's word in the ledger. Words are never reused.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::FarmFounded(_) => FARM_FOUNDED,
            Self::FarmRenamed(_) => FARM_RENAMED,
            Self::CalendarChanged(_) => CALENDAR_CHANGED,
            Self::DayMarked(_) => DAY_MARKED,
            Self::ItemPurchased(_) => ITEM_PURCHASED,
            Self::RulesAdopted(_) => RULES_ADOPTED,
            Self::LeagueJoined(_) => LEAGUE_JOINED,
            Self::LeagueLeft(_) => LEAGUE_LEFT,
            Self::AgentEnrolled(_) => AGENT_ENROLLED,
            Self::AgentApproved(_) => AGENT_APPROVED,
            Self::AgentDismissed(_) => AGENT_DISMISSED,
            Self::AgentRevoked(_) => AGENT_REVOKED,
            Self::KeyRotated(_) => KEY_ROTATED,
            Self::ChainReset(_) => CHAIN_RESET,
            Self::AgentOutage(_) => AGENT_OUTAGE,
            Self::ProofAccepted(_) => PROOF_ACCEPTED,
            Self::ForkRefused(_) => FORK_REFUSED,
            Self::CompositeEarned(_) => COMPOSITE_EARNED,
        }
    }

    /// The event's canonical body.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match self {
            // What someone else signed stays as it was signed.
            Self::ProofAccepted(proof) => Cow::Borrowed(proof.bytes()),
            Self::FarmFounded(body) => written(body),
            Self::FarmRenamed(body) => written(body),
            Self::CalendarChanged(body) => written(body),
            Self::DayMarked(body) => written(body),
            Self::ItemPurchased(body) => written(body),
            Self::RulesAdopted(body) => written(body),
            Self::LeagueJoined(body) => written(body),
            Self::LeagueLeft(body) => written(body),
            Self::AgentEnrolled(body) => written(body),
            Self::AgentApproved(body) => written(body),
            Self::AgentDismissed(body) => written(body),
            Self::AgentRevoked(body) => written(body),
            Self::KeyRotated(body) => written(body),
            Self::ChainReset(body) => written(body),
            Self::AgentOutage(body) => written(body),
            Self::ForkRefused(body) => written(body),
            Self::CompositeEarned(body) => written(body),
        }
    }

    /// The event of a ledger line.
    ///
    /// # Errors
    /// [`EventError`] when the line was not written by this version or an earlier one.
    pub fn read(kind: &str, body: &[u8]) -> Result<Self, EventError> {
        let event = Self::parse(kind, body)?;
        // One event, one body: whatever else the parser takes, the log commits to our own form only.
        if *event.body() == *body {
            return Ok(event);
        }
        Err(EventError::Body {
            kind: event.kind(),
            source: FieldError::document("not in the form in which this event is written"),
        })
    }

    fn parse(kind: &str, body: &[u8]) -> Result<Self, EventError> {
        match kind {
            PROOF_ACCEPTED => ParsedProof::parse(body)
                .map(|proof| Self::ProofAccepted(Box::new(AcceptedProof::Recorded(proof))))
                .map_err(|source| EventError::Body {
                    kind: PROOF_ACCEPTED,
                    source,
                }),
            FARM_FOUNDED => read(FARM_FOUNDED, body).map(Self::FarmFounded),
            FARM_RENAMED => read(FARM_RENAMED, body).map(Self::FarmRenamed),
            CALENDAR_CHANGED => read(CALENDAR_CHANGED, body).map(Self::CalendarChanged),
            DAY_MARKED => read(DAY_MARKED, body).map(Self::DayMarked),
            ITEM_PURCHASED => read(ITEM_PURCHASED, body).map(Self::ItemPurchased),
            RULES_ADOPTED => read(RULES_ADOPTED, body).map(Self::RulesAdopted),
            LEAGUE_JOINED => read(LEAGUE_JOINED, body).map(Self::LeagueJoined),
            LEAGUE_LEFT => read(LEAGUE_LEFT, body).map(Self::LeagueLeft),
            AGENT_ENROLLED => read(AGENT_ENROLLED, body).map(Self::AgentEnrolled),
            AGENT_APPROVED => read(AGENT_APPROVED, body).map(Self::AgentApproved),
            AGENT_DISMISSED => read(AGENT_DISMISSED, body).map(Self::AgentDismissed),
            AGENT_REVOKED => read(AGENT_REVOKED, body).map(Self::AgentRevoked),
            KEY_ROTATED => read(KEY_ROTATED, body).map(Self::KeyRotated),
            CHAIN_RESET => read(CHAIN_RESET, body).map(Self::ChainReset),
            AGENT_OUTAGE => read(AGENT_OUTAGE, body).map(Self::AgentOutage),
            FORK_REFUSED => read(FORK_REFUSED, body).map(Self::ForkRefused),
            COMPOSITE_EARNED => read(COMPOSITE_EARNED, body).map(Self::CompositeEarned),
            other => Err(EventError::UnknownKind(other.to_owned())),
        }
    }
}

/// Every body is made of text, flags, 32-bit numbers and longer ones that are capped, so its canonical form
/// always exists.
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
