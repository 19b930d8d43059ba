//! What the engine remembers, as a trait: one small trait per noun, [`Store`] for all of them.
//!
//! `farmops-federation-store` implements it on SQL. The contract, which its tests hold:
//! a call that returned `Ok` survives a power cut; each call is one transaction.

mod actors;
mod blocks;
mod deliveries;
mod inbox;
mod keys;
mod posts;
mod relations;

pub use self::{
    actors::ActorStore,
    blocks::BlockStore,
    deliveries::{Delivery, DeliveryOutcome, DeliveryStore, LaneRecord},
    inbox::{Enqueued, InboxItem, InboxOutcome, InboxStore},
    keys::KeyStore,
    posts::PostStore,
    relations::{RelationFilter, RelationStore},
};

/// The store failed. The engine logs it, answers 503 at the door and tries again in the back.
#[derive(Debug, thiserror::Error)]
#[error("the federation store failed: {0}")]
pub struct StoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// Wraps the cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Everything the engine remembers.
pub trait Store:
    ActorStore
    + BlockStore
    + DeliveryStore
    + InboxStore
    + KeyStore
    + PostStore
    + RelationStore
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: ActorStore
        + BlockStore
        + DeliveryStore
        + InboxStore
        + KeyStore
        + PostStore
        + RelationStore
        + Send
        + Sync
        + 'static
{
}
