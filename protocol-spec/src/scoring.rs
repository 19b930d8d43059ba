//! Scoring: from a verified proof to coins, in integers (`protocol-spec/docs/scoring.md`).
//!
//! Every factor is in basis points: 10,000 is 1. The product is taken exactly in 128 bits and
//! rounded once, half up, so every implementation gives the same coin.

mod bounds;
pub mod composite;

use serde::{Deserialize, Serialize};

pub use self::composite::CompositeRule;
use crate::{
    canonical,
    digest::{Digest, sha256},
    field::{self, FieldError},
    limits::DEPTH_MAX,
    proof::{Category, Complexity},
};

/// One, in basis points.
pub const ONE_BP: u32 = 10_000;

/// The rules that a farm is scored by. The canonical bytes' hash names a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Coins for one action of each category, before any factor.
    pub base_coins: BaseCoins,
    /// The factor for each complexity, in basis points.
    pub complexity_bp: ComplexityFactors,
    /// The factor for each impact radius 1 to 10, in basis points; exactly ten.
    pub impact_bp: Vec<u32>,
    /// The factor for the first, second, … day of a streak, in basis points; the last one holds on.
    pub streak_bp: Vec<u32>,
    /// What repetition is worth: steps for the same plugin and action type within one UTC hour.
    pub repetition: Vec<RepetitionStep>,
    /// What one proof and one day can bring at most.
    pub caps: Caps,
    /// How a missed working day can be forgiven.
    pub freezes: Freezes,
    /// What proofs are worth together.
    pub composites: Vec<CompositeRule>,
}

/// Upper limits, in coins; null is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Of one proof.
    #[serde(deserialize_with = "field::nullable")]
    pub per_proof: Option<u32>,
    /// Of one of the farmer's days, composites included.
    #[serde(deserialize_with = "field::nullable")]
    pub per_day: Option<u32>,
}

/// Freezes: each takes the place of one working day without work, so that the streak goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freezes {
    /// How many a farmer holds at most; she starts with all of them.
    pub held_max: u32,
    /// After so many working days with work one that was used comes back.
    pub recharge_days: u32,
}

/// Base rates by category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each member is the category of its name")]
pub struct BaseCoins {
    pub maintenance: u32,
    pub toil: u32,
    pub reliability: u32,
    pub security: u32,
    pub incident: u32,
    pub upgrade: u32,
}

/// Factors by complexity, in basis points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each member is the complexity of its name")]
pub struct ComplexityFactors {
    pub low: u32,
    pub medium: u32,
    pub high: u32,
}

/// A step of diminishing returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepetitionStep {
    /// The factor of this step, in basis points.
    pub factor_bp: u32,
    /// The step holds while fewer than this many like actions came earlier in the hour; null: always.
    #[serde(deserialize_with = "field::nullable")]
    pub fewer_than: Option<u32>,
}

/// What a proof and its surroundings bring to the formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreInput {
    /// The proof's category.
    pub category: Category,
    /// The proof's complexity.
    pub complexity: Complexity,
    /// Whether the proof is a verified success; anything else scores nothing.
    pub earns: bool,
    /// The proof's impact radius, 1 to 10.
    pub impact_radius: u8,
    /// Proofs with the same plugin and action type earlier in the same UTC hour.
    pub like_this_hour: u32,
    /// The farmer's streak on the proof's day; 0 and 1 are both a first day.
    pub streak_days: u32,
    /// The farm's boost for the category, in basis points; 10,000 is none.
    pub upgrade_bp: u32,
    /// Coins of the proof's day so far, composites included.
    pub coins_today: u64,
}

/// A score and how it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The coins awarded.
    pub coins: u64,
    /// Coins that a cap took away.
    pub capped: u64,
    /// The category's base rate, in coins.
    pub base_coins: u32,
    /// The factors, in basis points.
    pub complexity_bp: u32,
    /// The factor of the impact radius.
    pub impact_bp: u32,
    /// The factor of the streak.
    pub streak_bp: u32,
    /// The factor of the farm's upgrades.
    pub upgrade_bp: u32,
    /// The factor of repetition.
    pub repetition_bp: u32,
}

impl Default for RuleSet {
    /// The rates that every farm starts with.
    fn default() -> Self {
        let step = |factor_bp, fewer_than| RepetitionStep {
            factor_bp,
            fewer_than,
        };
        Self {
            base_coins: BaseCoins {
                maintenance: 10,
                toil: 15,
                reliability: 20,
                security: 25,
                incident: 30,
                upgrade: 20,
            },
            complexity_bp: ComplexityFactors {
                low: 10_000,
                medium: 12_500,
                high: 15_000,
            },
            impact_bp: vec![
                10_000, 11_111, 12_222, 13_333, 14_444, 15_556, 16_667, 17_778, 18_889, 20_000,
            ],
            streak_bp: vec![10_000, 10_833, 11_667, 12_500, 13_333, 14_167, 15_000],
            repetition: vec![
                step(10_000, Some(6)),
                step(5_000, Some(12)),
                step(1_000, None),
            ],
            caps: Caps::default(),
            freezes: Freezes {
                held_max: 2,
                recharge_days: 5,
            },
            composites: composite::defaults(),
        }
    }
}

