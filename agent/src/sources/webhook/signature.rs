//! Whether a delivery comes from who has the secret. All comparisons take the same time.

use farmops_protocol::digest::{keyed, sha256};
use farmops_service::config::Secret;
use http::{HeaderMap, header::AUTHORIZATION};
use subtle::ConstantTimeEq as _;

use super::Provider;

/// Checks the provider's kind of signature over `body`.
pub fn is_genuine(provider: Provider, secret: &Secret, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match provider {
        Provider::Github => header("x-hub-signature-256")
            .and_then(|value| value.strip_prefix("sha256="))
            .is_some_and(|hex| is_hmac(secret, body, hex)),
        Provider::Gitea => {
            header("x-gitea-signature").is_some_and(|hex| is_hmac(secret, body, hex))
        }
        Provider::Alertmanager => header(AUTHORIZATION.as_str())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|token| {
                // Digests have one length, so the comparison tells nothing about the token's.
                let (given, wanted) =
                    (sha256(token.as_bytes()), sha256(secret.expose().as_bytes()));
                given.as_bytes().ct_eq(wanted.as_bytes()).into()
            }),
    }
}

fn is_hmac(secret: &Secret, body: &[u8], hex_digits: &str) -> bool {
    let Ok(given) = hex::decode(hex_digits) else {
        return false;
    };
    let wanted = keyed(secret.expose().as_bytes(), body);
    given.ct_eq(wanted.as_bytes().as_slice()).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn signed(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    /// The example of GitHub's own documentation.
    #[test]
    fn githubs_published_example_verifies() {
        let secret = Secret::new("It's a Secret to Everybody");
        let headers = signed(
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        );
        let genuine = |body| is_genuine(Provider::Github, &secret, &headers, body);
        assert!(genuine(b"Hello, World!"));
        assert!(!genuine(b"Hello, World?"));
    }

    #[test]
    fn each_provider_has_its_own_header_and_nothing_else_will_do() {
        let secret = Secret::new("s3cret");
        let digest = keyed(b"s3cret", b"{}").to_string();
        let bare = signed("x-gitea-signature", &digest);
        assert!(is_genuine(Provider::Gitea, &secret, &bare, b"{}"));
        let prefixed = signed("x-gitea-signature", &format!("sha256={digest}"));
        assert!(!is_genuine(Provider::Gitea, &secret, &prefixed, b"{}"));
        let unprefixed = signed("x-hub-signature-256", &digest);
        assert!(!is_genuine(Provider::Github, &secret, &unprefixed, b"{}"));
        let bearer = signed("authorization", "Bearer s3cret");
        assert!(is_genuine(Provider::Alertmanager, &secret, &bearer, b"{}"));
        let wrong = signed("authorization", "Bearer s3cre");
        assert!(!is_genuine(Provider::Alertmanager, &secret, &wrong, b"{}"));
        for provider in [Provider::Github, Provider::Gitea, Provider::Alertmanager] {
            assert!(!is_genuine(provider, &secret, &HeaderMap::new(), b"{}"));
        }
    }
}
