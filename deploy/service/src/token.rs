//! Bearer tokens: 32 random bytes for the holder, their digest for the server.
//!
//! The server stores only the digest. A token has 256 bits of entropy, so a plain SHA-256 is
//! enough: there is no dictionary to try.
//!
//! [`Token`] may do everything its server offers. [`ScopedToken`] has a label, scopes, and maybe an
//! end; [`Granted`] is how a handler states the scope it needs.

mod granted;
mod scope;
mod scoped;
#[cfg(test)]
mod scoped_tests;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::secret_file::{self, SecretFileError};

pub use granted::{Granted, Holder, TokenStore, authenticate};
pub use scope::{NotScopes, Scope, Scopes};
pub use scoped::{Label, NotALabel, NotATokenId, ScopedToken, TokenId};

/// A token as its holder knows it: 43 characters of base64url. Redacted when formatted.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Makes a new token.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0_u8; 32];
        rng.fill_bytes(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Makes a new token and writes it, with a newline, to a file that must not exist yet.
    pub fn generate_file(path: &Path, rng: &mut impl CryptoRng) -> Result<Self, SecretFileError> {
        let token = Self::generate(rng);
        secret_file::write_once(path, format!("{}\n", token.0).as_bytes())?;
        Ok(token)
    }

    /// Writes the token, with a newline, to a file in place of what is there.
    pub fn replace_file(&self, path: &Path) -> Result<(), SecretFileError> {
        secret_file::replace(path, format!("{}\n", self.0).as_bytes())
    }

    /// Reads a token from a file, without the white space around it.
    pub fn read_file(path: &Path) -> Result<Self, SecretFileError> {
        let bytes = secret_file::read(path)?;
        Ok(Self(String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// What to send as `Authorization: Bearer …`.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What to store.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// The text is not 43 characters of base64url.
#[derive(Debug, thiserror::Error)]
#[error("expected 32 random bytes as 43 characters of base64url")]
pub struct NotAToken;

/// A token that its holder made by [`Token::generate`].
impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAToken)?;
        let sound = bytes.len() == 32;
        sound.then(|| Self(text.to_owned())).ok_or(NotAToken)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// The SHA-256 of a token's text; as text, 64 lower-case hexadecimal digits.
#[derive(Clone)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of whatever was presented as a token.
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// Whether this is the hash of `presented`. Takes the same time for every wrong answer.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.ct_eq(&Self::of(presented).0).into()
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({self})")
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not the hash of a token")]
pub struct NotATokenHash;

impl FromStr for TokenHash {
    type Err = NotATokenHash;

    fn from_str(text: &str) -> Result<Self, NotATokenHash> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotATokenHash);
        }
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotATokenHash)?;
        Ok(Self(bytes))
    }
}

/// The token of `Authorization: Bearer <token>`, if there is exactly one such field.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hash_knows_its_token_and_no_other() {
        let mut rng = rand::rng();
        let (token, other) = (Token::generate(&mut rng), Token::generate(&mut rng));
        assert_eq!(token.expose().len(), 43);
        let stored: TokenHash = token.hash().to_string().parse().unwrap();
        assert!(stored.matches(token.expose()));
        assert!(!stored.matches(other.expose()));
        assert!(!stored.matches(""));
        assert!(!format!("{token:?}").contains(token.expose()));
        let read: Token = token.expose().parse().unwrap();
        assert!(stored.matches(read.expose()));
        for wrong in ["", "password", &token.expose()[1..], &"ä".repeat(43)] {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_hash_is_the_sha_256_of_the_text() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of("abc").to_string(), abc);
        assert!(abc.to_uppercase().parse::<TokenHash>().is_err());
        assert!("ba78".parse::<TokenHash>().is_err());
    }

    #[test]
    fn a_token_file_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("owner.token");
        let token = Token::generate_file(&path, &mut rand::rng()).unwrap();
        let read = Token::read_file(&path).unwrap();
        assert_eq!(read.expose(), token.expose());
        let again = Token::generate_file(&path, &mut rand::rng());
        assert!(matches!(again, Err(SecretFileError::Exists { .. })));
        let next = Token::generate(&mut rand::rng());
        next.replace_file(&path).unwrap();
        assert_eq!(Token::read_file(&path).unwrap().expose(), next.expose());
    }

    #[test]
    fn only_one_well_formed_bearer_field_counts() {
        let parse = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, http::HeaderValue::from_static(field));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(parse(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(parse(&["bearer  abc"]).as_deref(), Some("abc"));
        for wrong in [
            &["Basic abc"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a", "Bearer b"],
            &[],
        ] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
