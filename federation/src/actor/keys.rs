//! The RSA keys with which local actors sign requests.
//!
//! RSA-2048 because every server reads it. Signing takes about 1.5 ms and verifying a tenth of
//! that, short enough to stay on the calling task; making a key takes up to seconds, so callers
//! on a runtime do that on a blocking thread.

/// The operating system's generator, of the generation that the RSA library wants.
pub use rsa::rand_core::OsRng;
use rsa::{
    Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::CryptoRngCore,
};
use sha2_10::{Digest as _, Sha256};

const KEY_BITS: usize = 2048;

/// A local actor's RSA key pair.
#[derive(Clone)]
pub struct ActorKeys {
    private: RsaPrivateKey,
    public_pem: String,
}

/// A key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The generator failed.
    #[error("an RSA key could not be made")]
    Generate(#[source] rsa::Error),
    /// The stored text is no PKCS#8 PEM.
    #[error("the stored RSA key cannot be read")]
    Read(#[source] rsa::pkcs8::Error),
    /// The key could not be written as PEM.
    #[error("the RSA key cannot be written as PEM")]
    Write(#[source] rsa::pkcs8::spki::Error),
}

impl ActorKeys {
    /// Makes a key pair. `rng` must be a cryptographic generator.
    pub fn generate(rng: &mut impl CryptoRngCore) -> Result<Self, KeyError> {
        Self::from_private(RsaPrivateKey::new(rng, KEY_BITS).map_err(KeyError::Generate)?)
    }

    /// Reads what [`Self::to_pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_private(RsaPrivateKey::from_pkcs8_pem(pem).map_err(KeyError::Read)?)
    }

    fn from_private(private: RsaPrivateKey) -> Result<Self, KeyError> {
        let public_pem = RsaPublicKey::from(&private)
            .to_public_key_pem(LineEnding::LF)
            .map_err(KeyError::Write)?;
        Ok(Self {
            private,
            public_pem,
        })
    }

    /// The private key as PKCS#8 PEM, for the store.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let pem = self
            .private
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(KeyError::Read)?;
        Ok(pem.as_str().to_owned())
    }

    /// The public key as SPKI PEM, as it stands in the actor's document.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// Signs `message` with RSASSA-PKCS1-v1_5 over SHA-256.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rsa::Error> {
        self.private
            .sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
    }
}

impl std::fmt::Debug for ActorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActorKeys(…)")
    }
}
