//! `GET /ap/{name}`: the document of a local actor, for anyone, unsigned.

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{Problem, objects::activity_json};
use crate::federation::Federation;

/// The document of a local actor.
pub(super) async fn show(
    State(federation): State<Federation>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    match federation.actor_document(&name).await? {
        Some(document) => Ok(activity_json(&document)),
        None => Err(Problem::not_found()),
    }
}
