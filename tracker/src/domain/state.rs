//! The farm as the ledger tells it.

use std::collections::{BTreeMap, VecDeque};

use farmops_farm::catalogue::{Catalogue, Owned};
use farmops_ledger::FarmProfile;
use farmops_protocol::{
    chain::ChainHead,
    digest::Digest,
    enrolment::AgentStatus,
    key::PublicKey,
    proof::Category,
    scoring::{RuleSet, composite::Candidate},
    streak::Streak,
    time::Timestamp,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{activity::HourlyActivity, rhythm::Known, schedule::Schedule};

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
    /// Composites that were earned and count.
    pub composites: u64,
    /// What each category brought; categories without proofs are absent.
    pub categories: BTreeMap<Category, CategoryTotals>,
    /// What each of the farmer's days brought.
    pub days: BTreeMap<Date, DayTotals>,
    /// What was done in which hour, for diminishing returns.
    pub activity: HourlyActivity,
    /// What stands on the farm, ordered by slug.
    pub upgrades: Vec<Owned>,
    /// What that adds to the coins of each category, in basis points: it follows from `purchases`, and is
    /// kept because every proof asks.
    pub boosts_bp: BTreeMap<Category, u32>,
    /// What was bought, in order.
    pub purchases: Vec<Purchase>,
    /// What is known of the farmer's days beside the calendar.
    pub known: Known,
    /// Proofs that may become parts of composites, by the composite's slug; none is empty.
    pub composing: BTreeMap<String, VecDeque<Candidate>>,
    /// The leagues that the farm is or was in, by slug.
    pub leagues: BTreeMap<String, League>,
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
#[derive(Debug, Clone, PartialEq)]
pub struct Farm {
    /// As it was founded, with what was changed since.
    pub profile: Profile,
    /// When.
    pub created_at: Timestamp,
}

/// Who the farmer is, and by which days she lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The key that signs checkpoints and snapshots.
    pub farmer_key: PublicKey,
    /// The name before the `@`.
    pub handle: String,
    /// The name people read.
    pub name: String,
    /// Her days.
    pub schedule: Schedule,
}

/// An agent in the trust store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The key that signs its proofs.
    pub public_key: PublicKey,
    /// The keys that signed before, oldest first.
    pub former_keys: Vec<FormerKey>,
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
    /// The branch that its chain grows on: 0 until the first reset.
    pub branch: u64,
    /// Where that branch ends.
    pub head: Option<ChainHead>,
    /// The highest proof id in its chain: ids carry their time, so a higher one is new for certain.
    pub highest_proof: Option<Uuid>,
    /// Proofs accepted, over all branches: the place of the next one in the history of its keys.
    pub proofs: u64,
}

/// A key that an agent replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormerKey {
    /// The key.
    pub key: PublicKey,
    /// It signed the proofs that fewer than this many came before, over all branches.
    pub until: u64,
}

/// One level of one item, bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The ledger position.
    pub position: u64,
    /// When.
    pub purchased_at: Timestamp,
    /// The SHA-256 of the key that makes it happen once.
    pub idempotency_key: Digest,
    /// The item's slug.
    pub item: String,
    /// The level that was bought.
    pub level: u64,
    /// What it cost, in coins.
    pub price: u64,
    /// What it adds to the coins of each category, in basis points, if that was written down.
    pub boosts_bp: Option<BTreeMap<Category, u32>>,
}

impl Purchase {
    /// What all of them add to the coins of each category, in basis points.
    pub fn boosts_bp(purchases: &[Self]) -> BTreeMap<Category, u32> {
        let mut boosts = BTreeMap::new();
        for purchase in purchases {
            purchase.boost(&mut boosts);
        }
        boosts
    }

    /// Adds what this one adds.
    pub(super) fn boost(&self, boosts: &mut BTreeMap<Category, u32>) {
        let item = || Catalogue::builtin().item(&self.item);
        let added = self.boosts_bp.as_ref();
        for (category, step) in added
            .or_else(|| item().map(|item| &item.boosts_bp))
            .into_iter()
            .flatten()
        {
            let boost = boosts.entry(*category).or_default();
            *boost = boost.saturating_add(*step);
        }
    }
}

/// A league by whose rules proofs are scored as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct League {
    /// Its name for people.
    pub name: String,
    /// Its rules.
    pub rules: Rules,
    /// The village that runs it.
    pub village: Option<Url>,
    /// When the farm joined it, the last time.
    pub joined_at: Timestamp,
    /// When the farm left it, if it is in it no longer.
    pub left_at: Option<Timestamp>,
    /// Coins of each season.
    pub seasons: BTreeMap<String, u64>,
    /// Coins of each of the farmer's days: its rules may cap them.
    pub days: BTreeMap<Date, u64>,
}

impl League {
    /// Whether the farm is in it, and `village` runs it.
    pub fn is_of(&self, village: &Url) -> bool {
        let runs = self.village.as_ref().map(Url::origin);
        self.left_at.is_none() && runs == Some(village.origin())
    }

    /// Whether a league of this slug at `village` may take its place.
    pub fn is_free_for(&self, village: &Url) -> bool {
        self.left_at.is_some() || self.is_of(village)
    }

    /// Counts what a proof earned in it.
    pub fn count(&mut self, season: &str, day: Option<Date>, coins: u64) {
        match self.seasons.get_mut(season) {
            Some(total) => *total = total.saturating_add(coins),
            None => drop(self.seasons.insert(season.to_owned(), coins)),
        }
        if let Some(day) = day {
            let day = self.days.entry(day).or_default();
            *day = day.saturating_add(coins);
        }
    }
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

impl Agent {
    /// The key that signs the proof that `place` proofs came before.
    pub fn key_at(&self, place: u64) -> &PublicKey {
        let former = self.former_keys.iter().find(|former| place < former.until);
        former.map_or(&self.public_key, |former| &former.key)
    }
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

    /// What was spent and then taken back with the proofs that had brought it: coins earned next pay it first.
    pub const fn owed(self) -> u64 {
        self.spent.saturating_sub(self.earned)
    }
}

impl From<FarmProfile> for Profile {
    fn from(founded: FarmProfile) -> Self {
        Self {
            farmer_key: founded.farmer_key,
            handle: founded.handle,
            name: founded.name,
            schedule: Schedule::new(founded.time_zone, founded.working_days),
        }
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
