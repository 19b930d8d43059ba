//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, whole};
use serde::Deserialize;
use serde_json::Value;

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// A workload must have been unhealthy this long. Default 420: the longest wait between two starts
    /// of a crashing container is 300 seconds, and must not look like an outage that somebody ended.
    pub(crate) min_unhealthy_seconds: u32,
    /// What became unhealthy within this time of its creation never started well. Default 900.
    pub(crate) first_start_seconds: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_unhealthy_seconds: 420,
            first_start_seconds: 900,
        }
    }
}

impl Settings {
    /// Their JSON Schema.
    pub(crate) fn schema() -> Value {
        let default = Self::default();
        settings::schema([
            (
                "min_unhealthy_seconds",
                whole(
                    default.min_unhealthy_seconds,
                    "How long a workload must have been unhealthy, in seconds.",
                ),
            ),
            (
                "first_start_seconds",
                whole(
                    default.first_start_seconds,
                    "What became unhealthy within this time of its creation, in seconds, never started well, and its first good start is no recovery.",
                ),
            ),
        ])
    }
}
