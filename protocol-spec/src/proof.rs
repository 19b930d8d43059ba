//! The proof: one finished piece of work, stated without its content (`protocol-spec/docs/proof.md`).
//!
//! Three types mark how far a proof has come: [`ProofBody`] is being written, [`ParsedProof`] has
//! the right form, [`VerifiedProof`] also carries a good signature. Only the last one is ever
//! chained or scored.
//!
//! The structs here declare their members in the order of RFC 8785, so plain serialisation of a
//! proof *is* its canonical form; a test holds that against the canonicaliser.

mod rules;
#[cfg(test)]
mod tests;
mod vocabulary;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::rules::is_slug;
pub(crate) use self::rules::{CLUSTER_ALIAS_RULE, is_cluster_alias, is_plugin};
pub use self::vocabulary::{
    ActionType, ActorType, Category, Complexity, OutcomeStatus, UnknownWord,
};
use crate::{
    canonical::not_canonical,
    chain::ChainHead,
    digest::{Digest, sha256},
    field::{self, FieldError},
    int::SafeUint,
    key::{BadSignature, PublicKey, SecretKey, Signature},
    limits::PROOF_BYTES_MAX,
    time::Timestamp,
};

/// What a proof says, with or without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofBody {
    /// What was done.
    pub action: Action,
    /// Who did it, as a keyed hash.
    pub actor: Actor,
    /// Which agent saw it.
    pub agent: Agent,
    /// How it ended.
    pub outcome: Outcome,
    /// SHA-256 of the previous proof of this agent; null for the first.
    pub prev_proof_hash: Option<Digest>,
    /// The previous proof of this agent; null for the first.
    pub prev_proof_id: Option<Uuid>,
    /// A version 7 UUID (RFC 9562).
    pub proof_id: Uuid,
    /// Always `1`.
    pub schema_version: SchemaVersion,
    /// What the plugin says of the size of the work.
    pub scoring_hints: ScoringHints,
    /// Over the canonical bytes of all other members. Absent only while the proof is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    /// When the work was finished.
    pub timestamp: Timestamp,
}

/// The action: a class of work, never its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What kind of act it was.
    pub action_type: ActionType,
    /// Which base rate applies.
    pub category: Category,
    /// One sentence made from a template that the plugin declared; at most 140 characters.
    pub description: String,
    /// The plugin that verified it, like `farmops/git-pr-review`.
    pub plugin: String,
    /// A slug that the plugin chose, or null.
    pub subcategory: Option<String>,
}

/// The actor, unrecognisable without the farm's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// HMAC-SHA-256 of the actor's identifier under the farm's secret.
    pub actor_hash: Digest,
    /// A person, a program acting for one, or the system itself.
    pub actor_type: ActorType,
}

/// The agent that observed and signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The agent's own id, made at its first start.
    pub agent_id: Uuid,
    /// A label the operator chose: letters, digits, `-` and `_`, so that it cannot be a host name.
    pub cluster_alias: String,
}

/// How the action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// SHA-256 over a salt and the evidence; both stay with the agent.
    pub evidence_hash: Digest,
    /// Success, failure or partial.
    pub status: OutcomeStatus,
    /// Whether the plugin verified it. Only verified successes earn coins.
    pub verified: bool,
}

/// The plugin's view of the size of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoringHints {
    /// How many things were touched.
    pub artifacts_touched: SafeUint,
    /// How hard it was.
    pub complexity: Complexity,
    /// How far it reaches, 1 to 10.
    pub impact_radius: SafeUint,
    /// Seconds spent, where known.
    pub time_spent_seconds: Option<SafeUint>,
}

/// The only schema version there is: `"1"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchemaVersion;

/// Where a new proof stands: its id, its time and what it follows.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// A fresh version 7 UUID.
    pub proof_id: Uuid,
    /// When the work was finished; not before the time of `previous`.
    pub timestamp: Timestamp,
    /// The head of this agent's chain, or `None` for the first proof.
    pub previous: Option<&'a ChainHead>,
}

impl ProofBody {
    /// A proof at `link`, not yet signed.
    pub fn new(
        link: Link<'_>,
        agent: Agent,
        actor: Actor,
        action: Action,
        outcome: Outcome,
        scoring_hints: ScoringHints,
    ) -> Self {
        Self {
            action,
            actor,
            agent,
            outcome,
            prev_proof_hash: link.previous.map(|head| head.hash),
            prev_proof_id: link.previous.map(|head| head.proof_id),
            proof_id: link.proof_id,
            schema_version: SchemaVersion,
            scoring_hints,
            signature: None,
            timestamp: link.timestamp,
        }
    }

