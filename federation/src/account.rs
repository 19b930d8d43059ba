//! Account names, `@alice@orchard.example`: the one grammar, used for what people type, for
//! `acct:` resources and for JRD subjects.
//!
//! A host name read from a stranger is where request forgery starts, so the grammar is small:
//! no path, query, fragment, user info or IP literal; a port only under the development flag.

use std::fmt;

use farmops_protocol::field::FieldError;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The longest account name accepted, in bytes, including both `@`.
pub const ACCOUNT_BYTES_MAX: usize = 320;
const NAME_BYTES_MAX: usize = 64;

/// A normalised `name@host`: the name in lower case, the host in ASCII (IDNA), without a trailing
/// dot, with a port only in development.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    name: String,
    host: String,
}

impl Account {
    /// Parses `@alice@host`, `alice@host` or `acct:alice@host`.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, FieldError> {
        let refuse = |reason: &str| FieldError::new("handle", reason);
        if text.len() > ACCOUNT_BYTES_MAX {
            return Err(refuse("is longer than 320 bytes"));
        }
        let text = text.strip_prefix("acct:").unwrap_or(text);
        let text = text.strip_prefix('@').unwrap_or(text);
        let (name, host) = text
            .split_once('@')
            .ok_or_else(|| refuse("must look like @name@host"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
            return Err(refuse(
                "has a name with characters other than a-z, 0-9, _, - and .",
            ));
        }
        Ok(Self {
            name: name.to_ascii_lowercase(),
            host: normalise_host(host, reach).map_err(refuse)?,
        })
    }

    /// The account of a server's own actor, `host@host`; the name's port, if any, after a dash.
    pub(crate) fn of_server(authority: &str) -> Self {
        Self {
            name: authority.replace(':', "-"),
            host: authority.to_owned(),
        }
    }

    /// The part before the `@`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part after the `@`: a host name, in development perhaps with a port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `acct:alice@host`, the form WebFinger asks for.
    pub fn to_acct(&self) -> String {
        format!("acct:{}@{}", self.name, self.host)
    }

    /// `@alice@host`, the form people read.
    pub fn to_handle(&self) -> String {
        format!("@{}@{}", self.name, self.host)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.host)
    }
}

/// Which peers may be talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reach {
    /// Public servers only: `https`, no port, a domain name.
    #[default]
    Public,
    /// Development: also `http`, ports and names that resolve to the loopback interface.
    Loopback,
}

/// The authority of `url` as it appears in an account: host, and the port if one is written.
pub fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Brings a host name to its one form, or says what is wrong with it.
pub fn normalise_host(text: &str, reach: Reach) -> Result<String, &'static str> {
    let (name, port) = match text.split_once(':') {
        None => (text, None),
        Some((name, port)) if reach == Reach::Loopback => {
            let port: u16 = port
                .parse()
                .map_err(|_| "has a port that is not a number")?;
            (name, Some(port))
        }
        Some(_) => return Err("must not name a port"),
    };
    if name
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || "/?#@\\%[]".contains(c))
    {
        return Err("has a host with characters that do not belong in a host name");
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let Ok(Host::Domain(domain)) = Host::parse(name) else {
        return Err("must have a domain name as its host");
    };
    let label = |l: &str| !l.is_empty() && l.len() <= 63;
    if domain.len() > 253 || !domain.split('.').all(label) {
        return Err("has a host whose labels are empty or too long");
    }
    if reach == Reach::Public && !domain.contains('.') {
        return Err("must have a full domain name as its host");
    }
    Ok(match port {
        Some(port) => format!("{domain}:{port}"),
        None => domain,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn forms_of_one_account_are_equal() {
        let want = Account::parse("alice@orchard.example", Reach::Public).unwrap();
        for text in [
            "@alice@orchard.example",
            "acct:alice@orchard.example",
            "Alice@ORCHARD.example",
            "@alice@orchard.example.",
        ] {
            assert_eq!(Account::parse(text, Reach::Public).unwrap(), want, "{text}");
        }
        assert_eq!(want.to_handle(), "@alice@orchard.example");
        assert_eq!(want.to_acct(), "acct:alice@orchard.example");
    }

    /// Advisory 13 (CVE-2023-42451): the host has one form.
    #[test]
    fn international_hosts_become_ascii() {
        let account = Account::parse("alice@bücher.example", Reach::Public).unwrap();
        assert_eq!(account.host(), "xn--bcher-kva.example");
    }

    /// Advisories 13 and 16 (CVE-2025-25194): nothing but a host may follow the `@`.
    #[test]
    fn hostile_hosts_are_refused() {
        for text in [
            "alice@orchard.example:1234",
            "alice@orchard.example/x",
            "alice@orchard.example?y",
            "alice@orchard.example#z",
            "alice@user@orchard.example",
            "alice@127.0.0.1",
            "alice@[::1]",
            "alice@0x7f000001",
            "alice@2130706433",
            "alice@localhost",
            "alice@orchard..example",
            "alice@orchard.example..",
            "alice@orchard.example\\x",
            "alice@orchard%2eexample",
            "alice@ orchard.example",
            "alice@",
            "@orchard.example",
            "al/ice@orchard.example",
            "alice",
            "",
        ] {
            assert!(Account::parse(text, Reach::Public).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        /// What is accepted is in its one form: reading it again changes nothing.
        #[test]
        fn an_account_is_its_own_normal_form(text in "[@a-zA-Z0-9._:/ü-]{0,40}") {
            for reach in [Reach::Public, Reach::Loopback] {
                if let Ok(account) = Account::parse(&text, reach) {
                    let again = Account::parse(&account.to_handle(), reach);
                    proptest::prop_assert_eq!(again.as_ref(), Ok(&account));
                }
            }
        }
    }

    #[test]
    fn ports_are_for_development() {
        let account = Account::parse("alice@orchard.localhost:8080", Reach::Loopback).unwrap();
        assert_eq!(account.host(), "orchard.localhost:8080");
        assert!(Account::parse("alice@orchard.localhost:80x", Reach::Loopback).is_err());
        assert!(Account::parse("alice@127.0.0.1:80", Reach::Loopback).is_err());
    }
}
