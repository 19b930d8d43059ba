//! The `Digest` header (RFC 3230): the body belongs to the signed request.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2_10::{Digest as _, Sha256};

/// The header's value for `body`.
pub fn of(body: &[u8]) -> String {
    format!("SHA-256={}", BASE64_STANDARD.encode(Sha256::digest(body)))
}

/// Whether `header` carries the SHA-256 digest of `body`. Other algorithms beside it are
/// ignored; instead of it they are not enough; two SHA-256 digests are one too many.
pub fn matches(header: &str, body: &[u8]) -> bool {
    let mut ours = header.split(',').filter_map(|part| {
        let (algorithm, value) = part.trim().split_once('=')?;
        algorithm.eq_ignore_ascii_case("sha-256").then_some(value)
    });
    let (Some(value), None) = (ours.next(), ours.next()) else {
        return false;
    };
    BASE64_STANDARD
        .decode(value)
        .is_ok_and(|digest| digest == Sha256::digest(body).as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_digest_of_the_body_counts() {
        let body = b"{}";
        let good = of(body);
        assert!(matches(&good, body));
        assert!(matches(
            &format!("MD5=mZFLkyvTelC5g8XnyQrpOw==,{good}"),
            body
        ));
        assert!(matches(&good.replace("SHA-256", "sha-256"), body));
        for header in [
            "",
            "SHA-256=",
            "SHA-256",
            "MD5=mZFLkyvTelC5g8XnyQrpOw==",
            "SHA-1=v6PgV3DkXiFsnIHeVSs2V3n/+dc=",
            &format!("{good},{good}"),
            &of(b"{ }"),
        ] {
            assert!(!matches(header, body), "{header}");
        }
    }
}