    /// Signs the proof.
    ///
    /// # Errors
    /// A [`FieldError`] when a member breaks a rule of the schema: what we would not accept, we do
    /// not sign.
    pub fn sign(mut self, key: &SecretKey) -> Result<VerifiedProof, FieldError> {
        rules::check(&self)?;
        self.signature = None;
        let unsigned = self.canonical()?;
        self.signature = Some(key.sign(&unsigned));
        let bytes = self.canonical()?;
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(FieldError::document(format!(
                "a proof has at most {PROOF_BYTES_MAX} bytes"
            )));
        }
        Ok(VerifiedProof(ParsedProof {
            bytes,
            hash: sha256(&unsigned),
            unsigned,
            body: self,
        }))
    }

    fn canonical(&self) -> Result<Vec<u8>, FieldError> {
        serde_json::to_vec(self).map_err(|e| FieldError::document(e.to_string()))
    }
}

/// The canonical bytes of a signed proof, less its signature: of the members only the time comes after it,
/// and each of the two has one length. Cutting it out costs a copy, writing the rest again a microsecond.
fn without_signature(bytes: &[u8]) -> Vec<u8> {
    const TIMESTAMP: usize = r#""timestamp":"2026-02-21T09:30:00Z"}"#.len();
    const SIGNATURE: usize = r#""signature":"","#.len() + 128;
    let end = bytes.len().saturating_sub(TIMESTAMP);
    let start = end.saturating_sub(SIGNATURE);
    [&bytes[..start], &bytes[end..]].concat()
}

/// A proof of the right form, whose signature nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedProof {
    bytes: Vec<u8>,
    unsigned: Vec<u8>,
    hash: Digest,
    body: ProofBody,
}

/// A proof whose signature has been checked. It comes from [`ParsedProof::verify`] or
/// [`ProofBody::sign`] and from nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof(ParsedProof);

impl ParsedProof {
    /// Reads the bytes of one proof: size, canonical form, every rule of the schema.
    ///
    /// # Errors
    /// A [`FieldError`] naming the first member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(FieldError::document(format!(
                "a proof has at most {PROOF_BYTES_MAX} bytes"
            )));
        }
        let body: ProofBody = field::from_slice(bytes)?;
        if body.signature.is_none() {
            return Err(FieldError::new(
                "signature",
                "missing; a proof carries its agent's signature",
            ));
        }
        if body.canonical()? != bytes {
            return Err(not_canonical());
        }
        rules::check(&body)?;
        let unsigned = without_signature(bytes);
        Ok(Self {
            bytes: bytes.to_vec(),
            hash: sha256(&unsigned),
            unsigned,
            body,
        })
    }

    /// What the proof says.
    pub fn body(&self) -> &ProofBody {
        &self.body
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the canonical bytes without the signature: what the next proof names.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Checks the signature under the agent's `key` by the strict rules.
    ///
    /// # Errors
    /// [`BadSignature`] when the key did not sign these bytes.
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedProof, BadSignature> {
        let signature = self.body.signature.ok_or(BadSignature)?;
        key.verify(&self.unsigned, &signature)?;
        Ok(VerifiedProof(self))
    }
}

impl VerifiedProof {
    /// What the proof says.
    pub fn body(&self) -> &ProofBody {
        &self.0.body
    }

    /// The canonical bytes, signature included: what is stored and sent.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of the canonical bytes without the signature: what the next proof names.
    pub fn hash(&self) -> Digest {
        self.0.hash
    }

    /// Whether the proof can earn coins: a verified success.
    pub fn earns(&self) -> bool {
        self.0.body.outcome.verified && self.0.body.outcome.status == OutcomeStatus::Success
    }
}

impl Serialize for SchemaVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(crate::PROTOCOL_VERSION)
    }
}

impl<'de> Deserialize<'de> for SchemaVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if text == crate::PROTOCOL_VERSION {
            Ok(Self)
        } else {
            Err(serde::de::Error::custom(
                "this reader knows schema_version \"1\" only",
            ))
        }
    }
}
