//! What the transparency log holds of an entry: a commitment that says nothing without its salt.
//!
//! Checkpoints are public, the ledger is not. The salt of each position comes from the farm's
//! secret, so the owner can open one entry to someone without opening any other.

use farmops_protocol::{
    checkpoint::leaf_hash,
    digest::{Digest, keyed},
};
use sha2::{Digest as _, Sha256};

/// The farm's secret, from which the salt of every leaf is derived.
#[derive(Clone)]
pub struct LeafSalt(Vec<u8>);

impl LeafSalt {
    /// The salt source of the farm with this secret.
    pub fn new(farm_secret: impl Into<Vec<u8>>) -> Self {
        Self(farm_secret.into())
    }

    /// The RFC 6962 leaf of the entry at `position`: over SHA-256(salt ‖ kind ‖ 0x00 ‖ body), where
    /// the salt is HMAC-SHA-256(secret, position as eight bytes, big end first).
    pub fn leaf(&self, position: u64, kind: &str, body: &[u8]) -> Digest {
        let salt = keyed(&self.0, &position.to_be_bytes());
        let mut commitment = Sha256::new_with_prefix(salt.as_bytes());
        commitment.update(kind.as_bytes());
        commitment.update([0]);
        commitment.update(body);
        leaf_hash(&commitment.finalize())
    }
}

impl std::fmt::Debug for LeafSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LeafSalt(…)")
    }
}
