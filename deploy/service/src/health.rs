//! `/healthz` (the process answers) and `/readyz` (it can do its work).
//!
//! Readiness is a set of named checks. They run at the same time, each under a deadline, and one
//! that fails makes the whole answer 503, so that a load balancer looks elsewhere.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::{BoxFuture, join_all};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// Longest time a check may take before it counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The readiness checks of a service.
#[derive(Clone)]
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    check_timeout: Duration,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            check_timeout: CHECK_TIMEOUT,
        }
    }
}

impl Health {
    /// No checks: ready as soon as it answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check. Its error is shown to whoever asks: keep addresses and paths out of it.
    #[must_use]
    pub fn check<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks
            .push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// The two routes.
    pub fn router(self) -> Router {
        let readyz = async |State(health): State<Self>| health.readiness().await;
        Router::new()
            .route("/healthz", get(async || Json(json!({"status": "ok"}))))
            .route("/readyz", get(readyz))
            .with_state(self)
    }

    /// Runs the checks; the answer of `/readyz`.
    pub(crate) async fn readiness(&self) -> Response {
        answer(&self.results().await)
    }

    async fn results(&self) -> Vec<(&'static str, Result<(), String>)> {
        join_all(self.checks.iter().map(async |(name, check)| {
            let result = tokio::time::timeout(self.check_timeout, check())
                .await
                .unwrap_or_else(|_| Err("no answer in time".to_owned()));
            (*name, result)
        }))
        .await
    }
}

fn answer(results: &[(&'static str, Result<(), String>)]) -> Response {
    let ready = results.iter().all(|(_, result)| result.is_ok());
    let checks: Map<String, Value> = results
        .iter()
        .map(|(name, result)| {
            let shown = match result {
                Ok(()) => json!({"status": "ok"}),
                Err(reason) => json!({"status": "failed", "reason": reason}),
            };
            ((*name).to_owned(), shown)
        })
        .collect();
    let (status, word) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (status, Json(json!({"status": word, "checks": checks}))).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(health: Health, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = health.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 4096).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn one_failing_check_makes_the_service_not_ready_but_alive() {
        let health = Health::new()
            .check("database", async || Ok(()))
            .check("tracker", async || Err("not connected".to_owned()));
        let (status, body) = ask(health.clone(), "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["checks"]["database"]["status"], "ok");
        assert_eq!(body["checks"]["tracker"]["reason"], "not connected");
        assert_eq!(ask(health, "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn passing_checks_mean_ready() {
        let health = Health::new().check("database", async || Ok(()));
        let (status, body) = ask(health, "/readyz").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["status"], "ready");
    }

    #[tokio::test]
    async fn a_check_that_hangs_counts_as_failed() {
        let mut health = Health::new().check("disk", std::future::pending);
        health.check_timeout = Duration::from_millis(1);
        assert_eq!(
            ask(health, "/readyz").await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
}
