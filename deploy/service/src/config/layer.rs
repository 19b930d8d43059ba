//! The layers before they are laid over each other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::tree::{Kind, Node, Origin};
use super::{ConfigError, FILE_VARIABLE};

pub(super) fn from_file(path: &Path) -> Result<Node, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|reason| ConfigError::Read {
        path: path.to_owned(),
        reason,
    })?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let parsed = match extension {
        Some("toml") => toml::from_str(&text).map_err(|error| error.to_string()),
        // An empty document is null.
        Some("yaml" | "yml") => serde_saphyr::from_str(&text).map_err(|error| error.to_string()),
        _ => {
            return Err(ConfigError::FileKind {
                path: path.to_owned(),
            });
        }
    };
    let syntax = |reason| ConfigError::Syntax {
        path: path.to_owned(),
        reason,
    };
    let value: Value = parsed.map_err(syntax)?;
    if !(value.is_object() || value.is_null()) {
        return Err(syntax("the top level must be a table".to_owned()));
    }
    let origin = Origin::File(Arc::from(path));
    Ok(Node::from_json(value, &origin).unwrap_or_else(Node::empty))
}

pub(super) fn from_flags(overrides: Value) -> Node {
    Node::from_json(overrides, &Origin::Flags).unwrap_or_else(Node::empty)
}

/// One layer per variable, in the order of their names.
pub(super) fn from_env(
    prefix: &str,
    env: impl IntoIterator<Item = (String, String)>,
) -> impl Iterator<Item = Node> {
    let mine: BTreeMap<String, String> = env
        .into_iter()
        .filter(|(name, value)| {
            let Some(key) = name.strip_prefix(prefix) else {
                return false;
            };
            !key.is_empty()
                && !value.is_empty()
                && key != FILE_VARIABLE
                && !is_service_link(key, value)
        })
        .collect();
    let prefix = prefix.to_owned();
    mine.into_iter().map(move |(name, text)| {
        let origin = Origin::Variable(Arc::from(name.as_str()));
        let leaf = Node {
            kind: Kind::Text(text),
            origin: origin.clone(),
        };
        name[prefix.len()..]
            .to_ascii_lowercase()
            .rsplit("__")
            .fold(leaf, |inner, key| Node {
                kind: Kind::Table(BTreeMap::from([(key.to_owned(), inner)])),
                origin: origin.clone(),
            })
    })
}

/// Kubernetes sets variables for every Service of the namespace, so one that is called
/// `farmops-tracker` looks like configuration: `FARMOPS_TRACKER_PORT=tcp://10.0.0.7:8443`.
fn is_service_link(key: &str, value: &str) -> bool {
    let address = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    let protocol = ["_TCP", "_UDP", "_SCTP"];
    key.ends_with("_SERVICE_HOST")
        || key.contains("_SERVICE_PORT")
        || (address && key.contains("_PORT"))
        || (key.contains("_PORT_")
            && protocol.iter().any(|protocol| {
                ["_ADDR", "_PORT", "_PROTO"].iter().any(|part| {
                    key.strip_suffix(part)
                        .is_some_and(|rest| rest.ends_with(protocol))
                })
            }))
}
