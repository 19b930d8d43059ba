//! The merged layers as a tree whose leaves remember where they were written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

/// Where a value was written. Later variants outrank earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    File(Arc<Path>),
    Variable(Arc<str>),
    Flags,
}

impl Origin {
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::File(_) => 0,
            Self::Variable(_) => 1,
            Self::Flags => 2,
        }
    }

    /// What a path that was written here means: beside the file, or from the working directory.
    pub(super) fn locate(&self, path: &str) -> PathBuf {
        let path = match self {
            Self::File(file) => file.parent().unwrap_or(Path::new("")).join(path),
            Self::Variable(_) | Self::Flags => PathBuf::from(path),
        };
        // It fails for an empty path, and where there is no working directory.
        std::path::absolute(&path).unwrap_or(path)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flags => f.write_str("command line"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    /// A typed scalar: true, false, a number or text.
    Scalar(Value),
    /// Text from a variable or a secret file, which takes the type of its field.
    Text(String),
}

impl Node {
    pub(super) fn empty() -> Self {
        Self {
            kind: Kind::Table(BTreeMap::new()),
            origin: Origin::Flags,
        }
    }

    /// `None` for null: a key without a value is a key that was not given.
    pub(super) fn from_json(value: Value, origin: &Origin) -> Option<Self> {
        let kind = match value {
            Value::Null => return None,
            Value::Object(members) => Kind::Table(
                members
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, Self::from_json(value, origin)?)))
                    .collect(),
            ),
            Value::Array(items) => Kind::List(
                items
                    .into_iter()
                    .filter_map(|item| Self::from_json(item, origin))
                    .collect(),
            ),
            scalar => Kind::Scalar(scalar),
        };
        Some(Self {
            kind,
            origin: origin.clone(),
        })
    }

    /// Lays a later layer over this one: tables merge, everything else is replaced.
    pub(super) fn overlay(&mut self, upper: Self) {
        match (&mut self.kind, upper.kind) {
            (Kind::Table(below), Kind::Table(above)) => {
                for (key, node) in above {
                    // A variable cannot spell `public-url` or `publicUrl`, but can mean it.
                    let existing = below.keys().find(|known| folded(known) == folded(&key));
                    let key = existing.cloned().unwrap_or(key);
                    match below.get_mut(&key) {
                        Some(lower) => lower.overlay(node),
                        None => {
                            below.insert(key, node);
                        }
                    }
                }
            }
            (_, kind) => {
                *self = Self {
                    kind,
                    origin: upper.origin,
                };
            }
        }
    }
}

/// A key without what the layers spell differently.
pub(super) fn folded(key: &str) -> String {
    key.replace(['-', '_'], "").to_ascii_lowercase()
}
