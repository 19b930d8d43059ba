//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::BadSettings;
use serde::Deserialize;

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
    pub(crate) fn read(value: &serde_json::Value) -> Result<Self, BadSettings> {
        let settings = Self::deserialize(value).map_err(|e| BadSettings(e.to_string()))?;
        if settings.min_firing_seconds < 0 {
            return Err(BadSettings("min_firing_seconds is not negative".to_owned()));
        }
        Ok(settings)
    }
}
