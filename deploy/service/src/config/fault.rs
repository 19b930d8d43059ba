//! What went wrong while the target was reading itself from the tree, and where.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Expected, Unexpected};

use super::tree::Origin;

/// An error on its way up the tree; each level adds its key.
#[derive(Debug)]
pub(super) struct Fault {
    /// Keys from the root to the value.
    pub(super) path: Vec<String>,
    /// Where the value was written, as close to it as is known.
    pub(super) origin: Option<Origin>,
    pub(super) kind: FaultKind,
}

#[derive(Debug)]
pub(super) enum FaultKind {
    UnknownKey {
        suggestion: Option<String>,
    },
    Invalid(String),
    Unreadable {
        path: PathBuf,
        reason: std::io::Error,
    },
    Missing,
}

impl Fault {
    pub(super) fn new(kind: FaultKind) -> Self {
        Self {
            path: Vec::new(),
            origin: None,
            kind,
        }
    }

    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Invalid(reason.into()))
    }

    /// An unknown key, with the known one most like it.
    pub(super) fn unknown(key: &str, known: &[&str]) -> Self {
        let suggestion = known
            .iter()
            .map(|candidate| (strsim::jaro_winkler(key, candidate), *candidate))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, candidate)| candidate.to_owned());
        Self::new(FaultKind::UnknownKey { suggestion }).within(key)
    }

    /// Adds the key of the enclosing level.
    pub(super) fn within(mut self, key: &str) -> Self {
        self.path.insert(0, key.to_owned());
        self
    }

    /// Says where the value was written, unless a deeper level knew better.
    pub(super) fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path.join("."), self.kind)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::invalid(message.to_string())
    }

    /// The standard message quotes the value, which may be a secret in the wrong place.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Str(_) => "text",
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a fraction",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table",
            _ => "something else",
        };
        Self::invalid(format!("expected {expected}, found {found}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(FaultKind::Missing).within(field)
    }
}
