//! The routes. All of them stand here; each file below holds one.

mod actor;
mod collections;
mod inbox;
mod nodeinfo;
mod objects;
mod problem;
mod webfinger;

use axum::{
    Router,
    routing::{get, post},
};

pub use self::problem::Problem;
use crate::federation::Federation;

/// Every route of the engine.
pub(crate) fn router(federation: Federation) -> Router {
    Router::new()
        .route("/.well-known/webfinger", get(webfinger::show))
        .route("/.well-known/nodeinfo", get(nodeinfo::links))
        .route("/nodeinfo/2.1", get(nodeinfo::show))
        .route("/ap/inbox", post(inbox::receive_shared))
        .route("/ap/{name}", get(actor::show))
        .route("/ap/{name}/inbox", post(inbox::receive))
        .route("/ap/{name}/outbox", get(collections::outbox))
        .route("/ap/{name}/followers", get(collections::followers))
        .route("/ap/{name}/following", get(collections::following))
        .route("/ap/{name}/{key}", get(objects::show))
        .with_state(federation)
}
