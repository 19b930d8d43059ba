//! What stands in the log: a commitment to an event and, beside it, to what the event was worth.
//!
//! Checkpoints, tiles and bundles are public, the ledger is not. An entry is the hash of two salted
//! commitments, so the owner can open the score of an entry without its event, either without any
//! other entry, and nobody can guess what is closed: not even whether an entry has a score.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    canonical,
    checkpoint::leaf_hash,
    digest::{Digest, keyed},
    field::{self, FieldError},
    int::SafeUint,
    limits::{DEPTH_MAX, SLUG_CHARS_MAX},
    time::Timestamp,
};

// The first byte under each hash. RFC 6962 has 0 for leaves and 1 for nodes.
const EVENT: u8 = 2;
const SCORE: u8 = 3;
const ENTRY: u8 = 4;

/// 32 bytes that nobody can guess, one for each part of each entry.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(Digest);

/// The farm's secret, from which every salt is derived.
#[derive(Clone)]
pub struct SaltSource(Vec<u8>);

/// The two halves of an entry, both closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// Over the event.
    pub event: Digest,
    /// Over the score.
    pub score: Digest,
}

/// Salt and bytes are not those that were committed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the salt and the bytes do not open this commitment")]
pub struct OtherBytes;

/// An event as the log commits to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent<'a> {
    /// What kind of event it is, as a slug.
    pub kind: &'a str,
    /// When the tracker wrote it down.
    pub recorded_at: Timestamp,
    /// The event itself; of a proof exactly the bytes received.
    pub body: &'a [u8],
}

/// What an event was worth, and by which rules. How it came about is told by the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedScore {
    /// The coins awarded.
    pub coins: SafeUint,
    /// The digest of the rule set.
    pub rules: Digest,
}

/// Commits to an event and its score: [`LoggedEvent::to_bytes`], and [`LoggedScore::to_bytes`] or
/// nothing.
pub fn commit(salt_event: &Salt, event: &[u8], salt_score: &Salt, score: &[u8]) -> Commitment {
    Commitment {
        event: part(EVENT, salt_event, event),
        score: part(SCORE, salt_score, score),
    }
}

/// The commitment to an event (`LOG-ENTRY-002`).
pub(super) fn event_commitment(salt: &Salt, bytes: &[u8]) -> Digest {
    part(EVENT, salt, bytes)
}

/// The commitment to a score (`LOG-ENTRY-002`).
pub(super) fn score_commitment(salt: &Salt, bytes: &[u8]) -> Digest {
    part(SCORE, salt, bytes)
}

fn part(tag: u8, salt: &Salt, bytes: &[u8]) -> Digest {
    let mut hasher = Sha256::new_with_prefix([tag]);
    hasher.update(salt.0.as_bytes());
    hasher.update(bytes);
    Digest::from_bytes(hasher.finalize().into())
}

impl Commitment {
    /// The entry of 32 bytes, as it stands in a bundle (`LOG-ENTRY-001`).
    pub fn entry(&self) -> Digest {
        let mut hasher = Sha256::new_with_prefix([ENTRY]);
        hasher.update(self.event.as_bytes());
        hasher.update(self.score.as_bytes());
        Digest::from_bytes(hasher.finalize().into())
    }

    /// The hash of the leaf with this entry.
    pub fn leaf(&self) -> Digest {
        leaf_hash(self.entry().as_bytes())
    }

    /// Checks that the event committed to is `event`.
    ///
    /// # Errors
    /// [`OtherBytes`] when it is not.
    pub fn open_event(&self, salt: &Salt, event: &[u8]) -> Result<(), OtherBytes> {
        opens(self.event, event_commitment(salt, event))
    }

    /// Checks that the score committed to is `score`.
    ///
    /// # Errors
    /// [`OtherBytes`] when it is not.
    pub fn open_score(&self, salt: &Salt, score: &[u8]) -> Result<(), OtherBytes> {
        opens(self.score, score_commitment(salt, score))
    }
}

fn opens(closed: Digest, opened: Digest) -> Result<(), OtherBytes> {
    if closed == opened {
        Ok(())
    } else {
        Err(OtherBytes)
    }
}

impl Salt {
    /// A salt from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Digest::from_bytes(bytes))
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl SaltSource {
    /// The salts of the farm with this secret.
    pub fn new(farm_secret: impl Into<Vec<u8>>) -> Self {
        Self(farm_secret.into())
    }

    /// The salt of the event at `index` in the log, from 0 (`LOG-SALT-001`).
    pub fn event(&self, index: u64) -> Salt {
        self.salt(b"farmops log event salt\n", index)
    }

    /// The salt of the score at `index` in the log, from 0 (`LOG-SALT-001`).
    pub fn score(&self, index: u64) -> Salt {
        self.salt(b"farmops log score salt\n", index)
    }

    /// The commitment of the entry at `index`; `None` is an event that has no score.
    pub fn commit(
        &self,
        index: u64,
        event: &LoggedEvent<'_>,
        score: Option<&LoggedScore>,
    ) -> Commitment {
        let score = score.map(LoggedScore::to_bytes).unwrap_or_default();
        commit(
            &self.event(index),
            &event.to_bytes(),
            &self.score(index),
            &score,
        )
    }

    fn salt(&self, purpose: &[u8], index: u64) -> Salt {
        Salt(keyed(
            &self.0,
            &[purpose, &index.to_be_bytes()[..]].concat(),
        ))
    }
}

impl std::fmt::Debug for SaltSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SaltSource(…)")
    }
}

impl<'a> LoggedEvent<'a> {
    /// The bytes committed to: the lines kind and time, then the body (`LOG-EVENT-001`).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n{}\n", self.kind, self.recorded_at).into_bytes();
        bytes.extend_from_slice(self.body);
        bytes
    }

    /// Reads the bytes of an event that was opened.
    ///
    /// # Errors
    /// A [`FieldError`] when they do not begin with a kind and a time.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FieldError> {
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let (Some(kind), Some(time), Some(body)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(FieldError::document("expected the lines kind and time"));
        };
        let kind = std::str::from_utf8(kind)
            .ok()
            .filter(|kind| is_kind(kind))
            .ok_or_else(|| FieldError::new("kind", "a kind consists of a-z, 0-9, - and _"))?;
        let recorded_at = std::str::from_utf8(time)
            .ok()
            .and_then(|time| time.parse().ok())
            .ok_or_else(|| {
                FieldError::new("recorded_at", crate::time::NotATimestamp.to_string())
            })?;
        Ok(Self {
            kind,
            recorded_at,
            body,
        })
    }
}

fn is_kind(kind: &str) -> bool {
    (1..=SLUG_CHARS_MAX).contains(&kind.len())
        && kind
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

impl LoggedScore {
    /// The bytes committed to: canonical JSON (`LOG-SCORE-001`).
    pub fn to_bytes(&self) -> Vec<u8> {
        format!(r#"{{"coins":{},"rules":"{}"}}"#, self.coins, self.rules).into_bytes()
    }

    /// Reads the bytes of a score that was opened; none are an event without a score.
    ///
    /// # Errors
    /// A [`FieldError`] when they are no canonical JSON of exactly `coins` and `rules`.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, FieldError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let value = canonical::parse_canonical(bytes, DEPTH_MAX)?;
        field::from_value(&value).map(Some)
    }
}
