//! What a plugin must show before any observation is judged by it.

use farmops_plugin::Description;
use jsonschema::{Draft, PatternOptions};
use semver::Version;
use serde_json::Value;

use super::manifest::PluginSpec;
use crate::observation::SourceType;

/// Why a plugin is not the one that the manifest asks for.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Another plugin.
    #[error("`id`: it calls itself `{0}`: correct the id or the source")]
    OtherId(String),
    /// Its version is no semantic version.
    #[error("its version `{0}` is not a semantic version")]
    NoVersion(String),
    /// A version that the manifest excludes.
    #[error(
        "`version`: it is {found}, which `{required}` excludes: widen the one or change the source"
    )]
    Version {
        /// Its own.
        found: Version,
        /// The manifest's.
        required: String,
    },
    /// It declares what no plugin may.
    #[error("declares something unusable: {0}")]
    Declaration(String),
    /// A grant that it cannot use.
    #[error(
        "`grants`: it does not read sources of type {source_type}, but is granted `{source_name}`: remove the grant"
    )]
    Unread {
        /// The source's name.
        source_name: String,
        /// Its type.
        source_type: &'static str,
    },
    /// Settings for a plugin that has none.
    #[error("`config`: this plugin takes no settings: remove them")]
    TakesNoSettings,
    /// Settings that do not fit its schema.
    #[error("`config{pointer}`: {reason}")]
    Settings {
        /// JSON pointer (RFC 6901) within `config`.
        pointer: String,
        /// What was expected there; the value itself is not repeated.
        reason: String,
    },
}

/// Holds what the plugin says of itself against the manifest.
pub(super) fn check(
    spec: &PluginSpec,
    granted: &[(String, SourceType)],
    description: &Description,
) -> Result<(), Refusal> {
    if description.plugin_id != spec.id {
        let id = description.plugin_id.chars().take(80).collect();
        return Err(Refusal::OtherId(id));
    }
    description
        .check()
        .map_err(|error| Refusal::Declaration(error.to_string()))?;
    let version: Version = description
        .version
        .parse()
        .map_err(|_| Refusal::NoVersion(description.version.chars().take(80).collect()))?;
    if let Some(required) = spec.version.as_ref().filter(|r| !r.matches(&version)) {
        return Err(Refusal::Version {
            found: version,
            required: required.to_string(),
        });
    }
    let unread = granted
        .iter()
        .find(|(_, source_type)| !description.reads(source_type.as_str()));
    if let Some((name, source_type)) = unread {
        return Err(Refusal::Unread {
            source_name: name.clone(),
            source_type: source_type.as_str(),
        });
    }
    check_settings(spec, description.settings_schema.as_ref())
}

/// PLUGIN-CALL-004.
fn check_settings(spec: &PluginSpec, schema: Option<&Value>) -> Result<(), Refusal> {
    let Some(schema) = schema else {
        return if spec.config.is_empty() {
            Ok(())
        } else {
            Err(Refusal::TakesNoSettings)
        };
    };
    // A plugin's own patterns are matched in linear time, and no reference leads outside.
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| Refusal::Declaration(format!("the schema of its settings: {error}")))?;
    let settings = Value::Object(spec.config.clone());
    validator
        .validate(&settings)
        .map_err(|error| Refusal::Settings {
            pointer: error.instance_path().to_string(),
            // Without the value: a secret in the wrong place must not come out in an answer or a log.
            reason: error.masked().to_string(),
        })
}

#[cfg(test)]
mod tests;
