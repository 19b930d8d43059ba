//! Answers with an entity tag (RFC 9110 §8.8.3): the digest of the body.

use axum::response::{IntoResponse as _, Response};
use farmops_protocol::digest::sha256;
use farmops_service::problem::Problem;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use serde::Serialize;

/// `body` with its tag, or 304 if the caller has it already.
pub(super) fn tagged(headers: &HeaderMap, media_type: &'static str, body: Vec<u8>) -> Response {
    cached(headers, media_type, body, "no-cache")
}

/// As [`tagged`], of what will never be anything else.
pub(super) fn immutable(headers: &HeaderMap, media_type: &'static str, body: Vec<u8>) -> Response {
    cached(
        headers,
        media_type,
        body,
        "public, max-age=31536000, immutable",
    )
}

fn cached(
    headers: &HeaderMap,
    media_type: &'static str,
    body: Vec<u8>,
    policy: &'static str,
) -> Response {
    let tag = format!("\"{}\"", &sha256(&body).to_string()[..32]);
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|candidate| candidate.trim().trim_start_matches("W/"))
        .any(|candidate| candidate == tag || candidate == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, media_type)], body).into_response()
    };
    // Hexadecimal digits in quotes are a valid field value.
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, value);
    }
    let policy = HeaderValue::from_static(policy);
    response.headers_mut().insert(CACHE_CONTROL, policy);
    response
}

/// As [`tagged`], of a JSON document.
pub(super) fn tagged_json(
    headers: &HeaderMap,
    document: &impl Serialize,
) -> Result<Response, Problem> {
    let body = serde_json::to_vec(document).map_err(|e| Problem::internal(&e))?;
    Ok(tagged(headers, "application/json", body))
}
