//! Outbound HTTP: the one place that builds a client.
//!
//! A URL that came from somebody else must never reach the operator's own network. Three rules
//! make that hold whatever the peer's DNS answers:
//!
//! 1. the resolver itself filters addresses and the connector only ever sees the survivors, so
//!    there is no second look-up to rebind;
//! 2. a URL that names an address literally never meets the resolver, so [`Outbound::check_url`]
//!    looks at it, and [`Outbound::execute`] always calls it;
//! 3. redirects are answers, not instructions: the caller decides about `Location`, and the new
//!    URL passes the same gate.
//!
//! Time and size are bounded by [`Bounds`]: one deadline over the whole exchange, so a peer that
//! sends a byte a second cannot hold a worker, and a body cap enforced while reading.

pub mod address;
mod bounded;
mod cause;
mod resolver;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use url::{Host, Url};

use crate::tls::ClientIdentity;

pub use bounded::{BoundedResponse, Bounds};
pub use reqwest;
use resolver::{FilteredResolver, Lookup, SystemLookup};

/// Which addresses a client may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only globally reachable unicast addresses, over https: for URLs that peers gave us.
    PublicOnly,
    /// As `PublicOnly` plus loopback, and http is allowed. `localhost` and every name under it
    /// resolve to 127.0.0.1 here, without asking DNS. A development flag.
    Loopback,
    /// Any address, http or https: for URLs that the operator configured. Names under
    /// `localhost` resolve to 127.0.0.1 as well.
    Operator,
}

/// Why an outbound request got no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The URL or the address behind it is outside this client's [`Reach`]. Permanent.
    #[error("refused to connect to {target}: {reason}")]
    Refused {
        /// The host, or the whole URL without its credentials.
        target: String,
        /// The rule that was broken.
        reason: String,
    },
    /// The exchange did not finish before its deadline.
    #[error("no complete answer within {0:?}")]
    Deadline(Duration),
    /// The body is, or announced to be, longer than the cap.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The cap in bytes.
        limit: usize,
    },
    /// Connecting, sending or receiving failed.
    #[error("the exchange failed: {}", cause::of(.0))]
    Transport(#[source] reqwest::Error),
    /// The request could not be built.
    #[error("the request is not valid")]
    Request(#[source] reqwest::Error),
    /// The client could not be built.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
    /// The file with additional certificate authorities is unusable.
    #[error("cannot use the certificate authorities in {path}: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl OutboundError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Deadline(_) | Self::Transport(_))
    }
}

/// An HTTP client with a [`Reach`]. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    reach: Reach,
    client: reqwest::Client,
}

impl Outbound {
    /// Makes a client that trusts the system's certificate authorities.
    ///
    /// On a system that has none, plain http still works and https is refused by verification.
    pub fn new(reach: Reach, user_agent: &str) -> Result<Self, OutboundError> {
        Self::build(reach, user_agent, &[], None, SystemLookup)
    }

    /// As [`Outbound::new`], trusting the PEM certificates in `ca_file` as well.
    pub fn with_ca_file(
        reach: Reach,
        user_agent: &str,
        ca_file: &Path,
    ) -> Result<Self, OutboundError> {
        let roots = certificates(ca_file)?;
        Self::build(reach, user_agent, &roots, None, SystemLookup)
    }

    /// As [`Outbound::with_ca_file`] (if there is one), showing a certificate to servers that ask.
    pub fn with_identity(
        reach: Reach,
        user_agent: &str,
        ca_file: Option<&Path>,
        identity: &ClientIdentity,
    ) -> Result<Self, OutboundError> {
        let roots = ca_file.map(certificates).transpose()?.unwrap_or_default();
        let identity =
            reqwest::Identity::from_pem(&identity.bundle()).map_err(OutboundError::Client)?;
        Self::build(reach, user_agent, &roots, Some(&identity), SystemLookup)
    }

