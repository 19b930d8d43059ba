//! Refusals that name the place: which member of a foreign document is wrong, and why.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

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
            _ if parent.is_empty() => return self,
            "$" => parent.to_owned(),
            inner => format!("{parent}.{inner}"),
        };
        Self { field, ..self }
    }
}

/// Reads `bytes` as `T` and names the member that does not fit.
///
/// The plain reader runs first; only a refusal pays for tracking the path.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    serde_json::from_slice(bytes).or_else(|_| {
        // Text that is no JSON is refused as a whole; how far a reader has come by then is its own
        // affair. And derived readers would also take an object's members as a list.
        let value: Value =
            serde_json::from_slice(bytes).map_err(|e| FieldError::document(e.to_string()))?;
        if !value.is_object() {
            return Err(FieldError::document("expected a JSON object"));
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        serde_path_to_error::deserialize(&mut reader).map_err(from_path)
    })
}

/// Reads `value` as `T` and names the member that does not fit.
pub(crate) fn from_value<T: DeserializeOwned + Serialize>(value: &Value) -> Result<T, FieldError> {
    let parsed: T = serde_path_to_error::deserialize(value).map_err(from_path)?;
    let again = serde_json::to_value(&parsed).map_err(|e| FieldError::document(e.to_string()))?;
    match list_for_object(&again, value) {
        None => Ok(parsed),
        Some(place) => Err(FieldError::document("expected an object, not a list").within(&place)),
    }
}

/// Where `value` has a list while `parsed` has an object: derived readers take either.
fn list_for_object(parsed: &Value, value: &Value) -> Option<String> {
    let join = |outer: &str, inner: String| match inner.as_str() {
        "" => outer.to_owned(),
        inner if inner.starts_with('[') => format!("{outer}{inner}"),
        inner => format!("{outer}.{inner}"),
    };
    match (parsed, value) {
        (Value::Object(members), Value::Object(given)) => {
            members.iter().find_map(|(name, member)| {
                list_for_object(member, given.get(name)?).map(|inner| join(name, inner))
            })
        }
        (Value::Object(_), _) => Some(String::new()),
        (Value::Array(items), Value::Array(given)) => {
            items
                .iter()
                .zip(given)
                .enumerate()
                .find_map(|(at, (item, given))| {
                    list_for_object(item, given).map(|inner| join(&format!("[{at}]"), inner))
                })
        }
        _ => None,
    }
}

/// Reads a member that may be null but not absent: a plain `Option` would take either, and the schemas
/// and canonical forms know only one.
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

fn from_path(error: serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    FieldError::new(path_text(error.path()), error.into_inner().to_string())
}

/// A member's place as this crate writes it: `farm:upgrades[2].farm:slug`, or `$`.
pub(crate) fn path_text(path: &Path) -> String {
    let known = path.iter().take_while(|s| !matches!(s, Segment::Unknown));
    let text = known.fold(String::new(), |text, segment| match segment {
        Segment::Seq { index } => format!("{text}[{index}]"),
        name if text.is_empty() => name.to_string(),
        name => format!("{text}.{name}"),
    });
    if text.is_empty() {
        "$".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Inner {
        count: u8,
    }

    #[test]
    fn a_list_in_the_place_of_an_object_is_refused() {
        assert!(from_value::<Outer>(&json!({ "inner": [{ "count": 1 }] })).is_ok());
        for (value, field) in [
            (json!([[{ "count": 1 }]]), "$"),
            (json!({ "inner": [{ "count": 1 }, [1]] }), "inner[1]"),
        ] {
            assert_eq!(from_value::<Outer>(&value).unwrap_err().field, field);
        }
        assert_eq!(from_slice::<Outer>(b"[7]").unwrap_err().field, "$");
    }

    #[test]
    fn the_place_of_a_refusal_is_a_member_or_the_document() {
        for (text, field) in [
            (r#"{"inner":[{"count":256}]}"#, "inner[0].count"),
            (r#"{"inner":[{}]}"#, "inner[0]"),
            (r#"{"inner":[{"count":"#, "$"),
            (r#"{"inner":[]}x"#, "$"),
            ("{\"\\ud800\":1}", "$"),
        ] {
            assert_eq!(
                from_slice::<Outer>(text.as_bytes()).unwrap_err().field,
                field,
                "{text}"
            );
        }
    }
}
