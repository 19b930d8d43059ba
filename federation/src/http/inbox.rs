//! `POST /ap/{name}/inbox` and `POST /ap/inbox`.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State},
};
use http::StatusCode;

use super::Problem;
use crate::{
    federation::{Federation, FederationError},
    inbox::receive,
    protocol::tolerant::BODY_BYTES_MAX,
    signature::verify,
};

/// How long a sender may take over its body.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The inbox of one actor.
pub(super) async fn receive(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    match federation.local(&name).await {
        Ok(_) => take(&federation, request).await,
        Err(FederationError::NoSuchActor(_)) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

/// The inbox of all actors here.
pub(super) async fn receive_shared(
    State(federation): State<Federation>,
    request: Request,
) -> Result<StatusCode, Problem> {
    take(&federation, request).await
}

async fn take(federation: &Federation, request: Request) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let request = verify::Request {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body: &body,
    };
    receive::receive(federation, request).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is longer than 256 KiB, or broke off",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body was too slow",
        )),
    }
}
