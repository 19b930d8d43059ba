//! `ETag` and `If-None-Match` (RFC 9110 §13.1.2) for everything that is read.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use farmops_protocol::digest::sha256;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// The longest answer that gets a tag; ours are far below.
const TAGGED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Tags every successful answer to a GET, and answers 304 to who has it already.
pub(crate) async fn respond_unless_known(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, TAGGED_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = format!("\"{}\"", &sha256(&bytes).to_string()[..32]);
    keep_fresh(&mut parts.headers, &tag);
    if known.is_some_and(|known| names(&known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// A copy may be kept, and must be asked about before each use: a farm that was taken back is
/// gone at once.
fn keep_fresh(headers: &mut HeaderMap, tag: &str) {
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}

fn names(known: &HeaderValue, tag: &str) -> bool {
    let Ok(list) = known.to_str() else {
        return false;
    };
    list.split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
