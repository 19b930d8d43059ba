//! Refusals as problem details (RFC 9457) with the member that is wrong in `field`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use farmops_protocol::field::FieldError;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{federation::FederationError, store::StoreError};

/// When to come back after "not now", in seconds.
const RETRY_AFTER_S: u32 = 10;

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<String>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// A refusal with this status and explanation.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            field: None,
            retry_after_s: None,
        }
    }

    /// There is nothing here.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this address")
    }

    /// A document breaks a rule.
    pub fn field(error: FieldError) -> Self {
        Self {
            field: Some(error.field),
            ..Self::new(StatusCode::BAD_REQUEST, error.reason)
        }
    }

    /// The same refusal under another status.
    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Not now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        Self {
            retry_after_s: Some(RETRY_AFTER_S),
            ..problem
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
        Self::unavailable("the server cannot reach its memory just now")
    }
}

impl From<FederationError> for Problem {
    fn from(error: FederationError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
        Self::unavailable("the server cannot answer just now")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(field) = self.field {
            body["field"] = json!(field);
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
