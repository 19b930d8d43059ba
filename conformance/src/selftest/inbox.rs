//! The inbox of the self-test's servers: the order of the specification, with holes where a fault wants them.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    canonical,
    field::FieldError,
    snapshot::{SnapshotDocument, is_snapshot},
};
use serde_json::{Value, json};
use url::Url;

use super::{
    BLOCKED_HOST, Fault, membership,
    server::{Server, typed},
};
use crate::{
    http::ACTIVITY_JSON,
    probe::Probe,
    session::now,
    sign::{Draft, Forgery, Received, authority, key_id, verify},
};

const BODY_BYTES_MAX: usize = 262_144;
const ENTRIES_MAX: usize = 256;

type Refused = Box<Response>;

#[expect(
    clippy::unnecessary_box_returns,
    reason = "an answer is large, and stands in a `Result`"
)]
fn refuse(status: StatusCode) -> Refused {
    Box::new(status.into_response())
}

pub(super) async fn receive(
    State(server): State<Server>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&server, uri, headers, body).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(response) => *response,
    }
}

async fn take(server: &Server, uri: Uri, headers: HeaderMap, body: Body) -> Result<(), Refused> {
    let cap = if server.has(Fault::NoBodyCap) {
        usize::MAX
    } else {
        BODY_BYTES_MAX
    };
    let body = axum::body::to_bytes(body, cap)
        .await
        .map_err(|_| refuse(StatusCode::PAYLOAD_TOO_LARGE))?;
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|t| t.to_str().ok())
        .unwrap_or_default();
    if media_type != ACTIVITY_JSON && !server.has(Fault::TakesAnyMediaType) {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let request = Received {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    };
    let unsigned = request.headers.get("signature").is_none();
    if unsigned && server.has(Fault::RefusesYetHeeds) {
        heed_anyway(server, &request.body).await;
    }
    if unsigned && !server.has(Fault::Overlooks(Forgery::Unsigned)) {
        return Err(refuse(StatusCode::UNAUTHORIZED));
    }
    let activity = parse(server, &request.body).ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
    if !activity["actor"].is_string() && server.has(Fault::TripsOverTypes) {
        return Err(refuse(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let text = |name: &str| activity[name].as_str().unwrap_or_default().to_owned();
    let (id, actor, kind) = (text("id"), text("actor"), text("type"));
    let origin = |url: &str| Url::parse(url).map(|u| u.origin()).ok();
    if origin(&id).is_none_or(|o| Some(o) != origin(&actor)) && !server.has(Fault::TakesForeignIds)
    {
        return Err(refuse(StatusCode::BAD_REQUEST));
    }
    let host = Url::parse(&actor).ok();
    let is_blocked = host.is_some_and(|url| url.host_str() == Some(BLOCKED_HOST));
    if is_blocked && !server.has(Fault::HeedsTheBlocked) {
        return Err(refuse(StatusCode::FORBIDDEN));
    }
    if kind == "Delete" && !server.has(Fault::FetchesTheGone) {
        return Ok(());
    }
    if server.memory().arrived.contains(&id) && !server.has(Fault::ForgetsActivities) {
        return Ok(());
    }
    let sender = fetch(server, &actor)
        .await
        .ok_or_else(|| refuse(StatusCode::UNAUTHORIZED))?;
    if !unsigned {
        authenticate(server, &request, &sender).await?;
    }
    let object = &activity["object"];
    if is_snapshot(object) && server.has(Fault::RefusesYetShows) {
        let coins = object["farm:totalCoins"].clone();
        server.memory().shown.push(coins);
    }
    if kind == "Create" && is_snapshot(object) {
        check_snapshot(server, object, &sender)?;
    }
    server.memory().arrived.insert(id);
    if kind == "Create" && is_snapshot(object) {
        membership::take_snapshot(server, &actor, object);
    }
    if is_snapshot(object) && server.has(Fault::ShowsStrangers) {
        server
            .memory()
            .shown
            .push(object["farm:totalCoins"].clone());
    }
    if kind == "Follow" || (server.has(Fault::AllAreFollows) && kind != "Undo") {
        answer(server, &activity, &sender).await;
    }
    Ok(())
}

/// Answers a Follow that is about to be refused.
async fn heed_anyway(server: &Server, body: &[u8]) {
    let Some(activity) = parse(server, body) else {
        return;
    };
    let actor = activity["actor"].as_str().unwrap_or_default();
    if let Some(sender) = fetch(server, actor).await {
        answer(server, &activity, &sender).await;
    }
}

fn parse(server: &Server, body: &[u8]) -> Option<Value> {
    let value = if server.has(Fault::ParsesLaxly) {
        serde_json::from_slice(body).ok()
    } else {
        let value = canonical::parse_foreign(body, 32).ok();
        value.filter(|value| is_short(value) || server.has(Fault::TakesLongLists))
    };
    value.filter(Value::is_object)
}

/// Whether no list or object has more than 256 entries.
fn is_short(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() <= ENTRIES_MAX && items.iter().all(is_short),
        Value::Object(members) => members.len() <= ENTRIES_MAX && members.values().all(is_short),
        _ => true,
    }
}

pub(super) async fn fetch(server: &Server, actor: &str) -> Option<Value> {
    let answer = server
        .client
        .get(&actor.parse().ok()?, ACTIVITY_JSON)
        .await
        .ok()?;
    let (any_type, any_size) = (
        server.has(Fault::FetchesAnyMediaType),
        server.has(Fault::FetchesWithoutBound),
    );
    let is_document = answer.status == 200
        && (answer.media_type == ACTIVITY_JSON || any_type)
        && (answer.body.len() <= BODY_BYTES_MAX || any_size);
    let document = is_document.then(|| answer.json())?;
    (document["id"] == actor || server.has(Fault::FetchesOtherIds)).then_some(document)
}

/// The key must be the sender's own and have signed this request.
async fn authenticate(server: &Server, request: &Received, sender: &Value) -> Result<(), Refused> {
    let unauthorized = || refuse(StatusCode::UNAUTHORIZED);
    let overlooked = match server.fault {
        Some(Fault::Overlooks(forgery)) => Some(forgery),
        _ => None,
    };
    let key_id = key_id(request).ok_or_else(unauthorized)?;
    let owner = if overlooked == Some(Forgery::ForeignKey) {
        let actor = key_id.split('#').next().unwrap_or_default();
        fetch(server, actor).await.ok_or_else(unauthorized)?
    } else {
        sender.clone()
    };
    let key = &owner["publicKey"];
    if key["id"] != key_id {
        return Err(unauthorized());
    }
    let pem = key["publicKeyPem"].as_str().unwrap_or_default();
    verify(
        request,
        &authority(&server.base),
        pem,
        now().second(),
        overlooked,
    )
    .map_err(|_| unauthorized())
}

fn check_snapshot(server: &Server, object: &Value, author: &Value) -> Result<(), Refused> {
    if server.has(Fault::TakesAnySnapshot) {
        return Ok(());
    }
    let mut object = object.clone();
    if server.has(Fault::TakesLongerContext) {
        object["@context"] = object["proof"]["@context"].clone();
    }
    let refused = |error: FieldError| {
        let problem = json!({ "title": "Refused", "field": error.within("object").field });
        Box::new(typed(
            StatusCode::UNPROCESSABLE_ENTITY,
            "application/problem+json",
            &problem,
        ))
    };
    let key = author["assertionMethod"][0]["publicKeyMultibase"]
        .as_str()
        .unwrap_or_default();
    let key = key
        .parse()
        .map_err(|_| refused(FieldError::new("proof", "the author has no key")))?;
    SnapshotDocument::from_value(object)
        .and_then(|d| d.verify(&key))
        .map(|_| ())
        .map_err(refused)
}

/// Accepts a Follow.
async fn answer(server: &Server, follow: &Value, sender: &Value) {
    if server.has(Fault::NeverAnswers) {
        return;
    }
    let id = server.actor_id("main");
    let accept = json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": format!("{}activities/{}", server.base, uuid::Uuid::new_v4()),
        "type": "Accept",
        "actor": id,
        "object": follow,
    });
    let Some(inbox) = sender["inbox"].as_str() else {
        return;
    };
    deliver(server, inbox, &accept).await;
}

/// Sends an activity of the main actor.
pub(super) async fn deliver(server: &Server, inbox: &str, activity: &Value) {
    let Ok(url) = Url::parse(inbox) else {
        return;
    };
    let body = activity.to_string().into_bytes();
    let other = server.has(Fault::AnswersByOtherKey);
    let draft = Draft {
        url: &url,
        body: &body,
        key_id: &format!("{}#main-key", server.actor_id("main")),
        key: if other {
            &Probe::keys().other
        } else {
            Server::rsa_key()
        },
        now: now().second(),
        forgery: None,
    };
    // Nobody waits for us: if the letter is lost, the check that misses it says so.
    let _ = server
        .client
        .post(&url, draft.headers(), body.clone())
        .await;
}
