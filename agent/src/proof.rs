//! From a verdict to a signed proof with no work content in it.
//!
//! What may leave the machine is decided here and nowhere else: a sentence made from a declared
//! template, declared words, numbers, and hashes that need a secret to guess. Everything here is a
//! pure function; clock, randomness and the chain's head are arguments.

mod leak;
#[cfg(test)]
mod tests;
mod words;

use farmops_plugin::{Description, Finding, Who};
use farmops_protocol::chain::{self, ChainError, ChainHead};
use farmops_protocol::digest::{Digest, keyed, sha256};
use farmops_protocol::field::FieldError;
use farmops_protocol::int::SafeUint;
use farmops_protocol::limits::IMPACT_RADIUS_MAX;
use farmops_protocol::proof::{Action, Actor, Agent, Link, Outcome, ProofBody, ScoringHints};
use farmops_protocol::time::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use self::leak::LeakGuard;
pub use self::words::Undeclared;
use crate::identity::Identity;
use crate::observation::{Origin, Waiting};
use crate::store::Draft;

/// Work that was finished longer ago than this when it was seen counts as of when it was seen: a
/// replayed or much delayed report must not write itself into a past season.
const LATE_SECONDS_MAX: i64 = 7 * 24 * 3600;

/// Whose work counts.
#[derive(Debug, Clone, Deserialize)]
pub struct Farmer {
    /// The farmer's name for herself; it is hashed with the farm's secret and never sent.
    pub name: String,
    /// Whether work that names nobody is hers: all that a cluster shows, and alerts without an owner.
    /// Default false.
    #[serde(default)]
    pub on_call: bool,
    /// Her names by type of source.
    #[serde(default)]
    pub identities: Identities,
}

/// The farmer's names, one list for each type of source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Identities {
    /// Logins on GitHub.
    pub github: Vec<String>,
    /// Logins on Gitea or Forgejo.
    pub gitea: Vec<String>,
    /// Values of the label that names an alert's owner.
    pub alertmanager: Vec<String>,
    /// Names in records of files.
    pub file: Vec<String>,
}

impl Identities {
    fn of(&self, source_type: &str) -> &[String] {
        match source_type {
            "github" => &self.github,
            "gitea" => &self.gitea,
            "alertmanager" => &self.alertmanager,
            "file" => &self.file,
            _ => &[],
        }
    }
}

impl Farmer {
    /// Whether `who` of a source of this type is the farmer. Forges compare names without case.
    fn is(&self, who: &Who, source_type: &str) -> bool {
        match who {
            Who::OnCall => self.on_call,
            Who::Identifier(name) => {
                let (name, known) = (name.to_lowercase(), self.identities.of(source_type));
                known.iter().any(|known| known.to_lowercase() == name)
            }
        }
    }
}

