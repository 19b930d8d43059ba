//! The ledger: everything that ever counted, once, in order.
//!
//! Every table the tracker shows is a projection of it: whoever folds the entries from the first one
//! through the tracker's `State::apply` gets the same farm, to the coin.
//!
//! In scope: the events, how each is written and read, and its sentence for people; the [`archive`] that holds
//! all of them in one file.
//!
//! Out of scope: what an event changes (`farmops-tracker`, `domain/apply.rs`), where the entries are kept
//! (its `store`), what the transparency log says of them (its `log.rs`).
//!
//! To add an event: 1. its body in `bodies.rs`; 2. a variant of [`Event`] with its word; 3. what it
//! changes in the tracker's `domain/apply.rs`; 4. the rows it touches in its `domain/changes.rs`; 5. its
//! sentence in `told.rs`; 6. one of it in `tests/ledger/events.rs`.

pub mod archive;
mod bodies;
mod event;
mod told;

pub use self::{
    bodies::{
        AgentApproved, AgentDismissed, AgentOutage, AgentRevoked, CalendarChanged, ChainReset,
        CompositeEarned, CompositePart, DayMarked, FarmProfile, FarmRenamed, ForkRefused,
        ItemPurchased, KeyRotated, LeagueCoins, LeagueJoined, LeagueLeft, Withdrawn,
    },
    event::{AGENT_REVOKED, AcceptedProof, CHAIN_RESET, Event, EventError, PROOF_ACCEPTED},
    told::counted,
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
