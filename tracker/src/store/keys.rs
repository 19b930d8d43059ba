//! The farm's secrets.

use farmops_protocol::key::{PublicKey, SecretKey};

/// Secrets made at the first start.
#[derive(Debug)]
pub struct Secrets {
    /// The seed of the farm's Ed25519 key.
    pub farm_key: SecretKey,
    /// The farm's secret, 32 bytes: leaf salts and session tags.
    pub farm_secret: Vec<u8>,
}

impl Secrets {
    /// New ones.
    pub fn generate(rng: &mut impl rand::CryptoRng) -> Self {
        let mut farm_secret = vec![0; 32];
        rng.fill_bytes(&mut farm_secret);
        Self {
            farm_key: SecretKey::generate(rng),
            farm_secret,
        }
    }

    /// The public half of the farm's key.
    pub fn public_key(&self) -> PublicKey {
        self.farm_key.public()
    }
}
