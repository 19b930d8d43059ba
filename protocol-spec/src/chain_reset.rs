//! A chain reset request: an agent that lost proofs asks to go on where its own chain ends
//! (`protocol-spec/docs/chain.md`, `PRF-RESET`).
//!
//! Only the owner answers it. Until then the tracker keeps one such request for each agent.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    limits::CHAIN_RESET_BYTES_MAX,
    signed_request::{SignedRequest, check_fresh, check_signature, parse, seal},
    time::Timestamp,
};

/// What an agent asks of its owner. Members stand in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainResetRequest {
    /// The agent that asks; its key signs.
    pub agent_id: Uuid,
    /// When it was made; it stays fresh for an hour.
    pub requested_at: Timestamp,
    /// The proof that the new branch resumes after, or null for a first proof.
    pub resumes_after: Option<Uuid>,
    /// Over the canonical bytes of the other members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// A request of the right form, whose signature nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedChainReset {
    bytes: Vec<u8>,
    request: ChainResetRequest,
}

/// A request that its agent's key has signed. It comes from [`ParsedChainReset::verify`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedChainReset(ParsedChainReset);

impl ChainResetRequest {
    /// The canonical bytes of a request signed with the agent's `key`.
    ///
    /// # Errors
    /// A [`FieldError`] when it does not serialise.
    pub fn sign(
        agent_id: Uuid,
        resumes_after: Option<Uuid>,
        key: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, FieldError> {
        let request = Self {
            agent_id,
            requested_at: now,
            resumes_after,
            signature: None,
        };
        seal(request, key)
    }
}

impl ParsedChainReset {
    /// Reads a request's form: size, canonical form, its members.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        Ok(Self {
            bytes: bytes.to_vec(),
            request: parse(bytes)?,
        })
    }

    /// What it says; `agent_id` tells whose key to verify it with.
    pub fn request(&self) -> &ChainResetRequest {
        &self.request
    }

    /// Refuses a request from another hour. Whoever reads the ledger later leaves this out.
    ///
    /// # Errors
    /// A [`FieldError`] of `requested_at`.
    pub fn check_fresh(&self, now: Timestamp) -> Result<(), FieldError> {
        check_fresh(self.request.requested_at, now)
    }

    /// Checks that it is the agent's, signed with its `current` key.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that differs.
    pub fn verify(
        mut self,
        agent_id: Uuid,
        current: &PublicKey,
    ) -> Result<VerifiedChainReset, FieldError> {
        check_agent(self.request.agent_id, agent_id)?;
        check_signature(&mut self.request, current)?;
        Ok(VerifiedChainReset(self))
    }
}

impl VerifiedChainReset {
    /// What it says.
    pub fn request(&self) -> &ChainResetRequest {
        &self.0.request
    }

    /// The canonical bytes, as received.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Refuses what another agent signed (`KEY-ROT-004`, `PRF-RESET-005`).
pub(crate) fn check_agent(named: Uuid, expected: Uuid) -> Result<(), FieldError> {
    if named == expected {
        return Ok(());
    }
    Err(FieldError::new(
        "agent_id",
        format!("expected {expected}, the agent that this is about"),
    ))
}

impl SignedRequest for ChainResetRequest {
    const NAME: &'static str = "a chain reset request";
    const BYTES_MAX: usize = CHAIN_RESET_BYTES_MAX;

    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    fn signature_mut(&mut self) -> &mut Option<Signature> {
        &mut self.signature
    }
}
