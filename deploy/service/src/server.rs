//! Serving HTTP/1, HTTP/2 and gRPC on one listener, with or without TLS, with every wait bounded,
//! until told to stop.
//!
//! Two parts: [`harden`] wraps a router in what every answer needs (limits, security headers,
//! problems instead of plain text), [`serve`] accepts connections and bounds what happens before a
//! request reaches any router. gRPC services are merged *after* `harden`, because its deadline
//! would cut long streams.

mod connection;
mod first_bytes;
mod linger;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use tower_http::trace::TraceLayer;

use crate::problem::{self, Problem};

pub use connection::{Listener, serve};

/// Bounds of a listener and its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte of a connection, or of a request, to the end of its head.
    pub header_read_timeout: Duration,
    /// From the head of a request to the head of its answer, reading the body included.
    pub request_timeout: Duration,
    /// Largest request body that axum's own extractors take. `StrictJson` and `Bounded` carry
    /// their own caps.
    pub body_bytes_max: usize,
    /// Connections open at the same time; more wait to be accepted.
    pub connections_max: usize,
    /// After the stop signal, how long requests in flight may still take.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            body_bytes_max: 1024 * 1024,
            connections_max: 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Longest path with its query.
const TARGET_BYTES_MAX: usize = 8 * 1024;

/// Set unless the handler has set the field itself.
const DEFAULT_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// Wraps a finished router: fallbacks and rejections become problems, panics 500, slow handlers
/// 503; default security headers; an answer that comes early waits for the rest of the body, within
/// bounds; one debug span per request, without its query.
///
/// Sets both fallbacks, so merge other routers first, and gRPC afterwards. Routes that stream for
/// a long time are safe: the deadline ends at the head of the answer.
pub fn harden(router: Router, limits: &Limits) -> Router {
    let router = router
        .fallback(problem::not_found_fallback)
        .method_not_allowed_fallback(problem::method_not_allowed_fallback)
        .layer(DefaultBodyLimit::max(limits.body_bytes_max));
    let timeout = limits.request_timeout;
    let router = problem::catch_panics(router).layer(middleware::from_fn(
        move |request: Request, next: Next| deadline(timeout, request, next),
    ));
    problem::normalise(router.layer(middleware::from_fn(short_target)))
        .layer(middleware::map_response(default_headers))
        .layer(middleware::from_fn(linger::linger))
        .layer(TraceLayer::new_for_http().make_span_with(
            // The query may carry an invitation code.
            |request: &Request| {
                tracing::debug_span!(
                    "request",
                    method = %request.method(),
                    path = request.uri().path(),
                )
            },
        ))
}

/// Refuses what is longer than any link of ours. The listener's own bound is that of the whole head.
async fn short_target(request: Request, next: Next) -> Response {
    let target = request.uri();
    let length = target.path().len() + target.query().map_or(0, str::len);
    if length > TARGET_BYTES_MAX {
        return Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long")
            .detail(format!(
                "path and query may have at most {TARGET_BYTES_MAX} bytes"
            ))
            .extension("limit", TARGET_BYTES_MAX)
            .into_response();
    }
    next.run(request).await
}

async fn deadline(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable(1)
            .detail("the request took too long")
            .into_response(),
    }
}

async fn default_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in DEFAULT_HEADERS {
        headers.entry(name).or_insert(value);
    }
    response
}

#[cfg(test)]
mod tests;
