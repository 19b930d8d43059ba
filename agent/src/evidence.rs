//! `farmops-agent evidence`: what a proof rests on, shown to the farmer on this machine and compared with
//! what the proof says.

use std::path::PathBuf;

use clap::Args;
use farmops_protocol::digest::{Digest, sha256};
use farmops_protocol::key::{Fingerprint, PublicKey};
use farmops_protocol::proof::{ParsedProof, ProofBody};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{StartError, take_folder};
use crate::config::AgentConfig;
use crate::keys::{self, KEY_FILE, KeyError};
use crate::observation::Origin;
use crate::store::{Bounds, Kept, KnownProof, Reader, StoreError, Unopened, forget_other_keys};

/// Room for one proof's evidence and observation, whatever they are.
const BYTES_MIN: i64 = 8 * 1024 * 1024;

/// What is kept of what proofs rest on.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct EvidenceConfig {
    /// Days for which a proof's evidence and observation are kept. Default 30.
    pub days_max: i64,
    /// Bytes of them; beyond, the oldest goes. Default 256 MiB.
    pub bytes_max: i64,
    /// A file with 32 random bytes to encrypt with, such as a mounted Secret; it is only read. Without it the
    /// agent makes `evidence.key` in its data folder.
    #[serde(deserialize_with = "farmops_service::config::path")]
    pub key_file: Option<PathBuf>,
}

impl Default for EvidenceConfig {
    fn default() -> Self {
        Self {
            days_max: 30,
            bytes_max: Bounds::default().evidence_bytes_max,
            key_file: None,
        }
    }
}

impl EvidenceConfig {
    /// Key and reason of the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        let rule = |key: &str, reason: &str| Err((format!("evidence.{key}"), reason.to_owned()));
        if self.days_max < 1 {
            return rule("days_max", "at least 1");
        }
        if self.bytes_max < BYTES_MIN {
            return rule("bytes_max", "at least 8388608, or one proof might not fit");
        }
        Ok(())
    }
}

/// What is asked for.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EvidenceCommand {
    /// The proof.
    #[arg(required = true)]
    proof: Option<Uuid>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// With the observation that the proof came from.
    #[arg(long)]
    raw: bool,
    #[command(subcommand)]
    command: Option<Forget>,
}

/// What can be done besides showing.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Forget {
    /// Deletes what is encrypted under a key that is no longer here. The agent must not be running.
    Forget,
}

/// How the question ended; each is an exit status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: evidence, hash and signature agree; or what was asked for is done.
    Good,
    /// 3: something differs.
    Differs,
    /// 4: it is not here, or no longer.
    Gone,
    /// 5: it is encrypted under another key.
    OtherKey,
}

impl Ending {
    /// The exit status.
    pub const fn status(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Differs => 3,
            Self::Gone => 4,
            Self::OtherKey => 5,
        }
    }
}

/// Why a question cannot be answered; exit status 1.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The agent's memory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The agent's signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The data folder.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The agent's copy of the proof cannot be read.
    #[error("the proof in agent.db is damaged: {0}")]
    Proof(#[from] farmops_protocol::field::FieldError),
}

/// Carries out the command: what it prints, and how it ends.
///
/// # Errors
/// An [`EvidenceError`] that says what is missing.
pub async fn run(
    config: &AgentConfig,
    command: &EvidenceCommand,
) -> Result<(String, Ending), EvidenceError> {
    let key_file = config.evidence.key_file.as_deref();
    let Some(id) = command.proof else {
        let _lock = take_folder(&config.data_dir, std::time::Duration::ZERO)?;
        let gone = forget_other_keys(&config.data_dir, key_file).await?;
        return Ok((format!("{gone} entries deleted"), Ending::Good));
    };
    let (shown, ending) = look(config, id, command.raw).await?;
    let text = match (&shown, command.json) {
        (Ok(shown), true) => serde_json::to_string(shown).unwrap_or_default(),
        (Ok(shown), false) => shown.text(),
        (Err(reason), true) => json!({ "verified": false, "reason": reason }).to_string(),
        (Err(reason), false) => reason.clone(),
    };
    Ok((text, ending))
}

/// What can be told of a proof, or why nothing can be.
async fn look(
    config: &AgentConfig,
    id: Uuid,
    raw: bool,
) -> Result<(Result<Shown, String>, Ending), EvidenceError> {
    let reader = Reader::open(&config.data_dir, config.evidence.key_file.as_deref()).await?;
    let Some(proof) = reader.proof(id).await? else {
        let kept = config.limits.proofs_kept_max;
        let reason = format!(
            "no proof {id} here: it is not this agent's, or it was delivered so long ago that it is no longer kept \
             (limits.proofs_kept_max {kept})"
        );
        return Ok((Err(reason), Ending::Gone));
    };
    let current = keys::read(&config.data_dir, KEY_FILE)?.map(|key| key.public());
    let (body, signature) = check_signature(&proof, current.as_ref())?;
    let kept = match reader.evidence(id).await? {
        Some(Ok(kept)) => kept,
        Some(Err(reason)) => {
            let ending = match reason {
                Unopened::OtherKey { .. } => Ending::OtherKey,
                Unopened::Damaged => Ending::Differs,
            };
            return Ok((Err(format!("the evidence of {id} is {reason}")), ending));
        }
        None => {
            let EvidenceConfig {
                days_max,
                bytes_max,
                ..
            } = config.evidence;
            let reason = format!(
                "the evidence of {id} is no longer kept (evidence.days_max {days_max}, bytes_max {bytes_max}); \
                 the proof's signature is {}",
                signature.words()
            );
            return Ok((Err(reason), Ending::Gone));
        }
    };
    let shown = Shown::new(&body, signature, &kept, raw);
    let ending = if shown.verified {
        Ending::Good
    } else {
        Ending::Differs
    };
    Ok((Ok(shown), ending))
}

