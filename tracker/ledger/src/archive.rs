//! A farm in one file: its ledger, what was signed about it, and a picture; for its owner's drawer, and
//! for moving house.
//!
//! The file is a tar archive. `manifest.json`, its last member but one, names every other member with
//! its SHA-256; `manifest.sig` is the farm key's signature over the manifest's canonical bytes. Who has
//! the farm's key can check the archive without any program of ours: `tar`, `sha256sum` and an
//! Ed25519 tool.
//!
//! | Member | |
//! |---|---|
//! | `README.txt` | what this is |
//! | `ledger.ndjson` | one entry a line: `position`, `kind`, `recorded_at`, `body` |
//! | `checkpoints.ndjson` | every signed head: `size`, `root`, `note`, `signed_at` |
//! | `snapshot.json` | the last published snapshot, with its sequence number |
//! | `villages.json` | where the farm is a member |
//! | `layout.automerge` | where things stand on it, if anybody has moved any |
//! | `farm.json`, `farm.svg` | the farm's figures and its picture, for reading |
//! | `keys.json` | only if asked for: the farm's key and secret |
//!
//! The archive of one season has `ledger.ndjson` with the season's proofs only, and `season.json` beside
//! it.
//!
//! Not in it: followers and the keys that other servers know the farm by. A backup has everything.
//!
//! Here is what the file is: its members, and how they are written and read. What they come from, and
//! whether what they say is sound, is the tracker's affair (its `archive.rs`).

mod read;
mod write;

use std::{collections::BTreeMap, io};

use farmops_protocol::{
    digest::Digest,
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    log::TreeHead,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::{
    read::{Lines, Opened, Told},
    write::Writer,
};

/// The form of the archive.
const VERSION: &str = "farmops-archive-1";

/// The ledger, one entry a line.
pub const LEDGER: &str = "ledger.ndjson";
/// The signed heads, one a line.
pub const CHECKPOINTS: &str = "checkpoints.ndjson";
/// The last published snapshot.
pub const SNAPSHOT: &str = "snapshot.json";
/// Where the farm is a member.
pub const VILLAGES: &str = "villages.json";
/// The farm's figures.
pub const FARM: &str = "farm.json";
/// The farm's picture.
pub const PICTURE: &str = "farm.svg";
/// What this is.
pub const README: &str = "README.txt";
/// Where things stand on the farm.
pub const LAYOUT: &str = "layout.automerge";
/// Which season it is of.
pub const SEASON: &str = "season.json";
/// The farm's key and secret, in hexadecimal.
pub const KEYS: &str = "keys.json";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.sig";

/// What is wrong if the ledger does not end where the manifest says.
pub const ANOTHER_END: &str = "the manifest names another end of the ledger";
/// The longest member, or line of one that has lines, that is held in memory: a revocation names every day,
/// category and league that it takes something back of. Who writes an archive keeps to it, or nobody could read it.
pub const PIECE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What stands in `manifest.json`. Members stand in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// When it was made.
    pub created_at: Timestamp,
    /// The key that signs it: the one that the farm was founded with.
    pub farmer_key: PublicKey,
    /// The SHA-256 of every other member.
    pub files: BTreeMap<String, Digest>,
    /// The log's root over all entries.
    pub root: Digest,
    /// Entries in the ledger.
    pub size: u64,
    /// The form of the archive.
    pub version: String,
}

/// The extent of a season's archive: what stands in `season.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// The season.
    pub season: String,
    /// How many proofs it has.
    pub entries: u64,
    /// The position of the first one.
    pub first: u64,
    /// The position of the last one.
    pub last: u64,
}

/// A ledger line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its place.
    pub position: u64,
    /// The event's word.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The canonical body.
    pub body: Box<RawValue>,
}

/// A signed head.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpointed {
    /// Entries in the log.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The checkpoint as a signed note.
    pub note: String,
    /// When.
    pub signed_at: Timestamp,
}

