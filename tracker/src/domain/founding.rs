//! The first entries of every ledger: whose farm it is, and by which rules.

use farmops_ledger::{Event, FarmProfile};
use farmops_protocol::{
    key::PublicKey,
    registration::{check_display_name, check_handle},
    scoring::RuleSet,
    streak::Calendar,
};

use super::{refusal::Refusal, state::State};

/// What the owner configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The name before the `@`.
    pub handle: String,
    /// The name people read.
    pub name: String,
    /// An IANA time zone.
    pub time_zone: String,
    /// The days of the week that count, Monday first.
    pub working_days: [bool; 7],
}

impl Founding {
    /// Whether a farm can be founded with it.
    ///
    /// # Errors
    /// A [`Refusal`] naming the member that breaks a rule.
    pub fn check(&self) -> Result<(), Refusal> {
        check_handle(&self.handle)?;
        check_display_name(&self.name)?;
        Calendar::new(&self.time_zone, self.working_days)?;
        Ok(())
    }
}

/// Decides the founding: two events for an empty ledger, none for one that has begun.
pub fn decide_found(
    state: &State,
    founding: &Founding,
    farmer_key: PublicKey,
) -> Result<Vec<Event>, Refusal> {
    if state.farm.is_some() {
        return Ok(Vec::new());
    }
    founding.check()?;
    Ok(vec![
        Event::FarmFounded(FarmProfile {
            farmer_key,
            handle: founding.handle.clone(),
            name: founding.name.clone(),
            time_zone: founding.time_zone.clone(),
            working_days: founding.working_days,
        }),
        Event::RulesAdopted(RuleSet::default()),
    ])
}
