//! What a replica answers that waits for its lease.
//!
//! It is ready, or a rollout would wait for it for ever. Only where webhooks are configured it is not: then a
//! Service must send deliveries to the replica that takes them.

use axum::{Json, Router, routing::get};
use farmops_service::health::Health;
use serde_json::json;
use tokio::sync::watch;

use crate::standby::View;

/// Whether the API server can be asked, and nobody sends here what another replica takes.
pub fn passive_health(view: &watch::Receiver<View>, takes_webhooks: bool) -> Health {
    let asked = view.clone();
    Health::new()
        .check("lease", move || {
            let trouble = asked.borrow().trouble.is_some();
            async move {
                let unknown = || "the API server cannot be asked for the lease".to_owned();
                if trouble { Err(unknown()) } else { Ok(()) }
            }
        })
        .check("standby", move || async move {
            let passive = || "another replica takes the webhooks".to_owned();
            if takes_webhooks {
                Err(passive())
            } else {
                Ok(())
            }
        })
}

/// `/healthz`, `/readyz` and a short `/api/v1/status`.
pub fn passive_router(view: &watch::Receiver<View>, health: Health) -> Router {
    let shown = view.clone();
    let status = get(async move || {
        let standby = shown.borrow().clone();
        Json(json!({ "standby": standby, "version": env!("CARGO_PKG_VERSION") }))
    });
    Router::new()
        .route("/api/v1/status", status)
        .merge(health.router())
}
