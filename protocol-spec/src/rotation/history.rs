//! Which of an agent's keys signed which of its proofs.

use uuid::Uuid;

use super::{ParsedKeyRotation, VerifiedKeyRotation};
use crate::{
    chain::{ChainError, ChainHead},
    field::FieldError,
    key::{BadSignature, PublicKey},
    proof::{ParsedProof, VerifiedProof},
};

/// Why a rotation does not belong into an agent's history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A member breaks a rule, or a signature is not what it should be.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// It was made at another head.
    #[error(transparent)]
    Head(#[from] ChainError),
}

/// The keys of one agent, each with the place from which it signs.
///
/// A place is a count: how many proofs of the agent the tracker had accepted before, over all
/// branches. It grows with every proof, also where a new branch resumes far back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    agent_id: Uuid,
    first: PublicKey,
    later: Vec<(u64, PublicKey)>,
}

impl KeyHistory {
    /// The history of an agent that enrolled with `first`.
    pub fn new(agent_id: Uuid, first: PublicKey) -> Self {
        Self {
            agent_id,
            first,
            later: Vec::new(),
        }
    }

    /// The key that signs now.
    pub fn current(&self) -> &PublicKey {
        self.later.last().map_or(&self.first, |(_, key)| key)
    }

    /// The key that signs the proof that `place` proofs came before.
    pub fn key_at(&self, place: u64) -> &PublicKey {
        let after = self.later.partition_point(|(since, _)| *since <= place);
        match after.checked_sub(1) {
            Some(last) => &self.later[last].1,
            None => &self.first,
        }
    }

    /// Every key with the place from which it signs, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = (u64, &PublicKey)> {
        let later = self.later.iter().map(|(since, key)| (*since, key));
        std::iter::once((0, &self.first)).chain(later)
    }

    /// Takes up a rotation that came after `place` proofs, when the growing branch ended at `head`.
    ///
    /// # Errors
    /// A [`RotationError`] that names what is wrong with it; the history is unchanged.
    pub fn rotate(
        &mut self,
        rotation: ParsedKeyRotation,
        head: Option<&ChainHead>,
        place: u64,
    ) -> Result<VerifiedKeyRotation, RotationError> {
        let verified = rotation.verify(self.agent_id, self.current())?;
        verified.check_head(head)?;
        let new = &verified.rotation().new_key;
        if self.keys().any(|(_, key)| key == new) {
            let reason = "a key that was replaced does not come back";
            return Err(FieldError::new("new_key", reason).into());
        }
        self.later.push((place, *new));
        Ok(verified)
    }

    /// Checks the signature of the proof that `place` proofs came before.
    ///
    /// # Errors
    /// [`BadSignature`] when the key of that place did not sign it.
    pub fn verify(&self, proof: ParsedProof, place: u64) -> Result<VerifiedProof, BadSignature> {
        proof.verify(self.key_at(place))
    }
}
