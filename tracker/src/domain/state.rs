//! The farm as the ledger tells it.

use std::collections::BTreeMap;

use farmops_farm::catalogue::Owned;
use farmops_protocol::{
    chain::ChainHead,
    digest::Digest,
    enrolment::AgentStatus,
    key::PublicKey,
    proof::Category,
    scoring::RuleSet,
    streak::{Calendar, Streak},
    time::Timestamp,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::activity::HourlyActivity;
use crate::ledger::FarmFounded;

/// Everything that decisions and scores depend on. It is a fold over the ledger: two states with the
/// same entries behind them are equal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Whose farm it is; nothing before the first entry.
    pub farm: Option<Farm>,
    /// What proofs are scored by.
    pub rules: Rules,
    /// Every agent that ever enrolled.
    pub agents: BTreeMap<Uuid, Agent>,
    /// The farmer's streak.
    pub streak: Streak,
    /// The longest streak ever.
    pub streak_longest: u32,
    /// Coins earned and spent.
    pub coins: Coins,
    /// What each category brought; categories without proofs are absent.
    pub categories: BTreeMap<Category, CategoryTotals>,
    /// What each of the farmer's days brought.
    pub days: BTreeMap<Date, DayTotals>,
    /// What was done in which hour, for diminishing returns.
    pub activity: HourlyActivity,
    /// What stands on the farm.
    pub upgrades: Vec<Owned>,
    /// The position of the last entry; 0 before the first.
    pub position: u64,
    /// When the last entry was recorded.
    pub updated_at: Option<Timestamp>,
    /// The time of the latest proof.
    pub last_active: Option<Timestamp>,
    /// The last entry that changed what the public sees.
    pub public_position: u64,
}

/// Whose farm it is.
#[derive(Debug, Clone)]
pub struct Farm {
    /// As it was founded.
    pub founded: FarmFounded,
    /// When.
    pub created_at: Timestamp,
    /// The days that count, ready for use.
    pub calendar: Calendar,
}

/// An agent in the trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The key that signs its proofs.
    pub public_key: PublicKey,
    /// The label its operator chose.
    pub cluster_alias: String,
    /// Whether its proofs count.
    pub status: AgentStatus,
    /// When it first presented itself.
    pub enrolled_at: Timestamp,
    /// When the owner approved it.
    pub approved_at: Option<Timestamp>,
    /// When the owner revoked it.
    pub revoked_at: Option<Timestamp>,
    /// The last proof that counts, once revoked.
    pub last_good_proof: Option<Uuid>,
    /// Where its chain ends.
    pub head: Option<ChainHead>,
    /// The highest proof id in its chain: ids carry their time, so a higher one is new for certain.
    pub highest_proof: Option<Uuid>,
}

/// The active rules and their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The rules.
    pub set: RuleSet,
    /// Their digest.
    pub digest: Digest,
}

/// Coins earned and spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coins {
    /// Earned in all.
    pub earned: u64,
    /// Spent in all.
    pub spent: u64,
}

/// What a category brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategoryTotals {
    /// Proofs that could earn coins.
    pub proofs: u64,
    /// Coins earned.
    pub coins: u64,
    /// The time of the latest of them.
    pub last_proof_at: Option<Timestamp>,
}

/// What a day of the farmer brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DayTotals {
    /// Proofs that could earn coins.
    pub proofs: u64,
    /// Coins earned.
    pub coins: u64,
}

impl State {
    /// The position that the next entry gets.
    pub fn next_position(&self) -> u64 {
        self.position + 1
    }
}

impl Coins {
    /// What is left to spend.
    pub const fn current(self) -> u64 {
        self.earned.saturating_sub(self.spent)
    }
}

impl Farm {
    /// The farm as founded at `created_at`; days in UTC if the zone has left the time zone database.
    pub fn new(founded: FarmFounded, created_at: Timestamp) -> Self {
        let calendar = Calendar::new(&founded.time_zone, founded.working_days)
            .unwrap_or_else(|_| Calendar::weekdays_utc());
        Self {
            founded,
            created_at,
            calendar,
        }
    }
}

impl PartialEq for Farm {
    /// The calendar follows from what was founded.
    fn eq(&self, other: &Self) -> bool {
        self.founded == other.founded && self.created_at == other.created_at
    }
}

impl Rules {
    /// The rules with their name.
    pub fn new(set: RuleSet) -> Self {
        Self {
            digest: set.digest(),
            set,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(RuleSet::default())
    }
}
