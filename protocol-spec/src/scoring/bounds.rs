//! What a rule set must keep to (`SCO-RULES-001`), each bound by the member that breaks it.
//!
//! Five factors up to 10 times and a base up to 10^6 keep the exact product inside 128 bits.

use super::{FACTOR_BP_MAX, RuleSet, composite};
use crate::{field::FieldError, proof::Category};

/// The highest base rate, in coins.
const BASE_COINS_MAX: u32 = 1_000_000;
/// Days that a streak's factors may tell apart, and days of work until a freeze comes back.
const DAYS_MAX: u32 = 366;
/// Steps of diminishing returns.
const REPETITION_STEPS_MAX: usize = 16;
/// Freezes that can be held.
const FREEZES_HELD_MAX: u32 = 31;

pub(super) fn check(rules: &RuleSet) -> Result<(), FieldError> {
    for &category in Category::ALL {
        if rules.base(category) > BASE_COINS_MAX {
            return refuse(
                format!("base_coins.{}", category.as_str()),
                "a base rate is at most 1000000 coins",
            );
        }
    }
    check_lengths(rules)?;
    let complexity = &rules.complexity_bp;
    factor("complexity_bp.low", complexity.low)?;
    factor("complexity_bp.medium", complexity.medium)?;
    factor("complexity_bp.high", complexity.high)?;
    for (n, bp) in rules.impact_bp.iter().enumerate() {
        factor(format!("impact_bp[{n}]"), *bp)?;
    }
    for (n, bp) in rules.streak_bp.iter().enumerate() {
        factor(format!("streak_bp[{n}]"), *bp)?;
    }
    for (n, step) in rules.repetition.iter().enumerate() {
        factor(format!("repetition[{n}].factor_bp"), step.factor_bp)?;
    }
    if rules.freezes.held_max > FREEZES_HELD_MAX {
        return refuse("freezes.held_max", "at most 31 freezes can be held");
    }
    if !(1..=DAYS_MAX).contains(&rules.freezes.recharge_days) {
        return refuse("freezes.recharge_days", "expected 1 to 366 days");
    }
    composite::check(&rules.composites)
}

fn check_lengths(rules: &RuleSet) -> Result<(), FieldError> {
    if rules.impact_bp.len() != 10 {
        let reason = "expected exactly ten factors, for radius 1 to 10";
        return refuse("impact_bp", reason);
    }
    if !(1..=DAYS_MAX as usize).contains(&rules.streak_bp.len()) {
        return refuse("streak_bp", "expected 1 to 366 factors");
    }
    let open_end = rules.repetition.last().map(|step| step.fewer_than);
    if rules.repetition.len() > REPETITION_STEPS_MAX || open_end != Some(None) {
        let reason = "expected 1 to 16 steps, the last with fewer_than null";
        return refuse("repetition", reason);
    }
    Ok(())
}

fn factor(member: impl Into<String>, bp: u32) -> Result<(), FieldError> {
    if bp > FACTOR_BP_MAX {
        return refuse(member, "a factor is at most 100000 basis points");
    }
    Ok(())
}

fn refuse(member: impl Into<String>, reason: &str) -> Result<(), FieldError> {
    Err(FieldError::new(member, reason))
}
