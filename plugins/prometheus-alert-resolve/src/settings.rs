//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::BadSettings;
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// An alert must have fired this long. Default 60.
    pub(crate) min_firing_seconds: i64,
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
    /// JSON Schema of what [`Settings::read`] takes.
    pub(crate) fn schema() -> Value {
        let default = Self::default();
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "min_firing_seconds": {
                    "type": "integer",
                    "minimum": 0,
                    "default": default.min_firing_seconds,
                    "description": "How long an alert must have fired, in seconds.",
                },
                "severity_label": {
                    "type": "string",
                    "default": default.severity_label,
                    "description": "The label that holds the severity.",
                },
                "owner_label": {
                    "type": ["string", "null"],
                    "default": default.owner_label,
                    "description": "A label that names who owns the alert; without it, the work is that of whoever is on call.",
                },
            },
        })
    }

    pub(crate) fn read(value: &Value) -> Result<Self, BadSettings> {
        let settings = Self::deserialize(value).map_err(|e| BadSettings(e.to_string()))?;
        if settings.min_firing_seconds < 0 {
            return Err(BadSettings("min_firing_seconds is not negative".to_owned()));
        }
        Ok(settings)
    }
}
