//! Ed25519 keys, signatures and the fingerprints people compare.

use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{lower_hex, serialize_hex, sha256, write_hex};

/// The multicodec prefix of an Ed25519 public key (`0xed`, as a varint).
const MULTICODEC_ED25519: [u8; 2] = [0xed, 0x01];

/// An Ed25519 secret key (RFC 8032). Never printed; the memory is cleared on drop.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

/// An Ed25519 public key; on the wire a Multikey string `z6Mk…` (`IDN-KEY-001`).
///
/// Keys of small order and second spellings of a point are refused on reading (`IDN-KEY-002`), so
/// that a signature always binds to one key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// An Ed25519 signature: 128 lower-case hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// SHA-256 of a public key's 32 bytes: what a person compares before trusting an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(crate::digest::Digest);

/// Why text or bytes are not a key, signature or fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `z` + base58btc of the Ed25519 multicodec prefix and 32 bytes.
    #[error("expected an Ed25519 Multikey like z6Mk…")]
    NotAMultikey,
    /// The bytes are no point of the curve, a point's second spelling, or one of small order.
    #[error("not a usable Ed25519 public key (no curve point, or of small order)")]
    NotAPoint,
    /// Not 128 lower-case hexadecimal digits.
    #[error("expected an Ed25519 signature of 128 lower-case hexadecimal digits")]
    NotASignature,
    /// Not 64 hexadecimal digits.
    #[error("expected a fingerprint of 64 hexadecimal digits")]
    NotAFingerprint,
}

/// A signature that the key did not make over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify under this key")]
pub struct BadSignature;

impl SecretKey {
    /// A fresh key from `rng`.
    pub fn generate(rng: &mut impl rand::CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The key with this 32-byte seed.
    pub fn from_bytes(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The 32-byte seed, for storing.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message` (RFC 8032, pure Ed25519).
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl PublicKey {
    /// The key with these 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`] when they are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        // The library also takes a second spelling of some points, which RFC 8032 §5.1.3 refuses.
        let is_canonical = key.to_edwards().compress().as_bytes() == bytes;
        if key.is_weak() || !is_canonical {
            Err(KeyError::NotAPoint)
        } else {
            Ok(Self(key))
        }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks `signature` over `message` by the strict rules: canonical encodings, no small order.
    ///
    /// # Errors
    /// [`BadSignature`] when it does not verify.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| BadSignature)
    }

    /// What a person compares before approving this key.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(sha256(self.as_bytes()))
    }
}

impl std::hash::Hash for PublicKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = [0; 34];
        bytes[..2].copy_from_slice(&MULTICODEC_ED25519);
        bytes[2..].copy_from_slice(self.as_bytes());
        write!(f, "z{}", bs58::encode(bytes).into_string())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let encoded = text.strip_prefix('z').ok_or(KeyError::NotAMultikey)?;
        let mut bytes = [0; 34];
        let length = bs58::decode(encoded)
            .onto(&mut bytes)
            .map_err(|_| KeyError::NotAMultikey)?;
        let key = match bytes.split_first_chunk::<2>() {
            Some((&MULTICODEC_ED25519, key)) if length == 34 => key,
            _ => return Err(KeyError::NotAMultikey),
        };
        let key = <&[u8; 32]>::try_from(key).map_err(|_| KeyError::NotAMultikey)?;
        Self::from_bytes(key)
    }
}

impl Signature {
    /// A signature from its bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes, R then S.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_hex(&self.0, f)
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_hex(&self.0, f)
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        lower_hex(text).map(Self).ok_or(KeyError::NotASignature)
    }
}

impl std::fmt::Display for Fingerprint {
    /// Groups of four digits, as people read them aloud.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, pair) in self.0.as_bytes().chunks(2).enumerate() {
            let gap = if index == 0 { "" } else { " " };
            f.write_str(gap)?;
            write_hex(pair, f)?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | ':'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        digits
            .parse()
            .map(Self)
            .map_err(|_| KeyError::NotAFingerprint)
    }
}

/// Serde by `Display` and `FromStr`.
macro_rules! serde_by_text {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_by_text!(PublicKey, Fingerprint);

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
