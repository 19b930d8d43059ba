//! The door for agents of the self-test's tracker. It knows no agent at all.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    enrolment::EnrolmentRequest, field::FieldError, limits::PROOF_BYTES_MAX, proof::ParsedProof,
};
use serde_json::json;

use super::{
    Fault,
    server::{Server, typed},
};
use crate::session::now;

fn problem(server: &Server, status: StatusCode, code: &str, error: &FieldError) -> Response {
    if server.has(Fault::PlainRefusals) {
        return (status, error.to_string()).into_response();
    }
    let document = json!({
        "type": format!("urn:farmops:problem:{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "field": error.field,
        "detail": error.reason,
    });
    typed(status, "application/problem+json", &document)
}

pub(super) async fn proof(
    State(server): State<Server>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST && !server.has(Fault::TakesAnyMethod) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let is_json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|t| t == "application/json");
    if !is_json && !server.has(Fault::TakesProofsAsText) {
        let error = FieldError::document("a proof is sent as application/json");
        return problem(
            &server,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            &error,
        );
    }
    if body.is_empty() && server.has(Fault::TripsOverTypes) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if body.len() > PROOF_BYTES_MAX && !server.has(Fault::NoProofCap) {
        let error = FieldError::document("a proof has at most 4096 bytes");
        return problem(&server, StatusCode::PAYLOAD_TOO_LARGE, "too-large", &error);
    }
    let parsed = if server.has(Fault::LaxProofs) {
        serde_json::from_slice::<serde_json::Value>(&body)
            .map(|_| ())
            .map_err(|e| FieldError::document(e.to_string()))
    } else {
        ParsedProof::parse(&body).map(|_| ())
    };
    if let Err(error) = parsed {
        return problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error);
    }
    let error = FieldError::new("agent.agent_id", "nobody enrolled under this id");
    problem(&server, StatusCode::NOT_FOUND, "agent-unknown", &error)
}

pub(super) async fn enrolment(State(server): State<Server>, body: Bytes) -> Response {
    match EnrolmentRequest::verify(&body, now()) {
        Err(error) if !server.has(Fault::LaxEnrolment) => {
            problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error)
        }
        _ => typed(
            StatusCode::OK,
            "application/json",
            &json!({ "status": "pending", "head": null }),
        ),
    }
}
