//! Opening an entry to someone: a C2SP `tlog-proof` that carries the salts and bytes of what is shown.
//!
//! The text stands for itself. Whoever has the log's key checks it without asking anybody.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Head, LogError, TreeHead,
    commitment::{Commitment, Salt, event_commitment, score_commitment},
    verify_inclusion,
};
use crate::{
    canonical,
    checkpoint::leaf_hash,
    digest::Digest,
    field::{self, FieldError},
    key::PublicKey,
    limits::{DEPTH_MAX, LOG_PROOF_BYTES_MAX},
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A proof in a log of 64-bit size has at most one hash for each bit.
const HASHES_MAX: usize = 64;

/// An entry, each half closed or open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The event.
    pub event: Part,
    /// The score.
    pub score: Part,
}

/// Half of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Part {
    /// Shown: whoever has salt and bytes computes the commitment.
    Open {
        /// What was committed to.
        #[serde(with = "base64_bytes")]
        bytes: Vec<u8>,
        /// The salt of this half of this entry.
        salt: Salt,
    },
    /// Not shown.
    Closed {
        /// The commitment.
        commitment: Digest,
    },
}

/// A proof that an entry stands in a log, with the checkpoint it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// Anything that helps to know the entry; not authenticated by itself. Ours is an [`Opening`].
    pub extra: Option<Vec<u8>>,
    /// The entry's place, from 0.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Digest>,
    /// The checkpoint as a signed note.
    pub checkpoint: String,
}

/// Why a proof does not convince.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// The checkpoint, or what is opened, is malformed or not signed.
    #[error(transparent)]
    Malformed(#[from] FieldError),
    /// The entry is not where it should be.
    #[error(transparent)]
    NotIncluded(#[from] LogError),
}

impl Opening {
    /// The commitment to which both halves belong.
    pub fn commitment(&self) -> Commitment {
        Commitment {
            event: self.event.commitment(event_commitment),
            score: self.score.commitment(score_commitment),
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// Never: it holds nothing that has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FieldError> {
        canonical::to_vec(self)
    }

    /// Reads the canonical bytes (`LOG-OPEN-002`).
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        if bytes.len() > LOG_PROOF_BYTES_MAX {
            return Err(too_long());
        }
        field::from_value(&canonical::parse_canonical(bytes, DEPTH_MAX)?)
    }
}

impl Part {
    fn commitment(&self, commit: impl Fn(&Salt, &[u8]) -> Digest) -> Digest {
        match self {
            Self::Open { bytes, salt } => commit(salt, bytes),
            Self::Closed { commitment } => *commitment,
        }
    }
}

impl LogProof {
    /// Reads the text of a proof; nothing is verified (`LOG-OPEN-001`).
    ///
    /// # Errors
    /// A [`FieldError`] naming the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.len() > LOG_PROOF_BYTES_MAX {
            return Err(too_long());
        }
        let (lines, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| FieldError::document("an empty line stands before the checkpoint"))?;
        let mut lines = lines.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(FieldError::document(format!(
                "the first line is {FIRST_LINE}"
            )));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .map(|line| {
                let decoded = BASE64.decode(&line["extra ".len()..]);
                decoded.map_err(|_| FieldError::new("extra", "expected base64"))
            })
            .transpose()?;
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(|digits| {
                digits
                    .parse()
                    .ok()
                    .filter(|n: &u64| n.to_string() == digits)
            })
            .ok_or_else(|| FieldError::new("index", "expected a line like index 7"))?;
        let hashes = lines
            .enumerate()
            .map(|(at, line)| {
                BASE64
                    .decode(line)
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .filter(|_| at < HASHES_MAX)
                    .map(Digest::from_bytes)
                    .ok_or_else(|| {
                        FieldError::new(
                            format!("hashes[{at}]"),
                            "expected up to 64 lines of 32 bytes in base64",
                        )
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that `entry` stands in the log whose checkpoints `key` signs, and gives the head.
    ///
    /// # Errors
    /// [`OpeningError`] when the checkpoint is not the log's, or the entry is not in it.
    pub fn verify(&self, entry: &Digest, key: &PublicKey) -> Result<Head, OpeningError> {
        let (head, _) =
            Head::open(&self.checkpoint, key).map_err(|error| error.within("checkpoint"))?;
        let leaf = leaf_hash(entry.as_bytes());
        let tree = TreeHead::from(&head.checkpoint);
        verify_inclusion(&leaf, self.index, &tree, &self.hashes)?;
        Ok(head)
    }

    /// Checks that the [`Opening`] it carries stands in the log whose checkpoints `key` signs, and
    /// gives both: only what comes out of here is known of the entry.
    ///
    /// # Errors
    /// [`OpeningError`] when it carries none, or the entry with these halves is not in the log.
    pub fn open(&self, key: &PublicKey) -> Result<(Opening, Head), OpeningError> {
        let extra = self.extra.as_deref().unwrap_or_default();
        let opening = Opening::parse(extra).map_err(|error| error.within("extra"))?;
        let head = self.verify(&opening.commitment().entry(), key)?;
        Ok((opening, head))
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

fn too_long() -> FieldError {
    FieldError::document(format!(
        "a log proof has at most {LOG_PROOF_BYTES_MAX} bytes"
    ))
}

/// Bytes as base64 text in JSON.
mod base64_bytes {
    use super::{BASE64, Deserialize, Deserializer, Engine, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text).map_err(serde::de::Error::custom)
    }
}
