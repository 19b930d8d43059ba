//! Key rotation: an agent's old key hands over to a new one (`protocol-spec/docs/identity.md`, `KEY-ROT`).
//!
//! The old key signs the new one, and the new key signs the same bytes, so nobody can bind a key that
//! he does not have. The document names the head it was made at: the last proof of the old key.

mod history;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::history::{KeyHistory, RotationError};
use crate::{
    chain::{self, ChainError, ChainHead},
    chain_reset::check_agent,
    digest::Digest,
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    limits::KEY_ROTATION_BYTES_MAX,
    signed_request::{SignedRequest, canonical, check_fresh, check_one, parse},
    time::Timestamp,
};

/// The hand-over from one agent key to the next. Members stand in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// Whose key changes.
    pub agent_id: Uuid,
    /// The key that signs from now on.
    pub new_key: PublicKey,
    /// By `new_key`, over the canonical bytes without both signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_key_signature: Option<Signature>,
    /// The hash of the head it was made at; null for an empty chain.
    pub prev_proof_hash: Option<Digest>,
    /// The id of the head it was made at; null for an empty chain.
    pub prev_proof_id: Option<Uuid>,
    /// When it was made; it stays fresh for an hour.
    pub requested_at: Timestamp,
    /// By the old key, over the same bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// A rotation of the right form, whose signatures nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedKeyRotation {
    bytes: Vec<u8>,
    rotation: KeyRotation,
}

/// A rotation that both keys have signed. It comes from [`ParsedKeyRotation::verify`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedKeyRotation(ParsedKeyRotation);

impl KeyRotation {
    /// The canonical bytes of a rotation from `old` to `new` at `head`.
    ///
    /// # Errors
    /// A [`FieldError`] when both keys are the same.
    pub fn sign(
        agent_id: Uuid,
        head: Option<&ChainHead>,
        old: &SecretKey,
        new: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, FieldError> {
        let mut rotation = Self {
            agent_id,
            new_key: new.public(),
            new_key_signature: None,
            prev_proof_hash: head.map(|head| head.hash),
            prev_proof_id: head.map(|head| head.proof_id),
            requested_at: now,
            signature: None,
        };
        check_other(&rotation.new_key, &old.public())?;
        let unsigned = canonical(&rotation)?;
        rotation.new_key_signature = Some(new.sign(&unsigned));
        rotation.signature = Some(old.sign(&unsigned));
        canonical(&rotation)
    }

    /// The head it was made at.
    pub fn previous(&self) -> Option<(Uuid, Digest)> {
        self.prev_proof_id.zip(self.prev_proof_hash)
    }
}

impl ParsedKeyRotation {
    /// Reads a rotation's form: size, canonical form, its members.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        Ok(Self {
            bytes: bytes.to_vec(),
            rotation: parse(bytes)?,
        })
    }

    /// What it says; `agent_id` tells whose key to verify it with.
    pub fn rotation(&self) -> &KeyRotation {
        &self.rotation
    }

    /// The canonical bytes, as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Refuses a rotation from another hour. Whoever reads the ledger later leaves this out.
    ///
    /// # Errors
    /// A [`FieldError`] of `requested_at`.
    pub fn check_fresh(&self, now: Timestamp) -> Result<(), FieldError> {
        check_fresh(self.rotation.requested_at, now)
    }

    /// Checks that it is about this agent, and signed with its `current` key and with the new one.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn verify(
        self,
        agent_id: Uuid,
        current: &PublicKey,
    ) -> Result<VerifiedKeyRotation, FieldError> {
        let rotation = &self.rotation;
        check_agent(rotation.agent_id, agent_id)?;
        check_other(&rotation.new_key, current)?;
        let unsigned = canonical(&KeyRotation {
            new_key_signature: None,
            signature: None,
            ..rotation.clone()
        })?;
        for (field, signature, key) in [
            ("signature", &rotation.signature, current),
            (
                "new_key_signature",
                &rotation.new_key_signature,
                &rotation.new_key,
            ),
        ] {
            check_one(field, signature.as_ref(), key, &unsigned)?;
        }
        Ok(VerifiedKeyRotation(self))
    }
}

impl VerifiedKeyRotation {
    /// What it says.
    pub fn rotation(&self) -> &KeyRotation {
        &self.0.rotation
    }

    /// The canonical bytes, as received.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Refuses a rotation that was made at another head than the chain's (`KEY-ROT-005`).
    ///
    /// # Errors
    /// The [`ChainError`] that names the difference.
    pub fn check_head(&self, head: Option<&ChainHead>) -> Result<(), ChainError> {
        chain::check_follows(head, self.rotation().previous())
    }
}

fn check_other(new: &PublicKey, old: &PublicKey) -> Result<(), FieldError> {
    if new == old {
        return Err(FieldError::new("new_key", "this is the key it replaces"));
    }
    Ok(())
}

impl SignedRequest for KeyRotation {
    const NAME: &'static str = "a key rotation";
    const BYTES_MAX: usize = KEY_ROTATION_BYTES_MAX;

    fn check(&self) -> Result<(), FieldError> {
        if self.prev_proof_id.is_some() == self.prev_proof_hash.is_some() {
            return Ok(());
        }
        Err(FieldError::new(
            "prev_proof_hash",
            "prev_proof_id and prev_proof_hash are both null (no proof yet) or both given",
        ))
    }

    fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    fn signature_mut(&mut self) -> &mut Option<Signature> {
        &mut self.signature
    }
}
