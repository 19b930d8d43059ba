//! The delivery log: one row per activity and inbox, a cursor and a lane's state per host.

use async_trait::async_trait;
use farmops_protocol::time::Timestamp;
use url::Url;

use crate::{delivery::lane::Lane, store::StoreError};

/// One activity on its way to one inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the log.
    pub position: u64,
    /// The local actor who signs it.
    pub actor: Url,
    /// The activity's id.
    pub activity: Url,
    /// The object whose order it keeps.
    pub object: Url,
    /// Where it goes.
    pub inbox: Url,
    /// The activity's JSON.
    pub body: String,
    /// When it was appended.
    pub appended_at: Timestamp,
    /// How often the receiver refused this very activity.
    pub refusals: u32,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Answered with 2xx.
    Delivered,
    /// Again, not before this time.
    Retry {
        /// When.
        at: Timestamp,
        /// Whether the receiver refused this activity, rather than being out of reach.
        refused: bool,
        /// Why, for the operator.
        reason: String,
    },
    /// Given up.
    Dead(String),
}

/// A host's lane with the time at which it has something to do.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneRecord {
    /// The host, with a port if its inboxes have one.
    pub host: String,
    /// Its state.
    pub lane: Lane,
}

/// The delivery log.
#[async_trait]
pub trait DeliveryStore {
    /// Hosts, not blocked, with undelivered rows, each with its lane (new if it has none).
    async fn waiting_lanes(&self) -> Result<Vec<LaneRecord>, StoreError>;

    /// For each object with undelivered rows to `host` and each inbox its first undelivered
    /// row, if due at `now`; at most `limit`, in the order of the log.
    async fn due_deliveries(
        &self,
        host: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// When the next undelivered row to `host` becomes due.
    async fn next_delivery_due(&self, host: &str) -> Result<Option<Timestamp>, StoreError>;

    /// Records what became of deliveries, and the lane's new state, in one transaction, and
    /// moves the host's cursor over everything that is done.
    async fn settle_deliveries(
        &self,
        host: &str,
        lane: &Lane,
        outcomes: &[(u64, DeliveryOutcome)],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Gives up every undelivered row to `host` appended before `before`; answers how many.
    async fn give_up_deliveries(
        &self,
        host: &str,
        before: Timestamp,
        at: Timestamp,
    ) -> Result<u64, StoreError>;

    /// The state of every lane ever used, for the operator.
    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError>;

    /// How many rows wait for delivery, over all hosts.
    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError>;

    /// Forgets rows that were delivered or given up before `before`.
    async fn prune_deliveries(&self, before: Timestamp) -> Result<(), StoreError>;
}
