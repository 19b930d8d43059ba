//! What arrived, verified, and waits to be processed.

use async_trait::async_trait;
use farmops_protocol::time::Timestamp;
use url::Url;

use crate::store::StoreError;

/// An activity whose sender is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// Its place in the order of arrival; 0 before it is in the queue.
    pub position: u64,
    /// The activity's id.
    pub id: Url,
    /// The actor whose key signed the request.
    pub actor: Url,
    /// The body as it arrived.
    pub body: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// How often processing failed.
    pub attempts: u32,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is in the queue.
    New,
    /// The same activity of the same actor came before.
    Duplicate,
    /// The queue is full.
    Full,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InboxOutcome {
    /// Done with; the word says what was done, for the log.
    Done(&'static str),
    /// Not now: again at this time.
    Retry {
        /// When.
        at: Timestamp,
        /// Why, for the operator.
        reason: String,
    },
    /// Given up; kept for the operator to look at.
    Dead(String),
}

/// What arrived.
#[async_trait]
pub trait InboxStore {
    /// Whether this activity of this actor came before.
    async fn arrived_before(&self, id: &Url, actor: &Url) -> Result<bool, StoreError>;

    /// Keeps an arrival, unless it came before or `waiting_max` others wait.
    async fn enqueue(&self, item: &InboxItem, waiting_max: u32) -> Result<Enqueued, StoreError>;

    /// The first items due at `now`, in the order of arrival.
    async fn due_items(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError>;

    /// When the next item becomes due, if any waits.
    async fn next_item_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Records what became of an item.
    async fn settle_item(
        &self,
        position: u64,
        outcome: &InboxOutcome,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// How many items were given up.
    async fn count_dead_items(&self) -> Result<u64, StoreError>;

    /// Forgets items settled before `before`.
    async fn prune_items(&self, before: Timestamp) -> Result<(), StoreError>;
}
