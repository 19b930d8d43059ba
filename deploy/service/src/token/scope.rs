//! What a token may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Scopes of one token at most.
const SCOPES_MAX: usize = 32;
/// Longest name of a scope.
const BYTES_MAX: usize = 64;

/// A scope that a handler needs. Services declare one type each:
/// `struct Farm; impl Scope for Farm { const NAME: &'static str = "farm"; }`.
pub trait Scope: Send + Sync + 'static {
    /// Its name: lower-case letters, digits, `-`, `_`, `:` and `.`.
    const NAME: &'static str;
}

/// A set of scopes; as text, sorted and separated by spaces (RFC 6749, section 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

/// The text is no set of scopes.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected 1 to {SCOPES_MAX} scopes, separated by spaces, of lower-case letters, digits and -_:."
)]
pub struct NotScopes;

impl Scopes {
    /// Whether this one is among them. There is no hierarchy.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Their names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Scopes {
    type Err = NotScopes;

    fn from_str(text: &str) -> Result<Self, NotScopes> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_:.".contains(&b);
        let name = |name: &str| {
            let sound = (1..=BYTES_MAX).contains(&name.len()) && name.bytes().all(letter);
            sound.then(|| name.to_owned()).ok_or(NotScopes)
        };
        let names: BTreeSet<String> = text.split(' ').map(name).collect::<Result<_, _>>()?;
        if names.len() > SCOPES_MAX {
            return Err(NotScopes);
        }
        Ok(Self(names))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{name}")?;
        }
        Ok(())
    }
}
