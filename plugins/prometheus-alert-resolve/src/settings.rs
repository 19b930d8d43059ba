//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, whole};
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// An alert must have fired this long. Default 60.
    pub(crate) min_firing_seconds: u32,
    /// The label that holds the severity. Default `severity`.
    pub(crate) severity_label: String,
    /// A label that names who owns the alert. Without it, or where an alert lacks it, the work is
    /// that of whoever is on call.
    pub(crate) owner_label: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_firing_seconds: 60,
            severity_label: "severity".to_owned(),
            owner_label: None,
        }
    }
}

impl Settings {
    /// Their JSON Schema.
    pub(crate) fn schema() -> Value {
        let default = Self::default();
        let severity_label = json!({
            "type": "string",
            "default": default.severity_label,
            "description": "The label that holds the severity.",
        });
        let owner_label = json!({
            "type": ["string", "null"],
            "default": default.owner_label,
            "description": "A label that names who owns the alert; without it, the work is that of whoever is on call.",
        });
        settings::schema([
            (
                "min_firing_seconds",
                whole(
                    default.min_firing_seconds,
                    "How long an alert must have fired, in seconds.",
                ),
            ),
            ("severity_label", severity_label),
            ("owner_label", owner_label),
        ])
    }
}
