//! Error documents: RFC 9457 `application/problem+json`, the same shape from every program.
//!
//! A handler turns its small error enum into a [`Problem`] in one `match`. What went wrong inside
//! is logged where it happened and never sent: [`Problem::internal`] has no room for detail.

mod extract;
mod layer;
mod parts;

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

pub use extract::{Bounded, FormFields, StrictJson};
pub use layer::{catch_panics, method_not_allowed_fallback, normalise, not_found_fallback};
pub use parts::{Path, Query};

/// The media type of an error document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error document. As `Err` of a handler it is the answer.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

/// What a [`Problem`] holds, boxed because it travels in `Result`s.
#[derive(Clone, Debug, Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    title: Cow<'static, str>,
    #[serde(rename = "status")]
    number: u16,
    #[serde(skip)]
    status: StatusCode,
    code: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(flatten)]
    extensions: Map<String, Value>,
    #[serde(skip)]
    headers: HeaderMap,
}

impl Problem {
    /// A problem with a status and a stable machine-readable code in kebab-case, for example
    /// `chain-fork`. The code is also the end of the `type`: `urn:farmops:problem:<code>`.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        Self(Box::new(Document {
            kind: format!("urn:farmops:problem:{code}"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            number: status.as_u16(),
            status,
            code,
            detail: None,
            field: None,
            extensions: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// 400: the request is malformed at `field` (empty for the whole of it).
    pub fn bad_request(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request")
            .field(field)
            .detail(reason)
    }

    /// 401: a bearer token is missing or unknown.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized")
            .detail("a valid bearer token is required")
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: the caller is known and may not do this.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden").detail(reason)
    }

    /// 404: there is no such thing; `what` names it, for example `agent`.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found").detail(format!("no such {what}"))
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
    }

    /// 409: the request does not fit the present state.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict").detail(reason)
    }

    /// 410: it was here and will not come back.
    pub fn gone(what: &str) -> Self {
        Self::new(StatusCode::GONE, "gone").detail(format!("this {what} is gone"))
    }

    /// 413: the body is longer than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large")
            .field(parts::whole())
            .detail(format!("the body may have at most {limit} bytes"))
            .extension("limit", limit)
    }

    /// 415: the body is not of the type named.
    pub fn unsupported_media_type(expected: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
            .field(http::header::CONTENT_TYPE.as_str())
            .detail(format!("the body must be {expected}"))
    }

    /// 422: well-formed, but the value at `field` breaks a rule.
    pub fn unprocessable(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable")
            .field(field)
            .detail(reason)
    }

    /// 429, to be tried again after some seconds.
    pub fn too_many(retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
            .header(RETRY_AFTER, retry_after_seconds.into())
    }

    /// 503, to be tried again after some seconds.
    pub fn unavailable(retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            .header(RETRY_AFTER, retry_after_seconds.into())
    }

    /// 500 without any detail. Logs the cause once, here; nothing of it is sent.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = cause.to_string();
        let mut source = cause.source();
        while let Some(deeper) = source {
            chain.push_str(": ");
            chain.push_str(&deeper.to_string());
            source = deeper.source();
        }
        tracing::error!(error = chain, "a request failed inside");
        Self::internal_silent()
    }

    /// 500 for a fault that has been logged already.
    pub(crate) fn internal_silent() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    }

    /// Replaces the code, and with it the type.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self.0.kind = format!("urn:farmops:problem:{}", self.0.code);
        self
    }

    /// Replaces the title, which is the status's standard phrase until then.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.0.title = title.into();
        self
    }

    /// Explains this occurrence to a person.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Names the offending field, for example `action.category`. Empty removes it.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into()).filter(|field| !field.is_empty());
        self
    }

    /// Adds a member to the document. The members of RFC 9457, `code` and `field` are not
    /// replaced by it.
    #[must_use]
    pub fn extension(mut self, name: &str, value: impl Serialize) -> Self {
        const OWN: [&str; 7] = [
            "type", "title", "status", "detail", "instance", "code", "field",
        ];
        match serde_json::to_value(value) {
            Ok(value) if !OWN.contains(&name) => {
                self.0.extensions.insert(name.to_owned(), value);
            }
            Ok(_) => tracing::error!(name, "a problem extension may not replace a standard one"),
            Err(error) => tracing::error!(name, %error, "a problem extension is not JSON"),
        }
        self
    }

    /// Adds a header field to the answer.
    #[must_use]
    pub fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The status this problem is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What it explains to a person.
    pub fn explanation(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The offending field.
    pub fn place(&self) -> Option<&str> {
        self.0.field.as_deref()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A map of strings, numbers and JSON values always serialises.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers.clone();
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        // For a layer that says the same in another form.
        response.extensions_mut().insert(self);
        response
    }
}

/// Header fields of a replaced answer that still describe the new one.
const KEPT: [http::HeaderName; 3] = [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE];

#[cfg(test)]
mod tests;