/// Whose signature a proof carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum Signature {
    /// Of the key in use.
    Valid {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// Of a key that this agent had when it made the proof.
    ValidOfEarlierKey {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// Of none of them.
    Invalid,
}

impl Signature {
    fn words(self) -> String {
        match self {
            Self::Valid { fingerprint } => format!("valid (this agent's key {fingerprint})"),
            Self::ValidOfEarlierKey { fingerprint } => {
                format!("valid (an earlier key of this agent, {fingerprint})")
            }
            Self::Invalid => "INVALID".to_owned(),
        }
    }
}

fn check_signature(
    proof: &KnownProof,
    current: Option<&PublicKey>,
) -> Result<(ProofBody, Signature), EvidenceError> {
    let parsed = ParsedProof::parse(&proof.bytes)?;
    let body = parsed.body().clone();
    let is_of = |key: &PublicKey| {
        ParsedProof::parse(&proof.bytes).is_ok_and(|parsed| parsed.verify(key).is_ok())
    };
    let signature = if let Some(key) = current.filter(|key| is_of(key)) {
        let fingerprint = key.fingerprint();
        Signature::Valid { fingerprint }
    } else if let Some(key) = proof.signer.as_ref().filter(|key| is_of(key)) {
        let fingerprint = key.fingerprint();
        Signature::ValidOfEarlierKey { fingerprint }
    } else {
        Signature::Invalid
    };
    Ok((body, signature))
}

/// What is told of one proof.
#[derive(Serialize)]
struct Shown {
    proof: ProofBody,
    verified: bool,
    signature: Signature,
    /// SHA-256 over salt and evidence, computed now.
    computed_hash: Digest,
    salt: String,
    evidence: Content,
    kept_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observation: Option<Observation>,
}

/// Bytes as they read best: JSON, text, or hexadecimal digits.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    /// JSON, byte for byte as it was hashed or seen.
    Json(Box<RawValue>),
    /// Text that is no JSON.
    Text(String),
    /// Anything else.
    Hex(String),
}

#[derive(Serialize)]
struct Observation {
    event: String,
    payload: Content,
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        match String::from_utf8(bytes.to_vec()) {
            Err(_) => Self::Hex(hex::encode(bytes)),
            Ok(text) => RawValue::from_string(text.clone()).map_or(Self::Text(text), Self::Json),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Json(json) => serde_json::from_str::<Value>(json.get())
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| json.get().to_owned()),
            Self::Text(text) => text.clone(),
            Self::Hex(hex) => format!("(hexadecimal) {hex}"),
        }
    }
}

impl Shown {
    fn new(body: &ProofBody, signature: Signature, kept: &Kept, raw: bool) -> Self {
        let computed_hash = sha256(&[kept.salt.as_slice(), kept.evidence.as_slice()].concat());
        let observation = kept.observation.as_ref();
        Self {
            verified: computed_hash == body.outcome.evidence_hash
                && signature != Signature::Invalid,
            proof: body.clone(),
            signature,
            computed_hash,
            salt: hex::encode(kept.salt),
            evidence: Content::new(&kept.evidence),
            kept_at: kept.kept_at,
            origin: observation.map(|observation| observation.origin.clone()),
            observation: observation.filter(|_| raw).map(|observation| Observation {
                event: observation.seen.event.clone(),
                payload: Content::new(&observation.seen.payload),
            }),
        }
    }

    fn text(&self) -> String {
        let mut lines = vec![
            format!("proof      {}", self.proof.proof_id),
            format!("says       {}", self.proof.action.description),
            format!("signature  {}", self.signature.words()),
            format!("salt       {}", self.salt),
            format!(
                "hash       {} (in the proof)",
                self.proof.outcome.evidence_hash
            ),
            format!(
                "           {} (computed from salt and evidence)",
                self.computed_hash
            ),
        ];
        if let Some(origin) = &self.origin {
            let Origin {
                id,
                plugin,
                source,
                source_type,
                ..
            } = origin;
            lines.push(format!(
                "seen       {id} at {source} ({source_type}), judged by {plugin}"
            ));
        }
        lines.push(format!("evidence   {}", self.evidence.text()));
        if let Some(observation) = &self.observation {
            lines.push(format!("event      {}", observation.event));
            lines.push(format!("observed   {}", observation.payload.text()));
        } else if self.origin.is_none() {
            lines.push("observed   not kept: an earlier version made this proof".to_owned());
        }
        lines.push(self.verdict());
        lines.join("\n")
    }

    fn verdict(&self) -> String {
        let hash = self.computed_hash == self.proof.outcome.evidence_hash;
        match (hash, self.signature != Signature::Invalid) {
            (true, true) => "VERIFIED".to_owned(),
            (false, true) => "DIFFERS: the evidence is not what the proof was made from".to_owned(),
            (true, false) => "DIFFERS: the proof's signature is of no key of this agent".to_owned(),
            (false, false) => "DIFFERS: neither evidence nor signature fits the proof".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
