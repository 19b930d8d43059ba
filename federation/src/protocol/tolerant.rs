//! Reading documents of other software: tolerant of shape, strict about size.
//!
//! A reference may be a string or an object with an `id`; a list may be a single value; unknown
//! members are ignored. A member named twice, a deep nest or a long list is refused, so that no
//! two readers see different documents and no document costs more than it should.

use farmops_protocol::{canonical, field::FieldError};
use serde_json::Value;
use url::Url;

/// Bytes of one document or activity.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Arrays and objects inside one another.
pub const DEPTH_MAX: usize = 32;
/// Entries of one array, members of one object.
pub const ENTRIES_MAX: usize = 256;
/// Bytes of one URL.
pub const URL_BYTES_MAX: usize = 2048;

/// Parses a foreign document within the limits.
pub fn document(bytes: &[u8]) -> Result<Value, FieldError> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(FieldError::document("is longer than 256 KiB"));
    }
    let value = canonical::parse_foreign(bytes, DEPTH_MAX).map_err(|error| {
        // Where the text breaks off inside an unnamed place, the document as a whole is wrong.
        if error.field == "?" {
            FieldError::document(error.reason)
        } else {
            error
        }
    })?;
    if !value.is_object() {
        return Err(FieldError::document("must be a JSON object"));
    }
    bounded(&value)?;
    Ok(value)
}

fn bounded(value: &Value) -> Result<(), FieldError> {
    match value {
        Value::Array(items) if items.len() > ENTRIES_MAX => {
            Err(FieldError::document("has a list of more than 256 entries"))
        }
        Value::Array(items) => items.iter().try_for_each(bounded),
        Value::Object(members) if members.len() > ENTRIES_MAX => Err(FieldError::document(
            "has an object of more than 256 members",
        )),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(name, inner)| bounded(inner).map_err(|e| e.within(name))),
        _ => Ok(()),
    }
}

/// The `http` or `https` URL in `value`.
pub fn url(value: &Value, field: &str) -> Result<Url, FieldError> {
    let text = value
        .as_str()
        .ok_or_else(|| FieldError::new(field, "must be a URL"))?;
    if text.len() > URL_BYTES_MAX {
        return Err(FieldError::new(field, "is longer than 2048 bytes"));
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(FieldError::new(field, "must be an http or https URL")),
    }
}

/// The id in `value`: a URL, an object with an `id`, or a list of exactly one of these.
pub fn reference(value: &Value, field: &str) -> Result<Url, FieldError> {
    match value {
        Value::Object(object) => url(object.get("id").unwrap_or(&Value::Null), field),
        Value::Array(items) => match items.as_slice() {
            [only] if !only.is_array() => reference(only, field),
            _ => Err(FieldError::new(field, "must name exactly one")),
        },
        other => url(other, field),
    }
}

/// The member `name` of `object` as a reference.
pub fn required(object: &Value, name: &str) -> Result<Url, FieldError> {
    match object.get(name) {
        None | Some(Value::Null) => Err(FieldError::new(name, "is missing")),
        Some(value) => reference(value, name),
    }
}

/// The member `name` of `object` as a reference, if it is there.
pub fn optional(object: &Value, name: &str) -> Result<Option<Url>, FieldError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => reference(value, name).map(Some),
    }
}

/// Whether the `type` of `object` is, or includes, `name`.
pub fn is_type(object: &Value, name: &str) -> bool {
    match object.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(many)) => many.iter().any(|one| one == name),
        _ => false,
    }
}

/// The text of the member `name`, cut to `chars_max` characters.
pub fn text(object: &Value, name: &str, chars_max: usize) -> Option<String> {
    Some(
        object
            .get(name)?
            .as_str()?
            .chars()
            .take(chars_max)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_has_many_shapes() {
        let want = Url::parse("https://a.example/x").unwrap();
        for value in [
            json!("https://a.example/x"),
            json!({"id": "https://a.example/x", "type": "Person"}),
            json!(["https://a.example/x"]),
            json!([{"id": "https://a.example/x"}]),
        ] {
            assert_eq!(reference(&value, "actor").unwrap(), want);
        }
        for value in [
            json!(null),
            json!(7),
            json!({}),
            json!([]),
            json!(["https://a.example/x", "https://a.example/y"]),
            json!("javascript:alert(1)"),
            json!("data:text/plain,x"),
        ] {
            assert_eq!(reference(&value, "actor").unwrap_err().field, "actor");
        }
    }

    /// Advisories 26 and 27: the limit and one more.
    #[test]
    fn size_is_bounded() {
        let list = |n: usize| json!({ "to": vec!["x"; n] }).to_string();
        assert!(document(list(ENTRIES_MAX).as_bytes()).is_ok());
        assert!(document(list(ENTRIES_MAX + 1).as_bytes()).is_err());
        let nest = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert!(document(nest(DEPTH_MAX - 1).as_bytes()).is_ok());
        assert!(document(nest(DEPTH_MAX).as_bytes()).is_err());
        assert!(document(&vec![b' '; BODY_BYTES_MAX + 1]).is_err());
        assert!(document(b"[]").is_err());
        assert!(document(br#"{"id":"https://a.example/x","id":"https://b.example/x"}"#).is_err());
    }
}
