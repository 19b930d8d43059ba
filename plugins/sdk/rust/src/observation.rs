//! What a source saw, as a plugin receives it.

/// One observation. It never leaves the agent's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// A version 7 UUID.
    pub id: String,
    /// The type of the source: `github`, `gitea`, `alertmanager`, `file`, `kubernetes`.
    pub source_type: String,
    /// What happened, in the source's own words, for example `pull_request_review`.
    pub event: String,
    /// The content, normally JSON.
    pub raw_data: Vec<u8>,
    /// When the source saw it, in seconds since 1970-01-01T00:00:00Z.
    pub detected_at: i64,
}