/// Why a verified observation gets no proof.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// Somebody else did it.
    #[error("the work is not the farmer's")]
    NotTheFarmers,
    /// The plugin names something that it did not declare.
    #[error(transparent)]
    Undeclared(#[from] Undeclared),
    /// Text of the observation stands in the proof. The text itself is not repeated here.
    #[error("`{field}` carries text of the observation")]
    Leak {
        /// The member of the proof.
        field: &'static str,
    },
    /// The proof would break a rule of the schema.
    #[error("the proof would be invalid at {0}")]
    Form(#[from] FieldError),
    /// The proof would not extend the chain.
    #[error("the proof would not extend the chain: {0}")]
    Chain(#[from] ChainError),
}

/// What the outside world adds to a proof.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The head of the chain.
    pub head: Option<&'a ChainHead>,
    /// A fresh version 7 UUID.
    pub proof_id: Uuid,
    /// 32 random bytes.
    pub salt: [u8; 32],
    /// Now.
    pub now: Timestamp,
}

/// Makes proofs for one farmer and one agent.
#[derive(Debug, Clone)]
pub struct Generator {
    identity: Identity,
    farmer: Farmer,
    cluster_alias: String,
}

impl Generator {
    /// A generator that signs as `identity`.
    pub fn new(identity: Identity, farmer: Farmer, cluster_alias: String) -> Self {
        Self {
            identity,
            farmer,
            cluster_alias,
        }
    }

    /// Names a piece of work so that nobody without the farm's secret can tell which.
    pub fn work(&self, plugin: &str, finding: &Finding) -> Digest {
        let mut message = format!("work\0{plugin}\0").into_bytes();
        message.extend_from_slice(&finding.dedupe_key);
        keyed(&self.identity.farm_secret, &message)
    }

    /// The signed proof of `finding`, ready for the outbox.
    ///
    /// # Errors
    /// [`NoProof`] when the work is not the farmer's, or the proof may not leave the machine.
    pub fn draft(
        &self,
        plugin: &Description,
        observation: &Waiting,
        finding: &Finding,
        around: Circumstances<'_>,
    ) -> Result<Draft, NoProof> {
        if !self.farmer.is(&finding.actor.who, &observation.source_type) {
            return Err(NoProof::NotTheFarmers);
        }
        let said = words::read(plugin, finding)?;
        let guard = LeakGuard::new(&observation.payload);
        for (field, text) in [
            ("action.description", said.description.as_str()),
            (
                "action.subcategory",
                said.subcategory.as_deref().unwrap_or_default(),
            ),
        ] {
            if guard.finds(text, &said.own_words) {
                return Err(NoProof::Leak { field });
            }
        }
        let key = self.identity.key.current();
        let salted = [around.salt.as_slice(), finding.evidence.as_slice()].concat();
        let link = Link {
            proof_id: around.proof_id,
            timestamp: timestamp(finding, observation, around),
            previous: around.head,
        };
        let proof = ProofBody::new(
            link,
            Agent {
                agent_id: self.identity.agent_id,
                cluster_alias: self.cluster_alias.clone(),
            },
            Actor {
                actor_hash: self.actor_hash(),
                actor_type: said.actor_type,
            },
            Action {
                action_type: said.action_type,
                category: said.category,
                description: said.description,
                plugin: plugin.plugin_id.clone(),
                subcategory: said.subcategory,
            },
            Outcome {
                evidence_hash: sha256(&salted),
                status: said.status,
                verified: true,
            },
            ScoringHints {
                artifacts_touched: bounded(finding.hints.artifacts_touched),
                complexity: said.complexity,
                impact_radius: SafeUint::from(radius(finding.hints.impact_radius)),
                time_spent_seconds: finding.hints.time_spent_seconds.map(bounded),
            },
        )
        .sign(&key)?;
        let head = chain::extend(around.head, &proof, around.now.max(link.timestamp))?;
        Ok(Draft {
            proof,
            head,
            work: self.work(&plugin.plugin_id, finding),
            salt: around.salt,
            evidence: finding.evidence.clone(),
            origin: Origin {
                id: observation.id,
                plugin: plugin.plugin_id.clone(),
                source: observation.source.clone(),
                source_type: observation.source_type.clone(),
                detected_at: observation.detected_at,
            },
            signer: key.public(),
        })
    }

    /// One farmer, one hash, whatever she is called in each source.
    fn actor_hash(&self) -> Digest {
        let message = format!("actor\0{}", self.farmer.name);
        keyed(&self.identity.farm_secret, message.as_bytes())
    }
}

/// When the work was finished: not in the future, not long before it was seen, and never before the
/// head of the chain.
fn timestamp(finding: &Finding, observation: &Waiting, around: Circumstances<'_>) -> Timestamp {
    let detected = observation.detected_at;
    let told = Timestamp::from_second(finding.finished_at)
        .filter(|told| detected - told.second() <= LATE_SECONDS_MAX)
        .or_else(|| Timestamp::from_second(detected))
        .unwrap_or(around.now);
    let past = told.min(around.now);
    around.head.map_or(past, |head| past.max(head.timestamp))
}

fn bounded(number: u64) -> SafeUint {
    SafeUint::try_from(number).unwrap_or(SafeUint::from(u32::MAX))
}

fn radius(radius: u32) -> u32 {
    let max = u32::try_from(IMPACT_RADIUS_MAX).unwrap_or(u32::MAX);
    radius.clamp(1, max)
}
