//! The ledger: everything that ever counted, once, in order.
//!
//! Every table the tracker shows is a projection of it: whoever folds the entries from the first one
//! through [`crate::domain::State::apply`] gets the same farm, to the coin.
//!
//! To add an event: 1. its body in `bodies.rs`; 2. a variant of [`Event`] with its word; 3. what it
//! changes in `domain/apply.rs`; 4. the rows it touches in `domain/changes.rs`; 5. its sentence in
//! `ledger/told.rs`.

mod bodies;
mod event;
pub mod log;
#[cfg(test)]
mod tests;
mod told;

pub use self::{
    bodies::{
        AgentApproved, AgentDismissed, AgentOutage, AgentRevoked, CalendarChanged, ChainReset,
        CompositeEarned, CompositePart, DayMarked, FarmProfile, FarmRenamed, ForkRefused,
        ItemPurchased, KeyRotated, LeagueCoins, LeagueJoined, LeagueLeft, Withdrawn,
    },
    event::{AGENT_REVOKED, AcceptedProof, CHAIN_RESET, Event, EventError, PROOF_ACCEPTED},
    log::{FullTile, Log, enter},
    told::{counted, told},
};
use farmops_protocol::time::Timestamp;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, from 1, without a gap.
    pub position: u64,
    /// When the tracker wrote it down.
    pub recorded_at: Timestamp,
    /// What happened.
    pub event: Event,
}
