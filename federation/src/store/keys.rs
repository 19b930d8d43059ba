//! The RSA private keys of local actors, as PEM.

use async_trait::async_trait;

use crate::store::StoreError;

/// The RSA private keys of local actors, as PEM.
#[async_trait]
pub trait KeyStore {
    /// The key of a local actor.
    async fn key(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Keeps `pem` unless the actor already has a key; answers the one that is kept.
    async fn keep_key(&self, name: &str, pem: &str) -> Result<String, StoreError>;
}
