//! The ports of the demo: readable ones where they are free.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Every port the demo listens on. A folder keeps its ports: actors' names contain them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Village Orchard.
    pub orchard: u16,
    /// Village Harbour.
    pub harbour: u16,
    /// Alice's tracker.
    pub alice_tracker: u16,
    /// Bob's tracker.
    pub bob_tracker: u16,
    /// Alice's agent: its API.
    pub alice_agent: u16,
    /// Bob's agent: its API.
    pub bob_agent: u16,
    /// Alice's agent: where webhooks arrive.
    pub alice_webhooks: u16,
    /// Bob's agent: where webhooks arrive.
    pub bob_webhooks: u16,
    /// Prometheus' Alertmanager.
    pub alertmanager: u16,
}

impl Ports {
    /// The usual ports, each replaced by a free one if somebody listens there already.
    ///
    /// # Errors
    /// When the system has no free port.
    pub fn choose() -> Result<Self> {
        let mut taken = Vec::new();
        Ok(Self {
            orchard: free(8080, &mut taken)?,
            harbour: free(8081, &mut taken)?,
            alice_tracker: free(8443, &mut taken)?,
            bob_tracker: free(8444, &mut taken)?,
            alice_agent: free(9090, &mut taken)?,
            bob_agent: free(9091, &mut taken)?,
            alice_webhooks: free(9190, &mut taken)?,
            bob_webhooks: free(9191, &mut taken)?,
            alertmanager: free(9093, &mut taken)?,
        })
    }

    /// The first of these ports that somebody else listens on.
    #[must_use]
    pub fn busy(&self) -> Option<u16> {
        [
            self.orchard,
            self.harbour,
            self.alice_tracker,
            self.bob_tracker,
            self.alice_agent,
            self.bob_agent,
            self.alice_webhooks,
            self.bob_webhooks,
            self.alertmanager,
        ]
        .into_iter()
        .find(|port| !is_free(*port))
    }
}

/// `wished` if it is free, else another that is; never one of `taken`.
fn free(wished: u16, taken: &mut Vec<u16>) -> Result<u16> {
    let mut port = wished;
    while taken.contains(&port) || !is_free(port) {
        port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("find a free port")?
            .port();
    }
    taken.push(port);
    Ok(port)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_port_in_use_is_replaced_and_none_is_given_twice() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let busy = listener.local_addr().unwrap().port();
        let mut taken = Vec::new();
        let first = free(busy, &mut taken).unwrap();
        let second = free(first, &mut taken).unwrap();
        assert_ne!(first, busy);
        assert_ne!(second, first);
    }
}
