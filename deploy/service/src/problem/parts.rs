//! Path and query extractors that say which parameter is wrong. Use them in place of axum's, whose
//! refusals are plain text.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;

/// The parameters in the route's path. A wrong one is 400, and `field` names it as the route does.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejection = match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let PathRejection::FailedToDeserializePathParams(rejection) = rejection else {
            // Only a handler without a route gets here: our mistake.
            return Err(Problem::internal(&rejection));
        };
        let names: Vec<String> = match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => params.iter().map(|(name, _)| name.to_owned()).collect(),
            Err(_) => Vec::new(),
        };
        let (at, reason) = fault(rejection.into_kind());
        let field = match at {
            At::Key(key) => Some(key),
            At::Index(index) => names.get(index).cloned(),
        };
        Err(Problem::bad_request(field.unwrap_or_else(whole), reason))
    }
}

/// Where in the path a fault is.
enum At {
    Key(String),
    Index(usize),
}

fn fault(kind: ErrorKind) -> (At, String) {
    match kind {
        ErrorKind::ParseErrorAtKey {
            key, expected_type, ..
        } => (At::Key(key), expected(expected_type)),
        ErrorKind::ParseErrorAtIndex {
            index,
            expected_type,
            ..
        } => (At::Index(index), expected(expected_type)),
        ErrorKind::DeserializeError { key, message, .. } => (At::Key(key), plain(message)),
        ErrorKind::InvalidUtf8InPathParam { key } => (At::Key(key), "not UTF-8".to_owned()),
        // The rest has no name in it, because there is one parameter.
        ErrorKind::ParseError { expected_type, .. } => (At::Index(0), expected(expected_type)),
        ErrorKind::Message(message) => (At::Index(0), plain(message)),
        other => (At::Index(0), other.to_string()),
    }
}

/// What a type of Rust takes, for those who do not know it.
fn expected(kind: &str) -> String {
    match kind {
        "u8" => "expected a whole number up to 255".to_owned(),
        "u16" => "expected a whole number up to 65535".to_owned(),
        "u32" | "u64" | "usize" => "expected a whole number, zero or more".to_owned(),
        "i32" | "i64" => "expected a whole number".to_owned(),
        "bool" => "expected true or false".to_owned(),
        kind => format!("expected {kind}"),
    }
}

/// A refusal of the standard library or a crate, which say what they met, as what was expected.
fn plain(reason: String) -> String {
    let expected = match reason.as_str() {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "expected a whole number"
        }
        "number too large to fit in target type" => "expected a smaller number",
        "number too small to fit in target type" => "expected a larger number",
        "provided string was not `true` or `false`" => "expected true or false",
        text if text.starts_with("UUID parsing failed") => {
            "expected a UUID like 019c79c9-e340-7000-8000-000000000101"
        }
        _ => return reason,
    };
    expected.to_owned()
}

/// The parameters of the query. A wrong or missing one is 400, and `field` names it.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let reader = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(reader)
            .map(Self)
            .map_err(|error| {
                let reason = error.inner().to_string();
                Problem::bad_request(field(error.path(), &reason), plain(reason))
            })
    }
}

/// The field that an error of serde is about: where it was met, and below that the one that its words
/// name. The whole is `$`, as in all our refusals.
pub(super) fn field(path: &serde_path_to_error::Path, reason: &str) -> String {
    let path = path.to_string();
    // `?` stands where the parser gave up before it knew.
    let above = path.trim_end_matches('?').trim_end_matches('.');
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|words| reason.strip_prefix(words)?.split('`').next());
    match (above, named) {
        ("", None) => whole(),
        ("", Some(name)) => name.to_owned(),
        (above, None) => above.to_owned(),
        // An unknown key is a part of the path already.
        (above, Some(name)) if above == name || above.ends_with(&format!(".{name}")) => {
            above.to_owned()
        }
        (above, Some(name)) => format!("{above}.{name}"),
    }
}

pub(super) fn whole() -> String {
    "$".to_owned()
}
