//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::BadSettings;
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// An object must be this old. Default 24.
    pub(crate) min_age_hours: u32,
    /// Managers that write on nobody's behalf, beside those that are known to. Default none.
    pub(crate) ignored_managers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_age_hours: 24,
            ignored_managers: Vec::new(),
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
                "min_age_hours": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": u32::MAX,
                    "default": Self::default().min_age_hours,
                    "description": "How old an object must be, in hours, before moving it counts.",
                },
                "ignored_managers": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "default": [],
                    "description": "Names in metadata.managedFields of programs that write on nobody's behalf.",
                },
            },
        })
    }

    pub(crate) fn read(value: &Value) -> Result<Self, BadSettings> {
        Self::deserialize(value).map_err(|e| BadSettings(e.to_string()))
    }
}
