//! `Idempotency-Key`: what makes a purchase happen once, and all that is kept of it.

use axum::extract::FromRequestParts;
use farmops_protocol::digest::{Digest, sha256};
use farmops_service::{idempotency, problem::Problem};
use http::request::Parts;

/// The SHA-256 of the key.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdempotencyKey(pub(super) Digest);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = idempotency::IdempotencyKey::from_request_parts(parts, state).await?;
        Ok(Self(sha256(key.as_str().as_bytes())))
    }
}

/// The key of a form's text.
pub(super) fn parse(text: &str) -> Option<Digest> {
    let key = idempotency::IdempotencyKey::parse(text)?;
    Some(sha256(key.as_str().as_bytes()))
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
