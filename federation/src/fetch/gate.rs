//! Which URLs may be asked at all, before any name is resolved.

use url::{Host, Url};

use crate::account::{Reach, authority};

/// The rule for URLs.
#[derive(Clone, Debug)]
pub struct Gate {
    reach: Reach,
    local_authority: String,
}

/// A URL may not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// Not `https` (or, in development, `http`).
    #[error("the URL's scheme is not allowed")]
    Scheme,
    /// An IP literal, or no host.
    #[error("the URL must have a domain name")]
    Host,
    /// A port, outside development.
    #[error("the URL must not name a port")]
    Port,
    /// A user name or password.
    #[error("the URL must not carry user information")]
    UserInfo,
    /// It is ours.
    #[error("the URL is on this very server")]
    Local,
}

impl Gate {
    /// The rule for a server that is reached at `public_url`.
    pub fn new(public_url: &Url, reach: Reach) -> Self {
        Self {
            reach,
            local_authority: authority(public_url).unwrap_or_default(),
        }
    }

    /// Host, and port if one is written, of this very server.
    pub fn local_authority(&self) -> &str {
        &self.local_authority
    }

    /// Whether this is development.
    pub fn allows_loopback(&self) -> bool {
        self.reach == Reach::Loopback
    }

    /// Whether `url` is on this very server.
    pub fn is_local(&self, url: &Url) -> bool {
        authority(url).is_some_and(|a| a == self.local_authority)
    }

    /// Says why `url` may not be asked, if it may not.
    pub fn check(&self, url: &Url) -> Result<(), GateError> {
        let loopback = self.reach == Reach::Loopback;
        if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
            return Err(GateError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GateError::UserInfo);
        }
        match url.host() {
            Some(Host::Domain(domain))
                if loopback || domain.trim_end_matches('.').contains('.') => {}
            _ => return Err(GateError::Host),
        }
        if url.port().is_some() && !loopback {
            return Err(GateError::Port);
        }
        if self.is_local(url) {
            return Err(GateError::Local);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(url: &str, reach: Reach) -> Result<(), GateError> {
        let gate = Gate::new(&Url::parse("https://orchard.example").unwrap(), reach);
        gate.check(&Url::parse(url).unwrap())
    }

    /// Advisories 16, 17, 18, 19 and 20: no address, port or scheme of the peer's choice. The
    /// table of addresses behind a name is held by the client that the service hands in.
    #[test]
    fn hostile_urls_are_refused() {
        for (url, want) in [
            ("http://harbour.example/x", GateError::Scheme),
            ("ftp://harbour.example/x", GateError::Scheme),
            ("https://harbour.example:8443/x", GateError::Port),
            ("https://u:p@harbour.example/x", GateError::UserInfo),
            ("https://u@harbour.example/x", GateError::UserInfo),
            ("https://127.0.0.1/x", GateError::Host),
            ("https://2130706433/x", GateError::Host),
            ("https://0x7f.1/x", GateError::Host),
            ("https://0.0.0.0/x", GateError::Host),
            ("https://[::1]/x", GateError::Host),
            ("https://[::ffff:169.254.169.254]/x", GateError::Host),
            ("https://localhost/x", GateError::Host),
            ("https://localhost./x", GateError::Host),
            ("https://orchard.example/ap/actor", GateError::Local),
            ("https://ORCHARD.example./ap/actor", GateError::Local),
        ] {
            assert_eq!(check(url, Reach::Public), Err(want), "{url}");
        }
        assert_eq!(check("https://harbour.example/x", Reach::Public), Ok(()));
    }

    #[test]
    fn development_allows_ports_and_http_but_no_addresses() {
        assert_eq!(
            check("http://harbour.localhost:8081/x", Reach::Loopback),
            Ok(())
        );
        assert_eq!(
            check("http://127.0.0.1:8081/x", Reach::Loopback),
            Err(GateError::Host)
        );
        assert_eq!(
            check("file:///etc/passwd", Reach::Loopback),
            Err(GateError::Scheme)
        );
    }
}
