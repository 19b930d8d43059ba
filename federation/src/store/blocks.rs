//! Hosts that are not talked to.

use async_trait::async_trait;
use farmops_protocol::time::Timestamp;

use crate::store::StoreError;

/// Hosts that are not talked to.
#[async_trait]
pub trait BlockStore {
    /// Whether any of `hosts` (normalised) is blocked.
    async fn any_blocked(&self, hosts: &[String]) -> Result<bool, StoreError>;

    /// Blocks a host; repeating it is harmless.
    async fn block(&self, host: &str, at: Timestamp) -> Result<(), StoreError>;

    /// Lifts a block; lifting none is harmless.
    async fn unblock(&self, host: &str) -> Result<(), StoreError>;

    /// Every blocked host, in order.
    async fn blocked(&self) -> Result<Vec<String>, StoreError>;
}
