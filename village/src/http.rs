//! The HTTP surface. All routes stand in this file; each file below answers one noun's.

mod admin;
mod blocks;
mod caching;
mod farmers;
mod farms;
mod federation;
mod following;
mod invites;
mod leaderboard;
mod leagues;
mod live;
mod lookup;
mod paging;
mod problems;
mod register;

use axum::{
    Router, middleware,
    routing::{delete, get, post},
};
use farmops_service::{health::Health, rate_limit::RateLimit, server};

use crate::{pages, village::Village};

use self::caching::respond_unless_known;
pub(crate) use self::{
    farms::{farm_of, show as farm_picture_at},
    lookup::shown_farmer,
    paging::{After, page_of_board},
    problems::store as failed,
};

/// Everything the village answers, ready to be served.
pub fn router(village: &Village, limits: &server::Limits, limit: &RateLimit) -> Router {
    let health = Health::new().check("database", {
        let village = village.clone();
        move || {
            let village = village.clone();
            async move {
                village
                    .store()
                    .check()
                    .await
                    .map_err(|_| "the database does not answer".to_owned())
            }
        }
    });
    let router = Router::new()
        .merge(api())
        .merge(pages::router())
        .layer(middleware::from_fn(respond_unless_known))
        // The stream must not pass the layer above, which reads bodies to their end.
        .route("/live", get(live::listen))
        .with_state(village.clone())
        .merge(village.federation().router())
        .route_layer(limit.layer())
        .merge(health.router());
    server::harden(router, limits)
}

fn api() -> Router<Village> {
    Router::new()
        .route("/api/v1/leaderboard", get(leaderboard::show))
        .route("/api/v1/leagues", get(leagues::list))
        .route("/api/v1/leagues/{league}", get(leagues::show))
        .route("/api/v1/farmers", get(farmers::list))
        .route("/api/v1/farmers/register", post(register::register))
        .route(
            "/api/v1/farmers/{id}",
            get(farmers::show).delete(register::unregister),
        )
        .route("/api/v1/farmers/{id}/approve", post(register::approve))
        .route("/api/v1/farmers/{id}/history", get(farmers::history))
        .route("/api/v1/farmers/{id}/farm.svg", get(farms::show))
        .route(
            "/api/v1/following",
            get(following::list).post(following::follow),
        )
        .route("/api/v1/following/{id}", delete(following::unfollow))
        .route("/api/v1/invites", post(invites::create))
        .route("/api/v1/federation/info", get(federation::info))
        .route("/api/v1/federation/connect", post(federation::connect))
        .route("/api/v1/federation/peers", get(federation::peers))
        .route(
            "/api/v1/federation/peers/{id}",
            delete(federation::disconnect),
        )
        .route(
            "/api/v1/federation/peers/{id}/accept",
            post(federation::accept),
        )
        .route(
            "/api/v1/federation/peers/{id}/block",
            post(federation::block),
        )
        .route(
            "/api/v1/federation/peers/{id}/unblock",
            post(federation::unblock),
        )
        .route(
            "/api/v1/federation/blocks",
            get(blocks::list).post(blocks::block),
        )
        .route("/api/v1/federation/blocks/{host}", delete(blocks::unblock))
}
