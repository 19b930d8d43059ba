//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, whole};
use serde::Deserialize;
use serde_json::{Value, json};

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Certificates that are valid for less do not count. Default 7.
    pub(crate) min_validity_days: u32,
    /// A certificate that was not ready for this long was in trouble. Default 60.
    pub(crate) min_unready_minutes: u32,
    /// A certificate whose renewal was due this long ago was in trouble. Default 24: cert-manager tries
    /// again after one hour, and then after twice as long each time.
    pub(crate) min_overdue_hours: u32,
    /// Whether renewals that took care of themselves count, little and once a day. Default true.
    pub(crate) routine_renewals: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_validity_days: 7,
            min_unready_minutes: 60,
            min_overdue_hours: 24,
            routine_renewals: true,
        }
    }
}

impl Settings {
    /// Their JSON Schema.
    pub(crate) fn schema() -> Value {
        let default = Self::default();
        let routine_renewals = json!({
            "type": "boolean",
            "default": default.routine_renewals,
            "description": "Whether renewals that took care of themselves count, little and once a day.",
        });
        settings::schema([
            (
                "min_validity_days",
                whole(
                    default.min_validity_days,
                    "How long a certificate must be valid from its beginning to its end, in days.",
                ),
            ),
            (
                "min_unready_minutes",
                whole(
                    default.min_unready_minutes,
                    "A certificate that was not ready for this long, in minutes, was in trouble.",
                ),
            ),
            (
                "min_overdue_hours",
                whole(
                    default.min_overdue_hours,
                    "A certificate whose renewal was due this long ago, in hours, was in trouble.",
                ),
            ),
            ("routine_renewals", routine_renewals),
        ])
    }
}
