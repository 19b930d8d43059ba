//! The door for agents of the self-test's tracker: the form of what they send.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    enrolment::EnrolmentRequest, field::FieldError, limits::PROOF_BYTES_MAX, proof::ParsedProof,
};
use serde_json::{Value, json};

use super::{
    Fault, agents,
    server::{Server, typed},
};
use crate::session::now;

pub(super) fn problem(
    server: &Server,
    status: StatusCode,
    code: &str,
    error: &FieldError,
) -> Response {
    problem_with(server, status, code, error, json!({}))
}

/// A problem with further members.
pub(super) fn problem_with(
    server: &Server,
    status: StatusCode,
    code: &str,
    error: &FieldError,
    further: Value,
) -> Response {
    if server.has(Fault::PlainRefusals) {
        return (status, error.to_string()).into_response();
    }
    let mut document = json!({
        "type": format!("urn:farmops:problem:{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "field": error.field,
        "detail": error.reason,
    });
    if let (Some(document), Value::Object(further)) = (document.as_object_mut(), further) {
        document.extend(further);
    }
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
        serde_json::from_slice::<Value>(&body)
            .map(|_| None)
            .map_err(|e| FieldError::document(e.to_string()))
    } else {
        ParsedProof::parse(&body).map(Some)
    };
    let known = match parsed {
        Ok(parsed) => parsed.and_then(|proof| agents::submit(&server, &proof)),
        Err(error) => {
            return problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error);
        }
    };
    if let Some(answer) = known {
        return answer;
    }
    let error = FieldError::new("agent.agent_id", "nobody enrolled under this id");
    problem(&server, StatusCode::NOT_FOUND, "agent-unknown", &error)
}

pub(super) async fn enrolment(State(server): State<Server>, body: Bytes) -> Response {
    match EnrolmentRequest::verify(&body, now()) {
        Err(error) if !server.has(Fault::LaxEnrolment) => {
            problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error)
        }
        Ok(request) => agents::enrol(&server, &request),
        Err(_) => typed(
            StatusCode::OK,
            "application/json",
            &json!({ "status": "pending", "head": null }),
        ),
    }
}
