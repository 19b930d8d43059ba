//! `GET /ap/{kind}/{key}`: an activity from the outbox, or an object the service knows.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde_json::Value;

use super::Problem;
use crate::{
    federation::{Federation, FederationError},
    protocol::context::ACTIVITY_JSON,
};

/// An activity or an object.
pub(super) async fn show(
    State(federation): State<Federation>,
    Path((kind, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id = federation.object_id(&kind, &key);
    if kind == "activities" {
        return match federation.store().post(&id).await? {
            Some(post) if post.listed => Ok(typed(post.body)),
            _ => Err(Problem::not_found()),
        };
    }
    match federation
        .host()
        .object(&id)
        .await
        .map_err(FederationError::Host)?
    {
        Some(object) => Ok(activity_json(&object)),
        None => Err(Problem::not_found()),
    }
}

/// A response of our own media type.
pub(super) fn activity_json(document: &Value) -> Response {
    typed(document.to_string())
}

fn typed(body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(ACTIVITY_JSON),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
