//! NodeInfo: `GET /.well-known/nodeinfo` and `GET /nodeinfo/2.1`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde_json::Value;

use super::Problem;
use crate::{
    federation::{Federation, FederationError},
    protocol::nodeinfo,
};

const MEDIA_TYPE: &str =
    "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.1#\"";

/// Where the document is.
pub(super) async fn links(State(federation): State<Federation>) -> Json<Value> {
    Json(nodeinfo::links(&federation.url("nodeinfo/2.1")))
}

/// The document.
pub(super) async fn show(State(federation): State<Federation>) -> Result<Response, Problem> {
    let usage = federation
        .host()
        .usage()
        .await
        .map_err(FederationError::Host)?;
    let document = nodeinfo::document(&federation.inner.settings.software, &usage);
    let mut response = Json(document).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
}