/// The last published snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastSnapshot {
    /// Grows by one, never reused.
    pub sequence: u64,
    /// The object's IRI.
    pub object_id: String,
    /// The last ledger entry it tells about.
    pub ledger_position: u64,
    /// When.
    pub published_at: Timestamp,
    /// The signed document.
    pub document: Box<RawValue>,
}

/// How far a membership of a village has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// The village's people decide.
    Pending,
    /// The farm is a member.
    Active,
    /// The village has ended it (`REG-END-002`).
    Ended,
}

/// A village.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Scheme and authority.
    pub url: String,
    /// Its actor's IRI.
    pub actor: String,
    /// The farmer's account there.
    pub account: String,
    /// How far it has come.
    pub status: Membership,
    /// Whether the farmer's handle lives there.
    pub home: bool,
    /// When.
    pub joined_at: Timestamp,
    /// Where the village keeps the membership, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// The farm's key and secret.
#[derive(Debug)]
pub struct FarmKeys {
    /// The seed of the farm's Ed25519 key.
    pub farm_key: SecretKey,
    /// The farm's secret, 32 bytes.
    pub farm_secret: Vec<u8>,
}

/// Both in hexadecimal, as they stand in `keys.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    farm_key: String,
    farm_secret: String,
}

/// Why a file is not written, or not read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file could not be read or written.
    #[error("the archive could not be read or written")]
    File(#[from] io::Error),
    /// A member does not have the form that it should.
    #[error("{member}: {reason}")]
    Form {
        /// The member.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A member, or a line of one, is longer than any that would be read again.
    #[error("{0} is longer than 64 MiB")]
    TooLong(String),
    /// The archive is whole, but its ledger is not sound.
    #[error("position {position} of the ledger: {reason}")]
    Unsound {
        /// Where.
        position: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Another farm's key signed it.
    #[error("it is signed by {0}, which is not this farm's key")]
    OtherFarm(Box<PublicKey>),
    /// It is the archive of one season.
    #[error("this is the archive of the season {0} only; `unprune --from` takes it")]
    OneSeason(String),
}

impl FormatError {
    /// The refusal of `member`.
    #[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
    pub fn form(member: &str, reason: impl ToString) -> Self {
        Self::Form {
            member: member.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl Line {
    /// The line as it stands in the file, with its end.
    ///
    /// # Errors
    /// [`FormatError::TooLong`] when it could not be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let which = || format!("the line of position {}", self.position);
        line(LEDGER, self, which)
    }
}

impl Checkpointed {
    /// The line as it stands in the file, with its end.
    ///
    /// # Errors
    /// [`FormatError::TooLong`] when it could not be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let which = || format!("the head of size {}", self.size);
        line(CHECKPOINTS, self, which)
    }
}

/// `value` as a line of `member`.
fn line(
    member: &str,
    value: &impl Serialize,
    which: impl FnOnce() -> String,
) -> Result<Vec<u8>, FormatError> {
    let mut text = serde_json::to_vec(value).map_err(|error| FormatError::form(member, error))?;
    text.push(b'\n');
    if text.len() as u64 > PIECE_BYTES_MAX {
        return Err(FormatError::TooLong(which()));
    }
    Ok(text)
}

impl Manifest {
    /// The end of the ledger.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }

    /// Reads a manifest and checks its signature.
    fn verify(bytes: &[u8], signature: &str) -> Result<Self, FieldError> {
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| FieldError::document(error.to_string()))?;
        if manifest.version != VERSION {
            let reason = format!("expected {VERSION}; a newer version may read it");
            return Err(FieldError::new("version", reason));
        }
        let signature: Signature = signature
            .trim()
            .parse()
            .map_err(|_| FieldError::document("the signature has not the form of one"))?;
        let verified = manifest.farmer_key.verify(bytes, &signature);
        verified.map_err(|error| FieldError::document(error.to_string()))?;
        Ok(manifest)
    }
}
