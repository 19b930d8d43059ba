//! Blocked hosts, for the village's people.

use axum::{Json, extract::State};
use farmops_service::problem::{Path, Problem, StrictJson};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::Admin, problems};
use crate::{limits::BODY_BYTES_MAX, village::Village};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    host: String,
}

/// `GET /api/v1/federation/blocks`
pub(super) async fn list(_: Admin, State(village): State<Village>) -> Result<Json<Value>, Problem> {
    let blocked = village
        .store()
        .blocked_hosts()
        .await
        .map_err(problems::store)?;
    let items: Vec<Value> = blocked
        .iter()
        .map(|blocked| json!({ "host": blocked.host, "blocked_at": blocked.blocked_at }))
        .collect();
    Ok(Json(json!({ "items": items })))
}

/// `POST /api/v1/federation/blocks {"host": "evil.example"}`
pub(super) async fn block(
    _: Admin,
    State(village): State<Village>,
    StrictJson(wish): StrictJson<Wish, BODY_BYTES_MAX>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let host = village.block(&wish.host).await.map_err(problems::peer)?;
    Ok((StatusCode::CREATED, Json(json!({ "host": host }))))
}

/// `DELETE /api/v1/federation/blocks/{host}`
pub(super) async fn unblock(
    _: Admin,
    State(village): State<Village>,
    Path(host): Path<String>,
) -> Result<StatusCode, Problem> {
    village.unblock(&host).await.map_err(problems::peer)?;
    Ok(StatusCode::NO_CONTENT)
}
