//! The tracker's routes.
//!
//! To add a route: 1. a handler in the file of its noun, which describes itself with `utoipa::path`; 2. a
//! line in one of the tables below, or, if it is the owner's, under its scope in `owner`; 3.
//! `cargo run -p farmops-tracker --example openapi`. What stands in `public` is for everyone, so it shows
//! totals and never a proof.

mod agents;
mod coins;
mod etag;
mod farm;
mod federation;
mod idempotency;
mod layout;
mod leagues;
pub(crate) mod ledger;
mod log;
mod maybe;
mod offers;
pub mod openapi;
mod opening;
mod owner;
mod page;
pub(crate) mod proofs;
mod public;
pub mod refused;
mod rules;
mod settings;
mod shop;
mod tokens;
mod villages;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use farmops_service::{
    health::Health,
    rate_limit::RateLimit,
    server::{self, Limits},
};

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::App, config::Config, grpc};

/// How often one client may ask, as it is configured.
pub struct Guard {
    everyone: RateLimit,
    agents: RateLimit,
}

impl Guard {
    /// Limits of which nothing is used yet.
    pub fn new(config: &Config) -> Self {
        let addresses = Arc::new(config.trusted_proxies.clone());
        let limits = config.rate_limits;
        Self {
            everyone: limits.requests_per_minute.limit("requests", &addresses),
            agents: limits.agents_per_minute.limit("agents", &addresses),
        }
    }
}

/// Everything the tracker serves, HTTP and gRPC, on one port.
pub fn router(app: &App, limits: &Limits, guard: &Guard) -> Router {
    let rest = served(public(), app)
        .route("/tile/{*path}", get(log::tile).with_state(app.clone()))
        .merge(owner::routes(app))
        .merge(openapi::routes())
        .merge(page::routes(app.clone()))
        .merge(app.federation.router())
        .route_layer(guard.everyone.layer())
        .merge(served(submission(), app).route_layer(guard.agents.layer()))
        .merge(health(app.clone()).router());
    let stream = Router::new()
        .route_service(
            "/farmops.tracker.v1.Tracker/{method}",
            grpc::service(app.clone()),
        )
        .route_layer(guard.agents.layer());
    let explain = middleware::from_fn_with_state(app.clone(), page::explain);
    // gRPC goes in last: its streams have no deadline and its errors are not documents.
    server::harden(rest, limits).layer(explain).merge(stream)
}

fn served(described: OpenApiRouter<App>, app: &App) -> Router {
    Router::from(described).with_state(app.clone())
}

/// For agents, whose signatures speak.
fn submission() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(agents::enroll))
        .routes(routes!(agents::rotate))
        .routes(routes!(agents::ask_reset))
        .routes(routes!(proofs::submit))
}

/// For villages and passers-by.
fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(public::profile))
        .routes(routes!(public::snapshot))
        .routes(routes!(public::picture))
        .routes(routes!(log::checkpoint))
}

fn health(app: App) -> Health {
    let writer = app.writer.clone();
    Health::new()
        .check("store", move || {
            let app = app.clone();
            async move {
                let farm = app
                    .reads
                    .farm()
                    .await
                    .map_err(|_| "the store does not answer")?;
                farm.map(|_| ())
                    .ok_or_else(|| "the farm is not founded".to_owned())
            }
        })
        .check("writer", move || {
            let gone = writer.is_gone();
            async move {
                let gone = gone.then(|| "the writer is gone".to_owned());
                gone.map_or(Ok(()), Err)
            }
        })
}
