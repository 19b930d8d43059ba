//! Registration at the self-test's village. Everybody is taken in, and followed.

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    departure::DepartureRequest, field::FieldError, registration::RegistrationRequest,
};
use serde_json::{Value, json};

use super::{
    Fault,
    inbox::{deliver, fetch},
    server::{Member, Server, typed},
};
use crate::session::now;

fn refused(error: &FieldError) -> Response {
    let problem =
        json!({ "title": "Refused", "status": 422, "field": error.field, "detail": error.reason });
    typed(
        StatusCode::UNPROCESSABLE_ENTITY,
        "application/problem+json",
        &problem,
    )
}

pub(super) async fn register(State(server): State<Server>, body: Bytes) -> Response {
    let village = server.base.origin().ascii_serialization();
    let request = match RegistrationRequest::verify(&body, &village, now()) {
        Ok(request) => request,
        Err(_) if server.has(Fault::LaxRegistration) => return StatusCode::CREATED.into_response(),
        Err(error) => return refused(&error),
    };
    let Some(actor) = fetch(&server, &request.actor).await else {
        return refused(&FieldError::new("actor", "is not there"));
    };
    let shown = &actor["assertionMethod"][0]["publicKeyMultibase"];
    if *shown != request.farmer_key.to_string() && !server.has(Fault::TakesAnyFarmerKey) {
        return refused(&FieldError::new(
            "farmer_key",
            "is not the key that the actor shows",
        ));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let member = Member {
        id: id.clone(),
        actor: request.actor.clone(),
        newest: None,
    };
    server.memory().members.push(member);
    if !server.has(Fault::NeverFollows) {
        follow(&server, &actor).await;
    }
    let host = crate::sign::authority(&server.base);
    let answer = json!({
        "account": format!("{}@{host}", request.handle),
        "status": "active",
        "village": server.actor_id("main"),
    });
    let place = format!("{}api/v1/farmers/{id}", server.base);
    (StatusCode::CREATED, [(LOCATION, place)], answer.to_string()).into_response()
}

async fn follow(server: &Server, actor: &Value) {
    let follow = activity(server, "Follow", &actor["id"]);
    deliver(server, actor["inbox"].as_str().unwrap_or_default(), &follow).await;
}

async fn unfollow(server: &Server, actor: &str) {
    let Some(actor) = fetch(server, actor).await else {
        return;
    };
    let undo = activity(server, "Undo", &activity(server, "Follow", &actor["id"]));
    deliver(server, actor["inbox"].as_str().unwrap_or_default(), &undo).await;
}

fn activity(server: &Server, kind: &str, object: &Value) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": format!("{}activities/{}", server.base, uuid::Uuid::new_v4()),
        "type": kind,
        "actor": server.actor_id("main"),
        "object": object,
    })
}

/// Keeps a member's snapshot, if it is her newest.
pub(super) fn take_snapshot(server: &Server, actor: &str, document: &Value) {
    let sequence = document["farm:sequence"].as_u64().unwrap_or_default();
    let coins = document["farm:totalCoins"].clone();
    let any_order = server.has(Fault::OlderReplacesNewer);
    for member in server
        .memory()
        .members
        .iter_mut()
        .filter(|m| m.actor == actor)
    {
        let is_newer = member
            .newest
            .as_ref()
            .is_none_or(|(newest, _)| sequence > *newest);
        if is_newer || any_order {
            member.newest = Some((sequence, coins.clone()));
        }
    }
}

pub(super) async fn leave(
    State(server): State<Server>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let village = server.base.origin().ascii_serialization();
    match DepartureRequest::verify(&body, &village, now()) {
        Err(error) => refused(&error),
        Ok(request) => {
            let keeps = server.has(Fault::KeepsTheDeparted);
            let stays = |m: &Member| keeps || m.id != id || m.actor != request.actor;
            server.memory().members.retain(stays);
            if !server.has(Fault::KeepsFollowing) {
                unfollow(&server, &request.actor).await;
            }
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
