//! What the operator may set under `config` in `farmops-plugins.yaml`.

use farmops_plugin::settings::{self, BadSettings, whole};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::audit::Rule;

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// A workload must be this old. Default 24.
    pub(crate) min_age_hours: u32,
    /// Its fields must have been as they were for this long. Default 15: a deploy or a scaling starts
    /// the count anew, so that a longer time would leave out those who deploy often.
    pub(crate) min_standing_minutes: u32,
    /// Rules that do not count here, by name. Default none.
    pub(crate) ignored_rules: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_age_hours: 24,
            min_standing_minutes: 15,
            ignored_rules: Vec::new(),
        }
    }
}

impl Settings {
    /// JSON Schema of what [`Settings::read`] takes.
    pub(crate) fn schema() -> Value {
        let default = Self::default();
        let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        let ignored_rules = json!({
            "type": "array",
            "items": {"enum": names},
            "uniqueItems": true,
            "default": [],
            "description": "Rules that do not count here.",
        });
        settings::schema([
            (
                "min_age_hours",
                whole(
                    default.min_age_hours,
                    "How old a workload must be, in hours, before mending it counts.",
                ),
            ),
            (
                "min_standing_minutes",
                whole(
                    default.min_standing_minutes,
                    "How long its fields must have been as they were, in minutes; a deploy or a scaling starts the count anew.",
                ),
            ),
            ("ignored_rules", ignored_rules),
        ])
    }

    pub(crate) fn read(value: &Value) -> Result<Self, BadSettings> {
        let settings: Self = settings::read(value)?;
        let unknown = |name: &&String| Rule::ALL.iter().all(|rule| rule.name() != name.as_str());
        if let Some(name) = settings.ignored_rules.iter().find(unknown) {
            let name: String = name.chars().take(64).collect();
            return Err(BadSettings(format!(
                "ignored_rules: there is no rule `{name}`"
            )));
        }
        Ok(settings)
    }

    pub(crate) fn counts(&self, rule: Rule) -> bool {
        self.ignored_rules.iter().all(|name| name != rule.name())
    }
}
