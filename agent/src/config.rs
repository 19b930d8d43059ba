//! What the operator configures; each section stands beside the code that uses it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use crate::evidence::EvidenceConfig;
use crate::proof::Farmer;
use crate::sandbox::SandboxConfig;
use crate::sources::SourcesConfig;
use crate::standby::StandbyConfig;
use crate::store::Bounds;

/// The configuration of an agent. See `agent.example.yaml`.
#[derive(Debug, Clone, Deserialize)]
pub struct AgentConfig {
    /// A label for what this agent watches; letters, digits, `-` and `_`. It stands in every proof.
    pub cluster_alias: String,
    /// The tracker, for example `https://farm.example:8443`.
    pub tracker_url: Url,
    /// A PEM file with certificate authorities to trust besides the system's.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub tracker_ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the agent shows to a tracker that asks for one.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub tracker_client_cert_file: Option<PathBuf>,
    /// The key of that certificate.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub tracker_client_key_file: Option<PathBuf>,
    /// Where the agent keeps its identity, queue and outbox.
    #[serde(
        default = "data_dir",
        deserialize_with = "farmops_service::config::path"
    )]
    pub data_dir: PathBuf,
    /// A folder with `agent.id`, `agent.key` and `farm.secret`, such as a mounted Secret; they are copied into
    /// `data_dir` at the first start.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub identity_dir: Option<PathBuf>,
    /// Address of the agent's own API.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// Address of `/healthz` and `/readyz` alone, for probes from outside, if wanted.
    #[serde(default)]
    pub health_listen: Option<SocketAddr>,
    /// Address of the metrics, if wanted.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Whose work counts.
    pub farmer: Farmer,
    /// What the agent looks at.
    #[serde(default)]
    pub sources: SourcesConfig,
    /// The plugin manifest.
    #[serde(
        default = "plugins",
        deserialize_with = "farmops_service::config::path"
    )]
    pub plugins: PathBuf,
    /// Run only while holding a lease of Kubernetes.
    #[serde(default)]
    pub standby: Option<StandbyConfig>,
    /// What is kept of what proofs rest on.
    #[serde(default)]
    pub evidence: EvidenceConfig,
    /// How plugins that are processes are locked up.
    #[serde(default)]
    pub sandbox: SandboxConfig,
    /// Bounds.
    #[serde(default)]
    pub limits: Limits,
    /// Logging.
    #[serde(default)]
    pub log: Log,
}

/// Every bound an operator may move.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Observations waiting for plugins; beyond, webhooks hear 503 and other sources pause.
    pub observations_max: i64,
    /// Bytes of observations waiting; beyond, the same.
    pub observations_bytes_max: i64,
    /// Days an observation may wait for its plugin.
    pub observation_days_max: i64,
    /// Bytes of one webhook, record or poll answer.
    pub observation_bytes_max: usize,
    /// Proofs the tracker does not have yet; beyond, plugins pause.
    pub proofs_undelivered_max: i64,
    /// Delivered proofs kept with their evidence.
    pub proofs_kept_max: i64,
    /// Seconds a plugin may take for one observation.
    pub verify_seconds_max: u64,
    /// Failures of a plugin within ten minutes before it is deactivated.
    pub plugin_failures_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let bounds = Bounds::default();
        Self {
            observations_max: bounds.observations_max,
            observations_bytes_max: bounds.observations_bytes_max,
            observation_days_max: 7,
            observation_bytes_max: 1024 * 1024,
            proofs_undelivered_max: 100_000,
            proofs_kept_max: bounds.proofs_kept_max,
            verify_seconds_max: 5,
            plugin_failures_max: 5,
        }
    }
}

/// How the agent logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Log {
    /// `text` or `json`.
    pub format: farmops_service::telemetry::Format,
    /// In `env_logger` syntax.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: farmops_service::telemetry::Format::default(),
            filter: "info".to_owned(),
        }
    }
}

fn data_dir() -> PathBuf {
    "farmops-agent-data".into()
}

fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9090))
}

fn plugins() -> PathBuf {
    "farmops-plugins.yaml".into()
}

/// A configuration that reads well but cannot work.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// Unreadable, unknown key, wrong type.
    #[error(transparent)]
    Load(#[from] farmops_service::config::ConfigError),
    /// A value that breaks a rule.
    #[error("`{key}`: {reason}")]
    Rule {
        /// The key.
        key: String,
        /// The rule.
        reason: String,
    },
}

impl AgentConfig {
    /// Reads flags over environment over file. All paths are absolute afterwards: what is not set lies
    /// beside the file, or without one in the working directory.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: serde_json::Value,
    ) -> Result<Self, ConfigFault> {
        let mut config: Self = farmops_service::config::load(file, "FARMOPS_", env, flags)?;
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        for by_default in [&mut config.data_dir, &mut config.plugins] {
            let path = folder.join(&by_default);
            *by_default = std::path::absolute(&path).unwrap_or(path);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigFault> {
        let rule = |key: &str, reason: &str| {
            Err(ConfigFault::Rule {
                key: key.to_owned(),
                reason: reason.to_owned(),
            })
        };
        let alias = &self.cluster_alias;
        if !(1..=32).contains(&alias.len())
            || !alias
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return rule(
                "cluster_alias",
                "1 to 32 letters, digits, - or _: a label you choose, not a host name",
            );
        }
        if !matches!(self.tracker_url.scheme(), "http" | "https") || !self.tracker_url.has_host() {
            return rule("tracker_url", "an http or https URL");
        }
        if self.tracker_client_cert_file.is_some() != self.tracker_client_key_file.is_some() {
            return rule(
                "tracker_client_cert_file",
                "goes with tracker_client_key_file: set both or neither",
            );
        }
        if self.farmer.name.is_empty() {
            return rule("farmer.name", "is empty");
        }
        let limits = &self.limits;
        // Plugins take messages of up to 4 MiB.
        if !(1024..=3 * 1024 * 1024).contains(&limits.observation_bytes_max) {
            return rule("limits.observation_bytes_max", "1024 to 3145728");
        }
        if limits.observations_max < 1
            || limits.observations_bytes_max < 1
            || limits.proofs_undelivered_max < 1
            || limits.proofs_kept_max < 1
            || limits.observation_days_max < 1
            || limits.verify_seconds_max < 1
            || limits.plugin_failures_max < 1
        {
            return rule("limits", "every limit is at least 1");
        }
        self.evidence
            .check()
            .and_then(|()| self.standby.as_ref().map_or(Ok(()), StandbyConfig::check))
            .and_then(|()| self.sources.check())
            .map_err(|(key, reason)| ConfigFault::Rule { key, reason })
    }
}

#[cfg(test)]
mod tests;
