//! What a source saw, on its way to the plugins that read the source.

use farmops_plugin::Observation;
use farmops_protocol::digest::Digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of system an observation comes from; plugins declare which ones they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    /// Webhooks of GitHub.
    Github,
    /// Webhooks of Gitea and Forgejo.
    Gitea,
    /// Notifications and alerts of Prometheus Alertmanager.
    Alertmanager,
    /// Records appended to a file.
    File,
    /// Objects of a Kubernetes API server.
    Kubernetes,
}

impl SourceType {
    /// The word in the plugin contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitea => "gitea",
            Self::Alertmanager => "alertmanager",
            Self::File => "file",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// Something a source saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What happened, in the source's own words.
    pub event: String,
    /// The content, normally JSON.
    pub payload: Vec<u8>,
}

/// What a source hands over in one go: all of it is kept, or none.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The operator's name for the source.
    pub source: String,
    /// Its type.
    pub source_type: SourceType,
    /// What it saw.
    pub sightings: Vec<Sighting>,
    /// Names this delivery, so that a repeated one is recognised.
    pub delivery: Option<Digest>,
    /// Where the source stands afterwards.
    pub state: Option<String>,
}

/// Which observation it was, without what it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// A version 7 UUID.
    pub id: Uuid,
    /// The plugin it was for.
    pub plugin: String,
    /// The operator's name for the source.
    pub source: String,
    /// The type of the source, as in the plugin contract.
    pub source_type: String,
    /// When the source saw it, in seconds since the epoch.
    pub detected_at: i64,
}

/// A sighting that waits for one plugin.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its place in the queue.
    pub seq: i64,
    /// A version 7 UUID.
    pub id: Uuid,
    /// The operator's name for the source.
    pub source: String,
    /// The type of the source, as in the plugin contract.
    pub source_type: String,
    /// What happened.
    pub event: String,
    /// The content.
    pub payload: Vec<u8>,
    /// When the source saw it, in seconds since the epoch.
    pub detected_at: i64,
}

/// As a plugin is asked about it.
impl From<&Waiting> for Observation {
    fn from(waiting: &Waiting) -> Self {
        Self {
            id: waiting.id.to_string(),
            source_type: waiting.source_type.clone(),
            event: waiting.event.clone(),
            raw_data: waiting.payload.clone(),
            detected_at: waiting.detected_at,
        }
    }
}
