//! The chain: which proof may follow which (`protocol-spec/docs/chain.md`).
//!
//! One agent, one chain, which the owner may let resume at an earlier proof: then it has branches, and
//! one of them grows. The rules here are a pure function from the head and the next proof to
//! the new head, so that agent, tracker and any third party agree by construction.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    digest::Digest,
    field::FieldError,
    int::SafeUint,
    limits::CLOCK_AHEAD_SECONDS_MAX,
    proof::{ProofBody, VerifiedProof},
    time::Timestamp,
};

/// The last proof of an agent's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainHead {
    /// Its hash: what the next proof names in `prev_proof_hash`.
    pub hash: Digest,
    /// How many proofs the chain holds, this one included.
    pub length: SafeUint,
    /// Its id: what the next proof names in `prev_proof_id`.
    pub proof_id: Uuid,
    /// Its time: the next proof's is not before it.
    pub timestamp: Timestamp,
}

/// Why a proof does not extend a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It is the head itself, once more.
    #[error("this proof is already the head of the chain")]
    Duplicate,
    /// It names the head by id but with another hash, or an earlier proof: a second branch, or a gap.
    /// Only a store that knows the whole chain can tell a fork from a gap.
    #[error("prev_proof_id does not name the head of the chain")]
    NotTheHead,
    /// It names the head's id with a hash that is not the head's.
    #[error("prev_proof_hash is not the hash of the head of the chain")]
    WrongHash,
    /// A first proof for a chain that has one.
    #[error("the chain already has a first proof")]
    SecondGenesis,
    /// It names a predecessor, but the chain is empty.
    #[error("the chain is empty, so the first proof has null prev_proof_id and prev_proof_hash")]
    NoGenesis,
    /// Its time lies before the head's.
    #[error("timestamp lies before the previous proof's")]
    BackInTime,
    /// Its time lies more than five minutes ahead of the receiver's clock.
    #[error("timestamp lies more than 5 minutes in the future")]
    FutureDated,
    /// The chain has 2^53 − 1 proofs.
    #[error("the chain is full")]
    Full,
}

impl ChainError {
    /// The member of the proof that the refusal is about.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Duplicate | Self::Full => "proof_id",
            Self::NotTheHead | Self::SecondGenesis | Self::NoGenesis => "prev_proof_id",
            Self::WrongHash => "prev_proof_hash",
            Self::BackInTime | Self::FutureDated => "timestamp",
        }
    }

    /// The refusal as a word for machines.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::NotTheHead => "not-the-head",
            Self::WrongHash => "wrong-hash",
            Self::SecondGenesis => "second-genesis",
            Self::NoGenesis => "no-genesis",
            Self::BackInTime => "back-in-time",
            Self::FutureDated => "future-dated",
            Self::Full => "chain-full",
        }
    }
}

/// Whether a proof that would be new keeps its ids apart from its agent's (`PRF-CHAIN-011`). Whoever takes new
/// proofs in asks this beside [`extend`]; who reads a chain that is there does not.
///
/// # Errors
/// The member that has the agent's id.
pub fn check_ids(body: &ProofBody) -> Result<(), FieldError> {
    let agent_id = body.agent.agent_id;
    if body.proof_id == agent_id {
        return Err(FieldError::new("proof_id", "this is the agent's id"));
    }
    if body.prev_proof_id == Some(agent_id) {
        return Err(FieldError::new("prev_proof_id", "this is the agent's id"));
    }
    Ok(())
}

/// Whether something that names `previous` follows `head` (`PRF-CHAIN-001`, `PRF-CHAIN-002`).
///
/// # Errors
/// The [`ChainError`] that names the difference.
pub fn check_follows(
    head: Option<&ChainHead>,
    previous: Option<(Uuid, Digest)>,
) -> Result<(), ChainError> {
    match (head, previous) {
        (None, Some(_)) => Err(ChainError::NoGenesis),
        (Some(_), None) => Err(ChainError::SecondGenesis),
        (Some(head), Some((id, _))) if id != head.proof_id => Err(ChainError::NotTheHead),
        (Some(head), Some((_, hash))) if hash != head.hash => Err(ChainError::WrongHash),
        (None, None) | (Some(_), Some(_)) => Ok(()),
    }
}

/// The head after `proof`, which must follow `head` (`PRF-CHAIN-001` to `PRF-CHAIN-005`).
///
/// For the first proof of a branch, `head` is the proof that the branch resumes after, with the
/// length it had there, or `None` where the branch begins anew (`PRF-RESET-002`).
///
/// # Errors
/// The [`ChainError`] that names the broken rule; the chain is unchanged.
pub fn extend(
    head: Option<&ChainHead>,
    proof: &VerifiedProof,
    now: Timestamp,
) -> Result<ChainHead, ChainError> {
    let body = proof.body();
    if let Some(head) = head.filter(|head| head.proof_id == body.proof_id) {
        return Err(if head.hash == proof.hash() {
            ChainError::Duplicate
        } else {
            ChainError::NotTheHead
        });
    }
    check_follows(head, body.prev_proof_id.zip(body.prev_proof_hash))?;
    if head.is_some_and(|head| body.timestamp < head.timestamp) {
        return Err(ChainError::BackInTime);
    }
    let length = head.map_or(0, |head| head.length.value()) + 1;
    if body.timestamp.seconds_since(now) > CLOCK_AHEAD_SECONDS_MAX {
        return Err(ChainError::FutureDated);
    }
    Ok(ChainHead {
        hash: proof.hash(),
        length: length.try_into().map_err(|_| ChainError::Full)?,
        proof_id: body.proof_id,
        timestamp: body.timestamp,
    })
}

#[cfg(test)]
mod tests;
