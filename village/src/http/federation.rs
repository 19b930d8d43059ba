//! This village among others.

use axum::{Json, extract::State};
use farmops_federation::{PeerState, RelationState};
use farmops_service::problem::{Path, Problem, StrictJson};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::Admin, problems};
use crate::{
    limits::BODY_BYTES_MAX,
    store::{PeerRecord, VillageId},
    village::{PeerError, VILLAGE, Village},
};

/// `GET /api/v1/federation/info`
pub(super) async fn info(State(village): State<Village>) -> Result<Json<Value>, Problem> {
    let counts = village
        .store()
        .counts(village.now())
        .await
        .map_err(problems::store)?;
    let record = village.record();
    Ok(Json(json!({
        "name": record.name,
        "description": record.description,
        "handle": village.account().map(|account| account.to_handle()),
        "url": village.url(),
        "actor": village.federation().actor_id(VILLAGE),
        "registration": village.registration().as_str(),
        "protocol_version": farmops_protocol::PROTOCOL_VERSION,
        "software": { "name": "farmops-village", "version": env!("CARGO_PKG_VERSION") },
        "members": counts.members,
        "farmers": counts.known,
        "founded_at": record.created_at,
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    url: String,
}

/// `POST /api/v1/federation/connect {"url": "https://orchard.example"}`: 202 while the other
/// side has not agreed, 200 once both did.
pub(super) async fn connect(
    _: Admin,
    State(village): State<Village>,
    StrictJson(wish): StrictJson<Wish, BODY_BYTES_MAX>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let peer = village.connect(&wish.url).await.map_err(problems::peer)?;
    let active = peer.status == PeerState::Active;
    let status = if active {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(entry(&peer))))
}

/// `GET /api/v1/federation/peers`
pub(super) async fn peers(State(village): State<Village>) -> Result<Json<Value>, Problem> {
    let peers = village.store().peers().await.map_err(problems::store)?;
    let items: Vec<Value> = peers.iter().map(entry).collect();
    Ok(Json(json!({ "items": items })))
}

/// `DELETE /api/v1/federation/peers/{id}`
pub(super) async fn disconnect(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    village
        .disconnect(peer_id(&id)?)
        .await
        .map_err(problems::peer)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/federation/peers/{id}/accept`
pub(super) async fn accept(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    answer(village.accept_peer(peer_id(&id)?).await)
}

/// `POST /api/v1/federation/peers/{id}/block`
pub(super) async fn block(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    answer(village.block_peer(peer_id(&id)?).await)
}

/// `POST /api/v1/federation/peers/{id}/unblock`
pub(super) async fn unblock(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    answer(village.unblock_peer(peer_id(&id)?).await)
}

fn peer_id(text: &str) -> Result<VillageId, Problem> {
    text.parse().map_err(|_| Problem::not_found("peer"))
}

fn answer(result: Result<PeerRecord, PeerError>) -> Result<Json<Value>, Problem> {
    result
        .map(|peer| Json(entry(&peer)))
        .map_err(problems::peer)
}

fn entry(peer: &PeerRecord) -> Value {
    json!({
        "id": peer.id.to_string(),
        "name": peer.remote_name,
        "url": peer.remote_url,
        "host": peer.host,
        "actor": peer.actor,
        "status": peer.status.as_str(),
        "we_follow": peer.following.map(RelationState::as_str),
        "they_follow": peer.follower.map(RelationState::as_str),
        "changed_at": peer.changed_at,
        "last_sync_at": peer.last_sync_at,
    })
}
