//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): what makes a request happen once.
//!
//! The field is an Item of Structured Fields whose value is a String (RFC 9651, section 3.3.3):
//! `Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"`. The same without quotes is taken as
//! well, because that is what most clients send. Parameters are refused: nothing says what they mean.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::HeaderMap;
use http::request::Parts;

use crate::problem::Problem;

const NAME: &str = "Idempotency-Key";
/// Longest key, without quotes and escapes.
const BYTES_MAX: usize = 255;
const RULE: &str = "expected one key of 1 to 255 printable ASCII characters that is never used for \
                    another request, such as a UUID in double quotes";

/// The key of a request. As `Option`, a request without one is taken, too; a malformed one never is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of a field's text.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = match text.strip_prefix('"') {
            Some(rest) => unquoted(rest)?,
            // What would be no String of Structured Fields must not be taken for another key.
            None if text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"\\;,".contains(&b)) =>
            {
                text.to_owned()
            }
            None => return None,
        };
        (1..=BYTES_MAX).contains(&key.len()).then_some(Self(key))
    }
}

/// What stands before the closing quote, which must be the end.
fn unquoted(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return letters.as_str().is_empty().then_some(key),
            '\\' => key.push(letters.next().filter(|c| matches!(c, '"' | '\\'))?),
            letter @ ' '..='~' => key.push(letter),
            _ => return None,
        }
    }
}

fn of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut fields = headers.get_all(NAME).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    let key = field.to_str().ok().and_then(IdempotencyKey::parse);
    match (key, fields.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Problem::bad_request(NAME, RULE)),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        of(&parts.headers)?.ok_or_else(|| Problem::bad_request(NAME, RULE))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        of(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Option<String> {
        IdempotencyKey::parse(text).map(|key| key.0)
    }

    #[test]
    fn a_key_is_a_string_or_the_same_without_quotes() {
        assert_eq!(parse(r#""8e03978e""#), parse("8e03978e"));
        assert_eq!(parse(r#"  "a b"  "#).unwrap(), "a b");
        assert_eq!(parse(r#""a\"b\\c""#).unwrap(), r#"a"b\c"#);
        assert_eq!(
            parse(&format!("\"{}\"", "x".repeat(255))).unwrap().len(),
            255
        );
    }

    #[test]
    fn anything_else_is_none() {
        for wrong in [
            "",
            r#""""#,
            r#""a"#,
            r#"a""#,
            r#""a"b"#,
            r#""a";x=1"#,
            r#""a", "b""#,
            r#""a\b""#,
            r#""a\"#,
            "a b",
            "a,b",
            "\"\u{e4}\"",
            "\"a\tb\"",
            &"x".repeat(256),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn two_fields_are_no_key() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers).unwrap(), None);
        headers.append(NAME, http::HeaderValue::from_static("a"));
        assert_eq!(of(&headers).unwrap().unwrap().as_str(), "a");
        headers.append(NAME, http::HeaderValue::from_static("a"));
        let problem = serde_json::to_value(of(&headers).unwrap_err()).unwrap();
        assert_eq!(
            (&problem["status"], &problem["field"]),
            (&400.into(), &NAME.into())
        );
    }
}