impl RuleSet {
    /// Reads a rule set in JSON.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let rules: Self = field::from_value(&canonical::parse_value(bytes, DEPTH_MAX)?)?;
        rules.check()?;
        Ok(rules)
    }

    /// Whether every member keeps to its bounds (`SCO-RULES-001`).
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        bounds::check(self)
    }

    /// The name of this rule set: SHA-256 of its canonical bytes.
    pub fn digest(&self) -> Digest {
        // Canonical order is not declaration order here; the canonicaliser sorts. Every number is a u32,
        // so the canonical form always exists.
        sha256(&canonical::to_vec(self).unwrap_or_default())
    }

    /// What one proof is worth (`SCO-FORM-001`).
    pub fn score(&self, input: &ScoreInput) -> Score {
        let base_coins = if input.earns {
            self.base(input.category)
        } else {
            0
        };
        let complexity_bp = match input.complexity {
            Complexity::Low => self.complexity_bp.low,
            Complexity::Medium => self.complexity_bp.medium,
            Complexity::High => self.complexity_bp.high,
        };
        let impact_bp = at_or_last(
            &self.impact_bp,
            usize::from(input.impact_radius.saturating_sub(1)),
        );
        let streak_bp = at_or_last(
            &self.streak_bp,
            input.streak_days.saturating_sub(1) as usize,
        );
        let repetition_bp = self
            .repetition
            .iter()
            .find(|step| step.fewer_than.is_none_or(|n| input.like_this_hour < n))
            .map_or(0, |step| step.factor_bp);
        let factors = [
            complexity_bp,
            impact_bp,
            streak_bp,
            input.upgrade_bp,
            repetition_bp,
        ];
        let product = rounded_product(base_coins, &factors);
        let coins = self.caps.hold(product, input.coins_today);
        Score {
            coins,
            capped: product - coins,
            base_coins,
            complexity_bp,
            impact_bp,
            streak_bp,
            upgrade_bp: input.upgrade_bp,
            repetition_bp,
        }
    }

    fn base(&self, category: Category) -> u32 {
        match category {
            Category::Maintenance => self.base_coins.maintenance,
            Category::Toil => self.base_coins.toil,
            Category::Reliability => self.base_coins.reliability,
            Category::Security => self.base_coins.security,
            Category::Incident => self.base_coins.incident,
            Category::Upgrade => self.base_coins.upgrade,
        }
    }
}

impl Caps {
    /// What a composite of `coins` brings on a day that has brought `today` already (`SCO-COMP-001`).
    pub fn of_composite(self, coins: u32, today: u64) -> u64 {
        let daily = Self {
            per_proof: None,
            ..self
        };
        daily.hold(u64::from(coins), today)
    }

    /// What is left of `coins` on a day that has brought `today` already (`SCO-CAP-001`).
    fn hold(self, coins: u64, today: u64) -> u64 {
        let cap = |max: Option<u32>| max.map_or(u64::MAX, u64::from);
        coins
            .min(cap(self.per_proof))
            .min(cap(self.per_day).saturating_sub(today))
    }
}

/// The largest single factor: ten times.
pub const FACTOR_BP_MAX: u32 = 100_000;

fn at_or_last(factors: &[u32], index: usize) -> u32 {
    factors
        .get(index)
        .or(factors.last())
        .copied()
        .unwrap_or(ONE_BP)
}

/// `base × Π factors`, rounded half up to a whole coin. Exact: 10^6 × (10^5)^5 < 2^127.
///
/// Factors of 1 change nothing, and what is left mostly fits into 64 bits, which divide much faster.
fn rounded_product(base: u32, factors: &[u32; 5]) -> u64 {
    let factors = factors.map(|bp| bp.min(FACTOR_BP_MAX));
    let told = || factors.iter().filter(|&&bp| bp != ONE_BP);
    let small = told().try_fold((u64::from(base), 1_u64), |(product, one), &bp| {
        let product = product.checked_mul(u64::from(bp))?;
        Some((product, one.checked_mul(u64::from(ONE_BP))?))
    });
    if let Some((product, one)) = small
        && let Some(half_up) = product.checked_add(one / 2)
    {
        return half_up / one;
    }
    let (product, one) = told().fold((u128::from(base), 1_u128), |(product, one), &bp| {
        (product * u128::from(bp), one * u128::from(ONE_BP))
    });
    u64::try_from((product + one / 2) / one).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
