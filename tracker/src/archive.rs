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
//! The archive of one season (`season.rs`) has `ledger.ndjson` with the season's proofs only, and
//! `season.json` beside it.
//!
//! Not in it: followers and the keys that other servers know the farm by. A backup has everything.

mod adopt;
mod bodies;
mod read;
mod season;
mod write;

use std::{collections::BTreeMap, io};

use farmops_protocol::{
    digest::Digest,
    field::FieldError,
    key::{PublicKey, Signature},
    log::TreeHead,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::{
    adopt::adopt,
    bodies::Archives,
    read::Opened,
    season::{Checked, Extent, NoSeason, Quarter, Sealed, write_season},
    write::export,
};
use crate::store::{Membership, StoreError};

/// The form of the archive.
const VERSION: &str = "farmops-archive-1";

const LEDGER: &str = "ledger.ndjson";
const CHECKPOINTS: &str = "checkpoints.ndjson";
const SNAPSHOT: &str = "snapshot.json";
const VILLAGES: &str = "villages.json";
const FARM: &str = "farm.json";
const PICTURE: &str = "farm.svg";
const README: &str = "README.txt";
const LAYOUT: &str = "layout.automerge";
const SEASON: &str = "season.json";
const KEYS: &str = "keys.json";
const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.sig";

/// What is wrong if the ledger does not end where the manifest says.
const ANOTHER_END: &str = "the manifest names another end of the ledger";
/// The longest member, or line of one that has lines, that is held in memory: a revocation names every day,
/// category and league that it takes something back of. Who writes an archive keeps to it, or nobody could read it.
const PIECE_BYTES_MAX: u64 = 64 * 1024 * 1024;

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

/// A ledger line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    position: u64,
    kind: String,
    recorded_at: Timestamp,
    body: Box<RawValue>,
}

/// A signed head.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpointed {
    size: u64,
    root: Digest,
    note: String,
    signed_at: Timestamp,
}

/// The last published snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LastSnapshot {
    sequence: u64,
    object_id: String,
    ledger_position: u64,
    published_at: Timestamp,
    document: Box<RawValue>,
}

/// A village.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    url: String,
    actor: String,
    account: String,
    status: Membership,
    home: bool,
    joined_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// The farm's key and secret, in hexadecimal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    farm_key: String,
    farm_secret: String,
}

/// Why an archive is not made, or not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file could not be read or written.
    #[error("the archive could not be read or written")]
    File(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database holds no farm, or not its keys.
    #[error("the database holds no farm, or not its keys")]
    NoFarm,
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
    /// It is no archive of one season.
    #[error("this is no archive of a season; `import` takes it")]
    NoSeason,
    /// It needs what is in another archive.
    #[error("what the proofs of {0} say is archived; give the files with --archive FILE")]
    Archived(String),
    /// One of several files.
    #[error("{path}: {source}")]
    Of {
        /// Which one.
        path: String,
        /// What is wrong with it.
        source: Box<ArchiveError>,
    },
    /// There are no keys in it, so no tracker could go on with the farm.
    #[error("the archive has no keys; export it again with --with-keys")]
    NoKeys,
}

impl ArchiveError {
    fn of(self, path: &std::path::Path) -> Self {
        Self::Of {
            path: path.display().to_string(),
            source: Box::new(self),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
    fn form(member: &str, reason: impl ToString) -> Self {
        Self::Form {
            member: member.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl Manifest {
    fn head(&self) -> TreeHead {
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
