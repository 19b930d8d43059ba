//! Whose address a request comes from, when proxies stand between.
//!
//! Only what a trusted proxy has written is believed. `Forwarded` (RFC 7239) and `X-Forwarded-For`
//! grow at their end, so they are read from there: each entry was written by whom the one after it
//! names, and reading ends at the first address that is no trusted proxy.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies in a row that are looked behind.
const HOPS_MAX: usize = 16;

/// The setting `trusted_proxies`: the networks whose proxies are believed; none at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientAddresses {
    trusted: Vec<IpNet>,
}

/// The text is neither an address nor a network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither an address nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl ClientAddresses {
    /// Believes proxies in these networks: addresses, or networks such as `10.0.0.0/8`.
    pub fn trusting<T: AsRef<str>>(networks: &[T]) -> Result<Self, NotANetwork> {
        let parse = |text: &T| {
            let text = text.as_ref();
            IpNet::from_str(text)
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| NotANetwork(text.to_owned()))
        };
        let trusted = networks.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { trusted })
    }

    /// The address of the client behind a connection from `peer`.
    ///
    /// Where both fields are there and disagree, one was not written by our proxy, and there is no
    /// telling which: then it is the proxy's own address.
    pub fn of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let forwarded = entries(headers, &FORWARDED).map(|hops| self.behind(peer, hops, for_of));
        let listed =
            entries(headers, &X_FORWARDED_FOR).map(|hops| self.behind(peer, hops, address));
        match (forwarded, listed) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(found), _) | (None, Some(found)) => found,
            (None, None) => peer,
        }
    }

    fn behind(&self, peer: IpAddr, hops: Vec<&str>, read: fn(&str) -> Option<IpAddr>) -> IpAddr {
        let mut nearest = peer;
        for hop in hops.into_iter().rev().take(HOPS_MAX) {
            let Some(address) = read(hop) else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }
}

impl<'de> Deserialize<'de> for ClientAddresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let networks = Vec::<String>::deserialize(deserializer)?;
        Self::trusting(&networks).map_err(de::Error::custom)
    }
}

/// What counts as one client: an IPv4 address, or the /64 that one IPv6 host can use as it likes.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// All entries of a list field, `None` without the field. Commas in quotes do not occur in what we
/// read; an entry that has one does not parse.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let mut fields = headers.get_all(name).iter().peekable();
    fields.peek()?;
    Some(
        fields
            .flat_map(|field| field.to_str().unwrap_or("?").split(','))
            .collect(),
    )
}

/// The address of a `Forwarded` element, `for=192.0.2.1;proto=https`.
fn for_of(element: &str) -> Option<IpAddr> {
    let mut found = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    });
    let (value, None) = (found.next()?, found.next()) else {
        return None;
    };
    address(value)
}

/// An address, maybe quoted, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => text,
    };
    let found = if let Some(rest) = text.strip_prefix('[') {
        rest.split_once(']')?.0.parse().ok()
    } else if text.matches(':').count() == 1 {
        text.split_once(':')?.0.parse().ok()
    } else {
        text.parse().ok()
    };
    found.map(|address: IpAddr| address.to_canonical())
}
