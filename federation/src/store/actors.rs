//! Remote actors met.

use async_trait::async_trait;
use farmops_protocol::time::Timestamp;
use url::Url;

use crate::{actor::RemoteActor, store::StoreError};

/// Remote actors met.
#[async_trait]
pub trait ActorStore {
    /// The actor with this id.
    async fn remote_actor(&self, id: &Url) -> Result<Option<RemoteActor>, StoreError>;

    /// The actor whose RSA key has this id.
    async fn remote_actor_by_key(&self, key_id: &str) -> Result<Option<RemoteActor>, StoreError>;

    /// Remembers an actor, replacing what was known of the same id.
    async fn save_remote_actor(&self, actor: &RemoteActor) -> Result<(), StoreError>;

    /// Forgets actors last fetched before `before` with whom nobody has anything to do: no
    /// relation, no farm key that is pinned.
    async fn forget_strangers(&self, before: Timestamp) -> Result<(), StoreError>;

    /// Forgets an actor and every relation with it.
    async fn forget_remote_actor(&self, id: &Url) -> Result<(), StoreError>;
}
