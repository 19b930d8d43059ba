//! Tokens that may do some things, for some time, and can be told apart.
//!
//! `farmops_<id>_<secret>`: the id (16 hexadecimal digits) finds the row and is no secret; the secret
//! is 43 characters of base64url. The whole text is hashed, and the hash is compared in constant time.
//! The prefix lets scanners of repositories recognise a token that was committed by mistake.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::CryptoRng;

use super::scope::Scopes;
use super::{Token, TokenHash};

/// How every scoped token begins.
const PREFIX: &str = "farmops_";
const ID_BYTES: usize = 8;
const SECRET_CHARACTERS: usize = 43;
/// Longest label.
const LABEL_CHARACTERS_MAX: usize = 64;
/// `last_used` is a multiple of this: it says whether a token is still needed, not what its holder does.
const LAST_USED_SECONDS: i64 = 300;

/// What tells tokens apart: 16 lower-case hexadecimal digits. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId([u8; ID_BYTES]);

/// What its owner calls a token: 1 to 64 characters on one line, other than `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(String);

/// A token as the server stores it. All times are seconds since 1970, UTC.
#[derive(Clone, Debug)]
pub struct ScopedToken {
    /// Which one.
    pub id: TokenId,
    /// The hash of its text, the secret included.
    pub hash: TokenHash,
    /// Its name for people.
    pub label: Label,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: i64,
    /// The second from which it is refused; never, without.
    pub expires_at: Option<i64>,
    /// When it was used last, to within five minutes.
    pub last_used: Option<i64>,
}

/// The text is no id of a token.
#[derive(Debug, thiserror::Error)]
#[error("expected the 16 hexadecimal digits of a token's id")]
pub struct NotATokenId;

/// The text is no label.
#[derive(Debug, thiserror::Error)]
#[error("expected 1 to {LABEL_CHARACTERS_MAX} characters on one line, other than `.` and `..`")]
pub struct NotALabel;

impl ScopedToken {
    /// Makes a new token. The text is there once, to be shown; it cannot be had from the record.
    pub fn issue(
        label: Label,
        scopes: Scopes,
        now: i64,
        expires_at: Option<i64>,
        rng: &mut impl CryptoRng,
    ) -> (Token, Self) {
        let mut id = [0; ID_BYTES];
        rng.fill_bytes(&mut id);
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let id = TokenId(id);
        let token = Token(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret)));
        let record = Self {
            id,
            hash: token.hash(),
            label,
            scopes,
            created_at: now,
            expires_at,
            last_used: None,
        };
        (token, record)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// The new `last_used`, if it is another than the stored one.
    pub fn use_to_note(&self, now: i64) -> Option<i64> {
        let at = now - now.rem_euclid(LAST_USED_SECONDS);
        (self.last_used != Some(at)).then_some(at)
    }
}

impl TokenId {
    /// The id in a presented token, if that has the form of one.
    pub(super) fn of_presented(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let sound = secret.len() == SECRET_CHARACTERS && secret.bytes().all(letter);
        if sound { id.parse().ok() } else { None }
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for TokenId {
    type Err = NotATokenId;

    fn from_str(text: &str) -> Result<Self, NotATokenId> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(NotATokenId);
        }
        let mut bytes = [0; ID_BYTES];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotATokenId)?;
        Ok(Self(bytes))
    }
}

impl FromStr for Label {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let text = text.trim();
        let length = text.chars().count();
        let sound =
            (1..=LABEL_CHARACTERS_MAX).contains(&length) && !text.contains(char::is_control);
        // Nobody could name these two in a path.
        let sound = sound && !matches!(text, "." | "..");
        sound.then(|| Self(text.to_owned())).ok_or(NotALabel)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
