//! `farmops-agent ready`: asks an agent whether it can do its work. For health checks where there is no shell.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use farmops_service::outbound::{Bounds, Outbound, OutboundError, Reach};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::config::AgentConfig;

const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_secs(10),
    body_bytes_max: 64 * 1024,
};

/// Why an agent does not count as ready.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// It says what it lacks.
    #[error("not ready: {0}")]
    Lacking(String),
    /// Something else answers there.
    #[error("no agent answers at {0}")]
    Stranger(Url),
    /// Nobody answers, or too late.
    #[error(transparent)]
    Exchange(#[from] OutboundError),
}

#[derive(Deserialize)]
struct Answer {
    checks: Map<String, Value>,
}

/// Where the configured agent answers, seen from its own machine.
///
/// # Errors
/// Never for an address that can be listened on.
pub fn own_address(config: &AgentConfig) -> Result<Url, url::ParseError> {
    let mut address: SocketAddr = config.health_listen.unwrap_or(config.listen);
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    Url::parse(&format!("http://{address}/"))
}

/// Asks the agent at `base`.
///
/// # Errors
/// Why it is not ready, as far as it can be told.
pub async fn ask(base: &Url) -> Result<(), Unready> {
    let stranger = || Unready::Stranger(base.clone());
    let url = base.join("readyz").map_err(|_| stranger())?;
    let outbound = Outbound::new(Reach::Operator, crate::USER_AGENT)?;
    let request = outbound.request(http::Method::GET, url);
    let request = request.build().map_err(OutboundError::Request)?;
    let answer = outbound.execute(request, BOUNDS).await?;
    let told: Answer = serde_json::from_slice(&answer.body).map_err(|_| stranger())?;
    if answer.status.is_success() {
        return Ok(());
    }
    let lacking = told.checks.iter().filter_map(|(name, check)| {
        let reason = check.get("reason")?.as_str()?;
        Some(format!("{name}: {reason}"))
    });
    Err(Unready::Lacking(lacking.collect::<Vec<_>>().join("; ")))
}
