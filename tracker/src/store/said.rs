//! What was said to the world, and to whom.

use farmops_ledger::archive::Membership;
use farmops_protocol::time::Timestamp;

/// A published snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Grows by one, never reused.
    pub sequence: u64,
    /// The object's IRI.
    pub object_id: String,
    /// The last ledger entry it tells about.
    pub ledger_position: u64,
    /// When.
    pub published_at: Timestamp,
    /// The signed document's canonical bytes.
    pub document: Vec<u8>,
}

/// A weekly card or a milestone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `card-2026-W47`, `badge-first-seed`, `level-2`.
    pub key: String,
    /// The object's IRI.
    pub object_id: String,
    /// From 1, growing with every update.
    pub revision: u64,
    /// When it was first published.
    pub published_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The document's JSON.
    pub document: Vec<u8>,
}

/// A village the farmer joined, or asked to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Village {
    /// Scheme and authority.
    pub url: String,
    /// Its actor's IRI.
    pub actor: String,
    /// The farmer's account there.
    pub account: String,
    /// How far it has come.
    pub status: Membership,
    /// Whether the farmer's handle lives there: the first one joined.
    pub home: bool,
    /// When.
    pub joined_at: Timestamp,
    /// Where the village keeps the membership, a URL below its own, if it said so.
    pub place: Option<String>,
}
