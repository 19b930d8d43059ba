//! Every check, in the order of the report.

mod actor;
mod agents;
mod chain;
pub(crate) mod forgeries;
mod inbox;
mod intake;
mod keys;
mod leagues;
mod log;
mod membership;
mod names;
mod oddments;
mod senders;
mod snapshot;

use crate::check::Check;

/// Every check.
pub fn all() -> Vec<Check> {
    [
        names::CHECKS,
        actor::CHECKS,
        inbox::CHECKS,
        forgeries::CHECKS,
        senders::CHECKS,
        snapshot::CHECKS,
        log::CHECKS,
        intake::CHECKS,
        keys::CHECKS,
        chain::CHECKS,
        membership::CHECKS,
        leagues::CHECKS,
        oddments::CHECKS,
    ]
    .concat()
}
