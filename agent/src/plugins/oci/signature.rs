//! Cosign's simple signing: a payload that names the artifact's digest, signed by a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use farmops_protocol::digest::Digest;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

use super::OciError;

/// The type of a payload's layer.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of that layer with the signature in base64.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// What a payload says it is.
const PAYLOAD_TYPE: &str = "cosign container image signature";

/// What stands before the key in a DER `SubjectPublicKeyInfo`, which has one encoding only (RFC 8410, RFC 5480).
const ED25519_HEAD: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An Ed25519 key, and an uncompressed point of P-256.
const ED25519_BYTES: usize = 32;
const P256_BYTES: usize = 65;

/// A public key that may have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ed25519,
    P256,
}

/// Text that holds no usable key.
#[derive(Debug, thiserror::Error)]
#[error("expected a PEM `PUBLIC KEY` of Ed25519 or ECDSA P-256, as `cosign public-key` prints it")]
pub struct NotAKey;

impl Key {
    /// Reads a PEM `PUBLIC KEY`.
    ///
    /// # Errors
    /// [`NotAKey`] for anything else, and for keys of other kinds.
    pub fn from_pem(text: &str) -> Result<Self, NotAKey> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).map_err(|_| NotAKey)?;
        let heads = [
            (Kind::Ed25519, ED25519_HEAD.as_slice(), ED25519_BYTES),
            (Kind::P256, P256_HEAD.as_slice(), P256_BYTES),
        ];
        let mut keys = heads.into_iter().filter_map(|(kind, head, length)| {
            let bytes = der.strip_prefix(head)?;
            let bytes = bytes.to_vec();
            (bytes.len() == length).then_some(Self { kind, bytes })
        });
        keys.next().ok_or(NotAKey)
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match self.kind {
            Kind::Ed25519 => &ED25519,
            Kind::P256 => &ECDSA_P256_SHA256_ASN1,
        };
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(message, signature)
            .is_ok()
    }
}

/// A payload with its signature in base64.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Signed {
    /// JSON, byte for byte.
    pub(super) payload: String,
    pub(super) signature: String,
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Whether one of `keys` signed that the artifact is the one with `digest`.
pub(super) fn check(signatures: &[Signed], digest: Digest, keys: &[Key]) -> Result<(), OciError> {
    if signatures.is_empty() {
        return Err(OciError::Unsigned);
    }
    if signatures.iter().any(|signed| signed.holds(digest, keys)) {
        return Ok(());
    }
    Err(OciError::WrongKey(signatures.len()))
}

impl Signed {
    fn holds(&self, digest: Digest, keys: &[Key]) -> bool {
        let Ok(signature) = STANDARD.decode(&self.signature) else {
            return false;
        };
        let signed = keys
            .iter()
            .any(|key| key.signed(self.payload.as_bytes(), &signature));
        // Read only after it is known who wrote it.
        let payload = || serde_json::from_str::<Payload>(&self.payload).ok();
        signed
            && payload().is_some_and(|payload| {
                payload.critical.kind == PAYLOAD_TYPE
                    && payload.critical.image.digest == format!("sha256:{digest}")
            })
    }
}
