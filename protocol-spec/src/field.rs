//! Refusals that name the place: which member of a foreign document is wrong, and why.

/// A member of a foreign document that breaks a rule, and the reason in one sentence.
///
/// `field` is a dotted path from the document's root (`action.category`, `farm:upgrades[2]`);
/// the document itself is written `$`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldError {
    /// Dotted path from the root; `$` for the document itself.
    pub field: String,
    /// What is wrong and what would be right, as one sentence without a full stop.
    pub reason: String,
}

impl FieldError {
    /// A refusal of the member at `field`.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// A refusal of the document as a whole.
    pub fn document(reason: impl Into<String>) -> Self {
        Self::new("$", reason)
    }

    /// The same refusal, seen from the document that holds the one at hand under `parent`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        let field = match self.field.as_str() {
            "$" => parent.to_owned(),
            inner => format!("{parent}.{inner}"),
        };
        Self { field, ..self }
    }
}

/// Reads `bytes` as `T` and names the member that does not fit.
///
/// The plain reader runs first; only a refusal pays for tracking the path.
pub(crate) fn from_slice<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    serde_json::from_slice(bytes).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let parsed = serde_path_to_error::deserialize(&mut reader).map_err(from_path)?;
        reader
            .end()
            .map_err(|e| FieldError::document(e.to_string()))?;
        Ok(parsed)
    })
}

/// Reads `value` as `T` and names the member that does not fit.
pub(crate) fn from_value<T: serde::de::DeserializeOwned>(
    value: &serde_json::Value,
) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(from_path)
}

fn from_path<E: std::fmt::Display>(error: serde_path_to_error::Error<E>) -> FieldError {
    let field = match error.path().to_string() {
        root if root == "." => "$".to_owned(),
        path => path,
    };
    FieldError::new(field, error.into_inner().to_string())
}
