//! What the tracker itself writes into the ledger, as it stands there: canonical JSON.

use std::collections::BTreeMap;

use farmops_protocol::{
    chain::ChainHead,
    digest::Digest,
    key::{Fingerprint, PublicKey},
    limits::INTEGER_MAX,
    proof::Category,
    scoring::RuleSet,
    time::Timestamp,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;
use uuid::Uuid;

/// Writes a number that canonical JSON has no form for as "that many or more", as the log does.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn capped<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64((*number).min(INTEGER_MAX))
}

/// Whose farm it is and which days count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarmProfile {
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

/// The farm has another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarmRenamed {
    /// The name people read from now on.
    pub name: String,
}

/// The farmer lives by another calendar, from a day on; days before it stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarChanged {
    /// The first day of the new calendar.
    pub from: Date,
    /// An IANA time zone.
    pub time_zone: String,
    /// The days of the week that count, Monday first.
    pub working_days: [bool; 7],
}

/// A day was marked as one of rest, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayMarked {
    /// The day, in the farmer's time zone.
    pub day: Date,
    /// Whether it is a day of rest.
    pub rest: bool,
}

/// One level of one item of the shop was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemPurchased {
    /// The SHA-256 of the key that makes the purchase happen once.
    pub idempotency_key: Digest,
    /// The item's slug.
    pub item: String,
    /// The level that was bought.
    #[serde(serialize_with = "capped")]
    pub level: u64,
    /// What it cost, in coins.
    #[serde(serialize_with = "capped")]
    pub price: u64,
    /// What this level adds to the coins of each category, in basis points, as the catalogue had it then. Where an
    /// earlier version did not write it down, it is what the catalogue has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boosts_bp: Option<BTreeMap<Category, u32>>,
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

/// The owner sent away an agent that waited for approval, with what it had sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDismissed {
    /// The agent.
    pub agent_id: Uuid,
    /// How far its chain had come: the proofs up to there were not kept.
    pub head: Option<ChainHead>,
}

/// The end of trust in an agent, from a proof of it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRevoked {
    /// The agent.
    pub agent_id: Uuid,
    /// The last proof of it that counts; none if none does.
    pub last_good_proof: Option<Uuid>,
    /// What the later ones had brought and is taken back, by day and category.
    pub withdrawn: Vec<Withdrawn>,
}

/// What is taken back of one day and category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The category; null for composites.
    pub category: Option<Category>,
    /// Coins.
    #[serde(serialize_with = "capped")]
    pub coins: u64,
    /// The farmer's day on which they were counted.
    pub day: Date,
    /// Where the coins count as well: those of each league and season.
    pub leagues: Vec<LeagueCoins>,
    /// Proofs, or composites.
    #[serde(serialize_with = "capped")]
    pub proofs: u64,
}

/// Coins of one league in one season.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LeagueCoins {
    /// Coins.
    #[serde(serialize_with = "capped")]
    pub coins: u64,
    /// The league's slug.
    pub league: String,
    /// The season, `2026-Q4`.
    pub season: String,
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

/// An agent handed over to a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotated {
    /// The agent.
    pub agent_id: Uuid,
    /// The key that signs from now on.
    pub new_key: PublicKey,
    /// Proofs that the former keys signed, over all branches, buffered ones included.
    #[serde(serialize_with = "capped")]
    pub place: u64,
    /// The canonical text of the hand-over that both keys signed.
    pub rotation: String,
}

/// The owner let an agent's chain resume at an earlier proof; both branches are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainReset {
    /// The agent.
    pub agent_id: Uuid,
    /// The canonical text of the agent's own request; null if the owner did it unasked.
    pub asked: Option<String>,
    /// The number of the branch that grows from now on, from 1.
    #[serde(serialize_with = "capped")]
    pub branch: u64,
    /// The proof at which it resumes; null for a first proof.
    pub resumes_at: Option<ChainHead>,
}

/// An agent was not heard of for so long that its days without work are nobody's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentOutage {
    /// The agent.
    pub agent_id: Uuid,
    /// When it was last heard of.
    pub from: Timestamp,
    /// When it was heard of again.
    pub until: Timestamp,
}

/// Proofs that together are more than each of them, as the rules have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompositeEarned {
    /// The coins it brought.
    #[serde(serialize_with = "capped")]
    pub coins: u64,
    /// The farmer's day on which it was complete.
    pub day: Date,
    /// Its parts, in the order of its steps.
    pub parts: Vec<CompositePart>,
    /// Its name in the rules.
    pub slug: String,
}

/// A proof that is part of a composite. Ids are unique within a chain only, so it names its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompositePart {
    /// The agent.
    pub agent_id: Uuid,
    /// The proof.
    pub proof_id: Uuid,
}

/// From here on proofs are scored by a league's rules as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeagueJoined {
    /// The league's slug.
    pub league: String,
    /// Its name for people.
    pub name: String,
    /// Its rules; upgrades and composites of the farm do not count in it.
    pub rules: RuleSet,
    /// The village that runs it.
    pub village: Option<Url>,
}

/// From here on nothing is scored by that league's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeagueLeft {
    /// The league's slug.
    pub league: String,
}
