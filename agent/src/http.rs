//! The agent's own API, on loopback: how it is doing, and a reload of its plugins.

mod passive;
mod plugins;
mod proofs;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use farmops_protocol::time::Timestamp;
use farmops_service::health::Health;
use farmops_service::problem::Problem;
use http::header::{HOST, ORIGIN};
use url::{Host, Url};

pub use self::passive::{passive_health, passive_router};
use crate::config::Limits;
use crate::identity::Identity;
use crate::plugins::Runtime;
use crate::sources::{Desk, SourceHealth};
use crate::status::Status;
use crate::store::Store;

/// What the API shows.
pub struct Shown {
    /// The queue and the outbox.
    pub store: Store,
    /// The plugins.
    pub plugins: Arc<Runtime>,
    /// The sources.
    pub desk: Desk,
    /// Counters and the uplink.
    pub status: Status,
    /// Who the agent is.
    pub identity: Identity,
    /// What it watches.
    pub cluster_alias: String,
    /// Where it delivers to.
    pub tracker_url: Url,
    /// Its bounds.
    pub limits: Limits,
    /// Days for which evidence is kept.
    pub evidence_days_max: i64,
    /// When it started.
    pub started_at: Timestamp,
}

/// What the agent needs to do its work.
pub fn health(shown: &Arc<Shown>) -> Health {
    let (plugins, desk) = (Arc::clone(shown), Arc::clone(shown));
    Health::new()
        .check("plugins", move || {
            let unready = plugins.plugins.unready();
            async move { unready.map_or(Ok(()), Err) }
        })
        .check("sources", move || {
            let health = desk.desk.health();
            let down = health.into_iter().find(|(_, source)| !source.up);
            async move { down.map_or(Ok(()), |(name, source)| Err(unready(&name, &source))) }
        })
}

/// Every route. `local_only` is for a loopback listener, which web pages must not reach; at another one, nobody
/// can be told from anybody, so nothing can be changed there.
pub fn router(shown: Arc<Shown>, local_only: bool) -> Router {
    let health = health(&shown);
    let api = Router::new()
        .route("/api/v1/plugins", get(plugins::list))
        .route("/api/v1/plugins/reload", post(plugins::reload))
        .route(
            "/api/v1/plugins/{owner}/{name}/rollback",
            post(plugins::roll_back),
        )
        .route("/api/v1/status", get(status::show))
        .route("/api/v1/proofs/pending", get(proofs::pending))
        .with_state(shown)
        .merge(health.router());
    if local_only {
        api.layer(middleware::from_fn(refuse_web_pages))
    } else {
        api.layer(middleware::from_fn(refuse_changes))
    }
}

fn unready(name: &str, source: &SourceHealth) -> String {
    match &source.reason {
        // What a cluster's watches lack is the operator's to mend; other reasons may name addresses.
        Some(reason) if !source.watches.is_empty() => format!("{name}: {reason}"),
        _ => format!("{name} is down"),
    }
}

/// A page in the operator's browser may send requests here, by address or by a name that it makes
/// point here. Browsers say so: in `Origin`, or by a `Host` that is not this machine.
async fn refuse_web_pages(request: Request, next: Next) -> Result<Response, Problem> {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let foreign = host.is_some_and(|host| !is_local(host));
    if foreign || headers.contains_key(ORIGIN) {
        return Err(Problem::forbidden("this API is not for web pages"));
    }
    Ok(next.run(request).await)
}

async fn refuse_changes(request: Request, next: Next) -> Result<Response, Problem> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    Err(Problem::forbidden(
        "plugins are changed where `listen` is a loopback address only, since this API asks nobody who they are",
    ))
}

fn is_local(host: &str) -> bool {
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_name_that_somebody_else_controls_is_not_local() {
        for host in [
            "127.0.0.1:9090",
            "[::1]:9090",
            "localhost",
            "alice.localhost:9090",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "a b"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
