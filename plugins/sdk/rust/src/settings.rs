//! Settings: what an operator writes under `config`, read, and described by a JSON Schema.
//!
//! Keep them in a struct of your own with `#[serde(default, deny_unknown_fields)]` and a `Default`; [`read`] reads
//! it, and [`schema`] says the same to the agent, which refuses what does not fit (PLUGIN-CALL-004).
//!
//! ```
//! use farmops_plugin::settings;
//!
//! #[derive(Debug, PartialEq, serde::Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct Settings {
//!     min_age_hours: u32,
//! }
//!
//! impl Default for Settings {
//!     fn default() -> Self {
//!         Self { min_age_hours: 24 }
//!     }
//! }
//!
//! let age = settings::whole(Settings::default().min_age_hours, "How old it must be, in hours.");
//! let schema = settings::schema([("min_age_hours", age)]);
//! assert_eq!(schema["properties"]["min_age_hours"]["default"], 24);
//!
//! let written = serde_json::json!({"min_age_hours": 6});
//! assert_eq!(settings::read(&written), Ok(Settings { min_age_hours: 6 }));
//! ```

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The operator's settings do not suit the plugin. The text is shown to the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

/// Reads the settings that [`configure`](crate::Plugin::configure) is given.
///
/// # Errors
/// [`BadSettings`] when they are not of the shape of `T`.
pub fn read<T: DeserializeOwned>(settings: &Value) -> Result<T, BadSettings> {
    T::deserialize(settings).map_err(|error| BadSettings(error.to_string()))
}

/// The JSON Schema of settings that have these members and no others, each of which may be left out.
pub fn schema<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.map(|(name, schema)| (name.to_owned(), schema));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": Map::from_iter(members),
    })
}

/// The schema of a member that is a whole number from 0 on: a `u32`.
pub fn whole(default: u32, description: &str) -> Value {
    json!({
        "type": "integer",
        "minimum": 0,
        "maximum": u32::MAX,
        "default": default,
        "description": description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        hours: u32,
    }

    #[test]
    fn settings_are_read_by_the_rules_of_their_struct() {
        assert_eq!(read(&json!({})), Ok(Settings::default()));
        assert_eq!(
            read(&json!({"hours": u32::MAX})),
            Ok(Settings { hours: u32::MAX })
        );
        for other in [
            json!({"hour": 1}),
            json!({"hours": -1}),
            json!(1),
            json!(null),
        ] {
            assert!(read::<Settings>(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_schema_has_its_members_in_order_and_no_others() {
        let schema = schema([("b", whole(2, "B.")), ("a", whole(1, "A."))]);
        assert_eq!(schema["additionalProperties"], false);
        let members = schema["properties"].as_object().into_iter().flatten();
        let defaults: Vec<_> = members
            .map(|(name, of)| (&**name, &of["default"]))
            .collect();
        assert_eq!(defaults, [("b", &json!(2)), ("a", &json!(1))]);
    }
}
