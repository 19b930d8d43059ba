//! How a plugin is doing, as the API shows it.

use farmops_protocol::digest::Digest;
use farmops_protocol::time::Timestamp;
use serde::Serialize;

use super::manifest::Grant;
use crate::sandbox::Sandbox;

/// Where a plugin is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PluginState {
    /// Being started.
    Starting,
    /// Judging observations.
    Running,
    /// Failed; tried again at `retry_at`.
    Waiting {
        /// What happened.
        reason: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// Failed too often. A reload tries again.
    Deactivated {
        /// What happened last.
        reason: String,
    },
    /// Asked to stop.
    Stopped,
}

/// A plugin as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PluginView {
    /// Its id.
    pub id: String,
    /// Where its code comes from: `component`, `binary` or `oci`.
    pub source: &'static str,
    /// SHA-256 of its code.
    pub digest: Digest,
    /// What is granted to it.
    pub grants: Vec<Grant>,
    /// Its version, once it has told.
    pub version: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// Times it was started again after a failure.
    pub restarts: u64,
    /// What it is locked up with, while it runs as a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// Lines that it printed since its start and that were not logged.
    pub log_dropped: u64,
    /// SHA-256 of the code that a rollback would go back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Set while the manifest's version is not the one that runs, because it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// Where it is in its life.
    #[serde(flatten)]
    pub state: PluginState,
}

/// A version that failed too often, and was left for the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// SHA-256 of the code that was left.
    pub from: Digest,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}
