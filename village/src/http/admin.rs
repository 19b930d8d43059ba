//! The door of the village's people: a bearer token.

use axum::extract::FromRequestParts;
use farmops_service::{problem::Problem, token};
use http::request::Parts;

use crate::village::Village;

/// A request that carries the admin's token. As an argument before the body it is checked before
/// anything else is read or asked.
pub(crate) struct Admin;

impl FromRequestParts<Village> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, village: &Village) -> Result<Self, Problem> {
        match token::bearer(&parts.headers) {
            Some(presented) if village.is_admin(presented) => Ok(Self),
            _ => Err(Problem::unauthorized()),
        }
    }
}
