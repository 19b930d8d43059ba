//! Turning the answers that axum and tower make by themselves into problems.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tower_http::catch_panic::CatchPanicLayer;

use super::{KEPT, Problem};

/// Longest plain-text error worth repeating as `detail`.
const DETAIL_BYTES_MAX: usize = 512;

/// Handler for `Router::fallback`.
pub async fn not_found_fallback() -> Problem {
    Problem::not_found("page")
}

/// Handler for `Router::method_not_allowed_fallback`.
pub async fn method_not_allowed_fallback() -> Problem {
    Problem::method_not_allowed()
}

/// Answers a panicking handler with a 500 problem; the panic is logged, not sent.
pub fn catch_panics(router: Router) -> Router {
    router.layer(CatchPanicLayer::custom(
        |panic: Box<dyn std::any::Any + Send>| {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("(no message)");
            tracing::error!(panic = message, "a handler panicked");
            Problem::internal_silent().into_response()
        },
    ))
}

/// Rewrites error answers that carry no document, or a plain-text one, as problems: the
/// rejections of axum's extractors, unmatched routes, body limits, timeouts.
pub fn normalise(router: Router) -> Router {
    router.layer(middleware::from_fn(async |request: Request, next: Next| {
        rewrite(next.run(request).await).await
    }))
}

async fn rewrite(response: Response) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match response.headers().get(CONTENT_TYPE) {
        Some(media_type) if !media_type.as_bytes().starts_with(b"text/plain") => return response,
        _ => {}
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, DETAIL_BYTES_MAX).await.unwrap_or_default();
    let mut problem = Problem::new(status, code(status));
    // What a server error says was meant for the log.
    if status.is_client_error() && !text.is_empty() {
        problem = problem.detail(String::from_utf8_lossy(&text));
    }
    for name in KEPT {
        if let Some(value) = parts.headers.get(&name) {
            problem = problem.header(name, value.clone());
        }
    }
    problem.into_response()
}

fn code(status: StatusCode) -> String {
    let phrase = match status {
        StatusCode::INTERNAL_SERVER_ERROR => "internal",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        StatusCode::UNPROCESSABLE_ENTITY => "unprocessable",
        _ => status.canonical_reason().unwrap_or("error"),
    };
    phrase.to_ascii_lowercase().replace([' ', '\''], "-")
}
