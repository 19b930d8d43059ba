//! The tracker's routes.
//!
//! To add a route: 1. a handler in the file of its noun; 2. a line in one of the tables below. What
//! stands in `owner` needs the owner's token; what stands in `public` is for everyone, so it shows
//! totals and never a proof.

mod agents;
mod coins;
mod etag;
mod farm;
mod federation;
mod idempotency;
mod layout;
pub(crate) mod ledger;
mod log;
mod maybe;
mod opening;
mod owner;
mod page;
pub(crate) mod proofs;
mod public;
pub mod refused;
mod rules;
mod settings;
mod shop;
mod villages;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post, put},
};
use farmops_service::{
    health::Health,
    rate_limit::RateLimit,
    server::{self, Limits},
};

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
    let rest = public(app.clone())
        .merge(owner(app.clone()))
        .merge(page::routes(app.clone()))
        .merge(app.federation.router())
        .route_layer(guard.everyone.layer())
        .merge(submission(app.clone()).route_layer(guard.agents.layer()))
        .merge(health(app.clone()).router());
    let stream = Router::new()
        .route_service(
            "/farmops.tracker.v1.Tracker/{method}",
            grpc::service(app.clone()),
        )
        .route_layer(guard.agents.layer());
    // gRPC goes in last: its streams have no deadline and its errors are not documents.
    server::harden(rest, limits).merge(stream)
}

/// For agents. A proof is submitted without the owner's token (its signature speaks) and listed with
/// it, so `proofs` stands here and asks for the token itself.
fn submission(app: App) -> Router {
    let list = get(proofs::list).route_layer(middleware::from_fn_with_state(
        app.clone(),
        owner::require_token,
    ));
    Router::new()
        .route("/api/v1/agents/enroll", post(agents::enroll))
        .route("/api/v1/agents/{id}/rotate", post(agents::rotate))
        .route("/api/v1/agents/{id}/chain-reset", post(agents::ask_reset))
        .route("/api/v1/proofs", list.post(proofs::submit))
        .with_state(app)
}

/// For villages and passers-by.
fn public(app: App) -> Router {
    Router::new()
        .route("/api/v1/public/profile", get(public::profile))
        .route("/api/v1/public/snapshot", get(public::snapshot))
        .route("/farm.svg", get(public::picture))
        .route("/checkpoint", get(log::checkpoint))
        .route("/tile/{*path}", get(log::tile))
        .with_state(app)
}

/// For the owner's token.
fn owner(app: App) -> Router {
    Router::new()
        .route("/api/v1/proofs/{id}", get(proofs::show))
        .route("/api/v1/ledger", get(ledger::list))
        .route("/api/v1/ledger/{position}/opening", get(opening::open))
        .route("/api/v1/farm", get(farm::show))
        .route("/api/v1/farm/balance", get(farm::balance))
        .route("/api/v1/farm/balance/history", get(coins::history))
        .route("/api/v1/farm/stats", get(farm::stats))
        .route("/api/v1/farm/upgrades", get(farm::upgrades))
        .route("/api/v1/farm/name", put(settings::rename))
        .route(
            "/api/v1/farm/calendar",
            get(settings::calendars).put(settings::calendar),
        )
        .route("/api/v1/farm/layout", get(layout::document))
        .route("/api/v1/farm/layout/changes", post(layout::merge))
        .route("/api/v1/farm/rest-days", get(settings::rest_days))
        .route(
            "/api/v1/farm/rest-days/{date}",
            put(settings::rest).delete(settings::work),
        )
        .route("/api/v1/rules", get(rules::show).put(rules::adopt))
        .route("/api/v1/rules/{digest}", get(rules::by_digest))
        .route("/api/v1/leagues", get(rules::leagues))
        .route(
            "/api/v1/leagues/{league}",
            put(rules::join).delete(rules::leave),
        )
        .route("/api/v1/shop/items", get(shop::items))
        .route("/api/v1/shop/purchase", post(shop::purchase))
        .route("/api/v1/shop/purchases", get(shop::purchases))
        .route("/api/v1/agents", get(agents::list))
        .route("/api/v1/agents/{id}/approve", post(agents::approve))
        .route("/api/v1/agents/{id}/revoke", post(agents::revoke))
        .route("/api/v1/agents/{id}/dismiss", post(agents::dismiss))
        .route("/api/v1/agents/{id}/reset-chain", post(agents::reset_chain))
        .route("/api/v1/villages", get(villages::list).post(villages::join))
        .route("/api/v1/followers", get(federation::followers))
        .route("/api/v1/followers/accept", post(federation::accept))
        .route("/api/v1/followers/reject", post(federation::reject))
        .route(
            "/api/v1/following",
            get(federation::following).post(federation::follow),
        )
        .route("/api/v1/following/remove", post(federation::unfollow))
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            owner::require_token,
        ))
        .with_state(app)
}

fn health(app: App) -> Health {
    Health::new().check("store", move || {
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
}
