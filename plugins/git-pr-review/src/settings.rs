//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::BadSettings;
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Words an approval needs to count; asking for changes always counts. Default 3.
    pub(crate) approval_words_min: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            approval_words_min: 3,
        }
    }
}

impl Settings {
    /// JSON Schema of what [`Settings::read`] takes.
    pub(crate) fn schema() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "approval_words_min": {
                    "type": "integer",
                    "minimum": 0,
                    "default": Self::default().approval_words_min,
                    "description": "Words an approval needs to count; asking for changes always counts.",
                },
            },
        })
    }

    pub(crate) fn read(value: &Value) -> Result<Self, BadSettings> {
        Self::deserialize(value).map_err(|e| BadSettings(e.to_string()))
    }
}
