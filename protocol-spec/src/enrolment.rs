//! Enrolment: how an agent presents its key, and what it hears back (`protocol-spec/docs/enrolment.md`).
//!
//! The same request is the first word of every connection: it is idempotent, and its answer tells
//! the agent where the tracker's copy of its chain ends.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    chain::ChainHead,
    field::FieldError,
    int::SafeUint,
    key::{Fingerprint, PublicKey, SecretKey, Signature},
    limits::ENROLMENT_BYTES_MAX,
    proof::{CLUSTER_ALIAS_RULE, is_cluster_alias},
    signed_request::{NamesItsKey, SignedRequest, open, seal},
    time::Timestamp,
};

/// An agent's signed introduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The agent's own id.
    pub agent_id: Uuid,
    /// The label that the operator chose for what this agent watches.
    pub cluster_alias: String,
    /// The key that signs this request and every proof to come.
    pub public_key: PublicKey,
    /// When the request was made; fresh for an hour.
    pub requested_at: Timestamp,
    /// Over the canonical bytes of the other members. Absent only while the request is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
}

/// Where an agent stands with a tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentStatus {
    /// Known, not yet approved: its proofs are kept but not scored.
    Pending,
    /// Approved by the owner.
    Active,
    /// No longer trusted: its proofs are refused.
    Revoked,
}

/// The tracker's answer to an [`EnrolmentRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentAnswer {
    /// The branch that the agent's chain grows on: 0 until its first reset (`PRF-RESET-001`).
    pub branch: SafeUint,
    /// What the owner compares before approving.
    pub fingerprint: Fingerprint,
    /// What the agent's next proof follows: the last proof the tracker holds of that branch, pending
    /// ones included, or the proof that the branch resumes after.
    pub head: Option<ChainHead>,
    /// Whether a chain reset that the agent asked for waits for its owner.
    pub reset_waiting: bool,
    /// Where the agent stands.
    pub status: AgentStatus,
}

impl EnrolmentRequest {
    /// The canonical bytes of a request signed with `key`.
    ///
    /// # Errors
    /// A [`FieldError`] when `cluster_alias` is not a label.
    pub fn sign(
        agent_id: Uuid,
        cluster_alias: &str,
        key: &SecretKey,
        now: Timestamp,
    ) -> Result<Vec<u8>, FieldError> {
        let request = Self {
            agent_id,
            cluster_alias: cluster_alias.to_owned(),
            public_key: key.public(),
            requested_at: now,
            signature: None,
        };
        seal(request, key)
    }

    /// Reads and verifies a request: size, canonical form, freshness, and that its own key signed it.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn verify(bytes: &[u8], now: Timestamp) -> Result<Self, FieldError> {
        open(bytes, now, |_| Ok(()))
    }
}

impl SignedRequest for EnrolmentRequest {
    const NAME: &'static str = "an enrolment request";
    const BYTES_MAX: usize = ENROLMENT_BYTES_MAX;

    fn check(&self) -> Result<(), FieldError> {
        if is_cluster_alias(&self.cluster_alias) {
            Ok(())
        } else {
            Err(FieldError::new("cluster_alias", CLUSTER_ALIAS_RULE))
        }
    }

    fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    fn signature_mut(&mut self) -> &mut Option<Signature> {
        &mut self.signature
    }
}

impl NamesItsKey for EnrolmentRequest {
    fn key(&self) -> &PublicKey {
        &self.public_key
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-02-21T09:30:00Z".parse().unwrap()
    }

    fn signed(alias: &str) -> Result<Vec<u8>, FieldError> {
        EnrolmentRequest::sign(
            Uuid::from_u128(1),
            alias,
            &SecretKey::from_bytes([7; 32]),
            now(),
        )
    }

    #[test]
    fn a_signed_request_is_canonical_and_verifies() {
        let bytes = signed("prod-eu-1").unwrap();
        assert!(crate::canonical::is_canonical(&bytes, 2));
        let read = EnrolmentRequest::verify(&bytes, now()).unwrap();
        assert_eq!(read.public_key, SecretKey::from_bytes([7; 32]).public());
    }

    #[test]
    fn what_would_be_refused_is_not_signed() {
        assert_eq!(signed("db1.internal").unwrap_err().field, "cluster_alias");
    }

    #[test]
    fn a_proof_is_no_request_and_a_request_no_proof() {
        let bytes = signed("prod-eu-1").unwrap();
        assert!(crate::proof::ParsedProof::parse(&bytes).is_err());
    }
}
