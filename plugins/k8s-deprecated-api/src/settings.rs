//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, whole};
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
    /// Their JSON Schema.
    pub(crate) fn schema() -> Value {
        let min_age_hours = whole(
            Self::default().min_age_hours,
            "How old an object must be, in hours, before moving it counts.",
        );
        let ignored_managers = json!({
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "Names in metadata.managedFields of programs that write on nobody's behalf.",
        });
        settings::schema([
            ("min_age_hours", min_age_hours),
            ("ignored_managers", ignored_managers),
        ])
    }
}
