//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): what makes a request happen once.

use axum::extract::FromRequestParts;
use farmops_protocol::digest::{Digest, sha256};
use farmops_service::problem::Problem;
use http::request::Parts;

const NAME: &str = "idempotency-key";
const BYTES_MAX: usize = 255;
const RULE: &str = "expected 1 to 255 visible ASCII characters that are never used for another \
                    request, such as a UUID in double quotes";

/// The SHA-256 of the key: all that is kept of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdempotencyKey(pub(super) Digest);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(NAME).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Problem::bad_request("Idempotency-Key", RULE));
        };
        let key = value.to_str().ok().and_then(parse);
        key.map(Self)
            .ok_or_else(|| Problem::bad_request("Idempotency-Key", RULE))
    }
}

/// The key of a text: a structured-field string as the draft has it, or the same without its quotes.
pub(super) fn parse(text: &str) -> Option<Digest> {
    let text = text.trim();
    let key = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => text,
    };
    let visible = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    let fits = (1..=BYTES_MAX).contains(&key.len()) && key.bytes().all(visible);
    fits.then(|| sha256(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_with_and_without_its_quotes() {
        assert_eq!(parse("\"8e03978e\""), parse("8e03978e"));
        assert_ne!(parse("a"), parse("b"));
        for nonsense in [
            "",
            "\"\"",
            "\"a",
            "a\"",
            "a b",
            "ä",
            "a\\b",
            &"x".repeat(256),
        ] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
