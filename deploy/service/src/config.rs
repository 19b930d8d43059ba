//! Configuration in layers: flags over `FARMOPS_*` variables over a TOML or YAML file over the
//! defaults of the target type.
//!
//! The target type is the schema. While it is being read, every struct says which fields it has,
//! so a key that nobody knows is an error that names where it was written and what was probably
//! meant; targets need no attribute for that.
//!
//! * A variable spells the path with two underscores: `FARMOPS_FEDERATION__PUBLIC_URL` is
//!   `federation.public_url`. Text from a variable becomes whatever the field wants; lists are
//!   separated by commas.
//! * `<key>_file` (or `FARMOPS_<KEY>_FILE`) names a file that holds the value, unless the target
//!   has a field of that very name. A trailing newline is cut off.
//! * A relative path in the file, after such a key or in a field read by [`path()`], is looked for beside
//!   the file, and not where the program happens to be started.
//! * Fields need a default (`#[serde(default)]`) or they are required. Do not use
//!   `#[serde(flatten)]`: serde then hides the field names.

mod fault;
mod layer;
mod path;
mod read;
mod secret;
mod tree;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub use path::path;
pub use secret::Secret;

use fault::{Fault, FaultKind};
use tree::Node;

/// The variable that names the configuration file. It is the program's own, never a key.
pub const FILE_VARIABLE: &str = "CONFIG";

/// Why there is no configuration. The message is meant for the operator as it is.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The configuration file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The file that a `_file` key names cannot be read.
    #[error("{origin}: `{key}`: cannot read {path}: {reason}")]
    ReadValue {
        /// Where the key was written.
        origin: String,
        /// The whole path of the key, dotted.
        key: String,
        /// The file that it names.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The name of the file ends in neither `.toml`, `.yaml` nor `.yml`.
    #[error("{path}: a configuration file is named *.toml, *.yaml or *.yml")]
    FileKind {
        /// The file.
        path: PathBuf,
    },
    /// The file is not TOML or YAML, or its top level is not a table.
    #[error("{path}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser said, with the line.
        reason: String,
    },
    /// Nobody knows this key.
    #[error("{origin}: unknown key `{key}`{}", hint(.suggestion.as_deref()))]
    UnknownKey {
        /// Where it was written: the file, the variable, or the flags.
        origin: String,
        /// The whole path, dotted.
        key: String,
        /// The most similar known key of the same section.
        suggestion: Option<String>,
    },
    /// The value does not fit the key.
    #[error("{origin}: `{key}`: {reason}")]
    Invalid {
        /// Where the value was written.
        origin: String,
        /// The whole path, dotted.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A required key is in no layer.
    #[error("`{key}` is not set: give it in the file, as {variable}, or with its flag")]
    Missing {
        /// The whole path, dotted.
        key: String,
        /// The variable that would set it.
        variable: String,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |known| format!(" (did you mean `{known}`?)"))
}

/// Reads the layers into `T`.
///
/// * `file`: the configuration file, if one was named; it must then exist.
/// * `env_prefix`: `"FARMOPS_"`. `env`: normally `std::env::vars()`. Variables without the prefix,
///   `FARMOPS_CONFIG`, empty ones, and the service links that Kubernetes injects are passed over.
/// * `overrides`: what was given as flags, as a JSON object shaped like `T`; `null` means that the
///   flag was not given.
pub fn load<T: DeserializeOwned>(
    file: Option<&Path>,
    env_prefix: &str,
    env: impl IntoIterator<Item = (String, String)>,
    overrides: serde_json::Value,
) -> Result<T, ConfigError> {
    let mut tree = Node::empty();
    if let Some(path) = file {
        tree.overlay(layer::from_file(path)?);
    }
    for layer in layer::from_env(env_prefix, env) {
        tree.overlay(layer);
    }
    tree.overlay(layer::from_flags(overrides));
    T::deserialize(tree).map_err(|fault| explain(fault, env_prefix))
}

fn explain(fault: Fault, env_prefix: &str) -> ConfigError {
    let key = fault.path.join(".");
    let origin = fault
        .origin
        .map_or_else(|| "configuration".to_owned(), |origin| origin.to_string());
    match fault.kind {
        FaultKind::UnknownKey { suggestion } => ConfigError::UnknownKey {
            origin,
            key,
            suggestion,
        },
        FaultKind::Invalid(reason) => ConfigError::Invalid {
            origin,
            key,
            reason,
        },
        FaultKind::Unreadable { path, reason } => ConfigError::ReadValue {
            origin,
            key,
            path,
            reason,
        },
        FaultKind::Missing => {
            let path = fault.path.join("__").replace('-', "_");
            ConfigError::Missing {
                key,
                variable: format!("{env_prefix}{}", path.to_ascii_uppercase()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
