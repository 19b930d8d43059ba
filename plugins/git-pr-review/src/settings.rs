//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, whole};
use serde::Deserialize;
use serde_json::Value;

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Words an approval needs to count; asking for changes always counts. Default 3.
    pub(crate) approval_words_min: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            approval_words_min: 3,
        }
    }
}

impl Settings {
    /// Their JSON Schema.
    pub(crate) fn schema() -> Value {
        let approval_words_min = whole(
            Self::default().approval_words_min,
            "Words an approval needs to count; asking for changes always counts.",
        );
        settings::schema([("approval_words_min", approval_words_min)])
    }
}
