//! What every request of the fetch function passes: the URL gate at each hop, the status check,
//! the body cap under one deadline, and a second, signed knock at servers that want one.

use std::sync::OnceLock;

use async_trait::async_trait;
use http::{Extensions, HeaderValue, StatusCode};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::{DEADLINE, Gate, GateError};
use crate::{
    actor::ActorKeys,
    protocol::{context::ACTIVITY_JSON, tolerant::BODY_BYTES_MAX},
    settings::Clock,
    signature::sign,
};

/// The instance actor's key, which it has once the engine is open.
#[derive(Default)]
pub(crate) struct Signer(pub(crate) OnceLock<(String, ActorKeys)>);

pub(super) struct Guard {
    pub(super) gate: Gate,
    pub(super) signer: std::sync::Arc<Signer>,
    pub(super) clock: Clock,
}

/// Why a request or its answer did not pass.
#[derive(Debug, thiserror::Error)]
pub(super) enum GuardError {
    #[error("{0}")]
    Gate(#[from] GateError),
    #[error("it answered with status {0}")]
    Status(StatusCode),
    #[error("its body is longer than 256 KiB")]
    TooLong,
    #[error("it was too slow")]
    Slow,
    #[error("its answer cannot be read")]
    Unreadable,
}

#[async_trait]
impl Middleware for Guard {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        tokio::time::timeout(DEADLINE, self.exchange(request, extensions, next))
            .await
            .map_err(|_| Error::middleware(GuardError::Slow))?
    }
}

impl Guard {
    async fn exchange(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        self.gate
            .check(request.url())
            .map_err(|e| Error::middleware(GuardError::from(e)))?;
        request.headers_mut().insert(
            http::header::ACCEPT,
            HeaderValue::from_static(ACTIVITY_JSON),
        );
        let again = request.try_clone();
        let response = next.clone().run(request, extensions).await?;
        let response = match (response.status(), again) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(again)) => {
                self.knock_again(response, again, extensions, next).await?
            }
            _ => response,
        };
        let status = response.status();
        if status.is_success() {
            return buffered(response).await;
        }
        // The fetch function follows one redirect itself and knows 410; it takes any other
        // status for a document.
        let known = matches!(
            status,
            StatusCode::GONE
                | StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        if known {
            Ok(response)
        } else {
            Err(Error::middleware(GuardError::Status(status)))
        }
    }

    async fn knock_again(
        &self,
        refused: Response,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some((key_id, keys)) = self.signer.0.get() else {
            return Ok(refused);
        };
        let url = request.url().clone();
        let signed = sign::sign("get", &url, None, key_id, keys, (self.clock)())
            .map_err(Error::middleware)?;
        request.headers_mut().extend(signed);
        next.run(request, extensions).await
    }
}

/// The same response with its body read, within the cap.
async fn buffered(mut response: Response) -> Result<Response> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Error::middleware(GuardError::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::builder()
        .status(response.status())
        .url(response.url().clone());
    for (name, value) in response.headers() {
        // A redirect is a status, not a header on a document.
        if name != http::header::LOCATION {
            whole = whole.header(name, value);
        }
    }
    let whole = whole
        .body(body)
        .map_err(|_| Error::middleware(GuardError::Unreadable))?;
    Ok(Response::from(whole))
}