    fn build(
        reach: Reach,
        user_agent: &str,
        extra_roots: &[reqwest::Certificate],
        identity: Option<&reqwest::Identity>,
        lookup: impl Lookup,
    ) -> Result<Self, OutboundError> {
        crate::tls::init();
        let resolver = Arc::new(FilteredResolver::new(reach, lookup));
        let builder = || {
            let builder = reqwest::Client::builder();
            let builder = match identity.cloned() {
                Some(identity) => builder.identity(identity),
                None => builder,
            };
            builder
                .user_agent(user_agent)
                .redirect(redirect::Policy::none())
                // A proxy from the environment would resolve names for us, past our filter.
                .no_proxy()
                .https_only(reach == Reach::PublicOnly)
                .referer(false)
                .connect_timeout(Duration::from_secs(5))
                // Also bounds users of `client()`, which bypass `Bounds`.
                .read_timeout(Duration::from_mins(1))
                .pool_idle_timeout(Duration::from_secs(30))
                .dns_resolver(Arc::clone(&resolver))
        };
        let client = builder()
            .tls_certs_merge(extra_roots.iter().cloned())
            .build()
            .or_else(|error| {
                // The platform verifier refuses to exist on a system without a CA bundle, even
                // for plain http. Trusting only the extra roots (maybe none) is strictly tighter.
                tracing::warn!(
                    error = cause::of(&error),
                    "no system certificate authorities: https trusts only the extra CA file"
                );
                builder()
                    .tls_certs_only(extra_roots.iter().cloned())
                    .build()
            })
            .map_err(OutboundError::Client)?;
        Ok(Self { reach, client })
    }

    /// The reach this client was made with.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The client itself, for libraries that want one.
    ///
    /// Its resolver filters like everything here, but an address literal in a URL does not pass
    /// the resolver: call [`Outbound::check_url`] on every URL first.
    pub fn client(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Starts a request. Finish it with `build()` and hand it to [`Outbound::execute`].
    pub fn request(&self, method: http::Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Refuses URLs outside this client's reach: scheme, credentials, address literals.
    pub fn check_url(&self, url: &Url) -> Result<(), OutboundError> {
        let refuse = |reason: &str| {
            let mut shown = url.clone();
            // Failing to strip means that the URL cannot carry credentials at all.
            let _ = shown.set_username("");
            let _ = shown.set_password(None);
            shown.set_query(None);
            shown.set_fragment(None);
            Err(OutboundError::Refused {
                target: shown.to_string(),
                reason: reason.to_owned(),
            })
        };
        match url.scheme() {
            "https" => {}
            "http" if self.reach != Reach::PublicOnly => {}
            "http" => return refuse("only https is allowed"),
            _ => return refuse("not an http or https URL"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("credentials in the URL");
        }
        let literal = match url.host() {
            None => return refuse("no host"),
            Some(Host::Domain(name)) if self.reach == Reach::PublicOnly => {
                if resolver::is_localhost(name) {
                    return refuse("a loopback name");
                }
                return Ok(());
            }
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
        };
        match address::refusal(self.reach, literal) {
            None => Ok(()),
            Some(class) => refuse(&format!("{class} address")),
        }
    }

    /// Sends a request and reads the whole answer within the bounds. Any status is an answer;
    /// a redirect is returned, never followed.
    pub async fn execute(
        &self,
        request: reqwest::Request,
        bounds: Bounds,
    ) -> Result<BoundedResponse, OutboundError> {
        self.check_url(request.url())?;
        bounded::exchange(&self.client, request, bounds).await
    }

    /// GETs a URL; see [`Outbound::execute`].
    pub async fn get(&self, url: Url, bounds: Bounds) -> Result<BoundedResponse, OutboundError> {
        let request = reqwest::Request::new(http::Method::GET, url);
        self.execute(request, bounds).await
    }

    /// POSTs a body; see [`Outbound::execute`].
    pub async fn post(
        &self,
        url: Url,
        content_type: http::HeaderValue,
        body: impl Into<reqwest::Body>,
        bounds: Bounds,
    ) -> Result<BoundedResponse, OutboundError> {
        let mut request = reqwest::Request::new(http::Method::POST, url);
        request
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, content_type);
        *request.body_mut() = Some(body.into());
        self.execute(request, bounds).await
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, OutboundError> {
    let unusable = |reason: String| OutboundError::CaFile {
        path: path.to_owned(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let roots =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unusable(cause::of(&error)))?;
    if roots.is_empty() {
        return Err(unusable("it contains no certificate".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
