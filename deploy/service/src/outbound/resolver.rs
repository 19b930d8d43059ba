//! The resolver that the connector uses: it looks a name up once and hands on only the addresses
//! that the client may reach.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Reach, address};

/// Asks for the addresses of a name. The seam at which tests play a hostile DNS server.
pub(super) trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`, unfiltered.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Every address of the name is outside the client's reach.
#[derive(Debug, thiserror::Error)]
#[error("{name} resolves to {class} address")]
pub(super) struct AddressRefused {
    /// The name that was looked up.
    pub(super) name: String,
    /// The class of the first refused address.
    pub(super) class: address::Class,
}

/// A [`Lookup`] behind the address filter of a [`Reach`].
pub(super) struct FilteredResolver {
    reach: Reach,
    lookup: Arc<dyn Lookup>,
}

impl FilteredResolver {
    pub(super) fn new(reach: Reach, lookup: impl Lookup) -> Self {
        Self {
            reach,
            lookup: Arc::new(lookup),
        }
    }
}

impl Resolve for FilteredResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let name = name.as_str().to_owned();
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let found = if is_localhost(&name) {
                // RFC 6761, section 6.3: never ask a DNS server about these names.
                vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]
            } else {
                lookup.lookup(name.clone()).await?
            };
            let refused = found.iter().find_map(|ip| address::refusal(reach, *ip));
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|ip| address::refusal(reach, *ip).is_none())
                // Port 0 stands for the port of the URL.
                .map(|ip| SocketAddr::new(ip, 0))
                .collect();
            match (allowed.is_empty(), refused) {
                (true, Some(class)) => Err(AddressRefused { name, class }.into()),
                (true, None) => Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("{name} has no address"),
                )
                .into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// `localhost` and every name under it, with or without the root dot.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}
