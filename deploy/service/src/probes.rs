//! `/healthz` and `/readyz` on a listener of their own: for whoever probes from outside a service whose
//! other routes stay on loopback, and before the service is up.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::server::{self, Limits};

/// The address for probes cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for probes")]
pub struct ProbesError {
    /// The address asked for.
    address: SocketAddr,
    /// What the system said.
    #[source]
    source: std::io::Error,
}

/// A listener for probes: alive from the start, ready when the service says so.
#[derive(Clone, Default)]
pub struct Probes {
    health: Arc<RwLock<Option<Health>>>,
}

impl Probes {
    /// Answers on `address` until the token is cancelled. Gives the bound address.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn listen(
        &self,
        address: SocketAddr,
        cancel: CancellationToken,
    ) -> Result<SocketAddr, ProbesError> {
        let failed = |source| ProbesError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let router = server::harden(self.clone().router(), &Limits::default());
        tokio::spawn(async move {
            server::serve(listener, router, Limits::default(), cancel).await;
        });
        Ok(bound)
    }

    /// From now on these checks say whether the service is ready.
    pub fn ask(&self, health: Health) {
        let mut asked = self.health.write().unwrap_or_else(PoisonError::into_inner);
        *asked = Some(health);
    }

    fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || Json(json!({"status": "ok"}))))
            .route("/readyz", get(readyz))
            .with_state(self)
    }
}

async fn readyz(State(probes): State<Probes>) -> Response {
    let starting = async || Err("not at work yet".to_owned());
    let health = probes.health.read();
    let health = health.unwrap_or_else(PoisonError::into_inner).clone();
    health
        .unwrap_or_else(|| Health::new().check("start", starting))
        .readiness()
        .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    async fn status(probes: &Probes, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = probes.clone().router().oneshot(request).await;
        response.unwrap().status()
    }

    #[tokio::test]
    async fn a_service_is_alive_before_it_is_ready() {
        let probes = Probes::default();
        assert_eq!(status(&probes, "/healthz").await, StatusCode::OK);
        let unready = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(status(&probes, "/readyz").await, unready);
        probes.ask(Health::new().check("database", async || Ok(())));
        assert_eq!(status(&probes, "/readyz").await, StatusCode::OK);
    }
}
