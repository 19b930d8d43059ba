//! Farmers: the roster, one of them, and how her farm came to be.

use axum::{Json, extract::State};
use farmops_federation::Account;
use farmops_service::{
    problem::{Path, Problem, Query},
    token,
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{lookup::shown_farmer, paging, problems};
use crate::{
    farmer::{Farmer, FarmerId, Following, Membership, path_of},
    limits::{HISTORY_POINTS_MAX, PAGE_ROWS, PAGE_ROWS_MAX},
    store::HistoryPoint,
    village::Village,
};

#[derive(Debug, Deserialize)]
pub(super) struct ListParameters {
    status: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/farmers`: the members. Those who wait, left or were removed
/// (`?status=pending|left|removed`) are for the village's people.
pub(super) async fn list(
    State(village): State<Village>,
    headers: HeaderMap,
    Query(parameters): Query<ListParameters>,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let membership = match parameters.status.as_deref() {
        None => Membership::Active,
        Some(word) => word.parse().map_err(|_| {
            Problem::bad_request("status", "expected active, pending, left or removed")
        })?,
    };
    let admin = token::bearer(&headers).is_some_and(|presented| village.is_admin(presented));
    if membership != Membership::Active && !admin {
        return Err(Problem::unauthorized());
    }
    let limit = paging::limit(parameters.limit.as_deref(), PAGE_ROWS, PAGE_ROWS_MAX)?;
    let list = format!("farmers {membership}");
    let after = paging::After::read(&list, parameters.cursor.as_deref())?;
    let mut farmers = village
        .store()
        .members(membership, after.as_deref(), limit + 1)
        .await
        .map_err(problems::store)?;
    let more = farmers.len() > limit as usize;
    farmers.truncate(limit as usize);
    let next = farmers
        .last()
        .filter(|_| more)
        .map(|last| paging::After::write(&list, last.account.name()));
    let limit = limit.to_string();
    let link = [("status", membership.as_str()), ("limit", &limit)];
    let headers = paging::next_link(&village, "/api/v1/farmers", &link, next.as_deref());
    let items: Vec<Value> = farmers
        .iter()
        .map(|farmer| profile(&village, farmer))
        .collect();
    Ok((headers, Json(json!({ "items": items, "next": next }))))
}

/// `GET /api/v1/farmers/{id}`: her profile and her newest signed snapshot.
pub(super) async fn show(
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let farmer = shown_farmer(&village, &id).await?;
    let newest = village
        .store()
        .newest_snapshot(farmer.id)
        .await
        .map_err(problems::store)?;
    let mut profile = profile(&village, &farmer);
    // The bytes were canonical JSON when they were stored.
    profile["snapshot"] = newest
        .and_then(|stored| serde_json::from_slice(&stored.bytes).ok())
        .unwrap_or(Value::Null);
    Ok(Json(profile))
}

#[derive(Debug, Deserialize)]
pub(super) struct HistoryParameters {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/farmers/{id}/history`: points over time, the newest first.
pub(super) async fn history(
    State(village): State<Village>,
    Path(id): Path<String>,
    Query(parameters): Query<HistoryParameters>,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let farmer = shown_farmer(&village, &id).await?;
    let max = HISTORY_POINTS_MAX;
    let limit = paging::limit(parameters.limit.as_deref(), max, max)?;
    let list = format!("history {}", farmer.id);
    let before = match paging::After::read(&list, parameters.cursor.as_deref())? {
        None => None,
        Some(text) => {
            let sequence = text.parse();
            Some(sequence.map_err(|_| Problem::bad_request("cursor", "is none of this list"))?)
        }
    };
    let mut points = village
        .store()
        .history(farmer.id, before, limit + 1)
        .await
        .map_err(problems::store)?;
    let more = points.len() > limit as usize;
    points.truncate(limit as usize);
    let next = points
        .last()
        .filter(|_| more)
        .map(|last| paging::After::write(&list, &last.sequence.to_string()));
    let path = format!("/api/v1/farmers/{}/history", farmer.id);
    let limit = limit.to_string();
    let headers = paging::next_link(&village, &path, &[("limit", &limit)], next.as_deref());
    let items: Vec<Value> = points.iter().map(point).collect();
    Ok((headers, Json(json!({ "items": items, "next": next }))))
}

fn point(point: &HistoryPoint) -> Value {
    json!({
        "sequence": point.sequence,
        "published_at": point.published_at,
        "total_coins": point.total_coins,
        "streak_days": point.streak_days,
        "level": point.level,
        "proofs": point.proofs,
    })
}

/// The short form of a farmer, as lists embed it.
pub(super) fn summary(
    village: &Village,
    id: FarmerId,
    account: &Account,
    display_name: &str,
) -> Value {
    json!({
        "id": id.to_string(),
        "handle": account.to_handle(),
        "display_name": display_name,
        "url": village.url_of(&path_of(account, village.host_name())),
        "farm": village.url_of(&format!("/api/v1/farmers/{id}/farm.svg")),
    })
}

/// Everything about a farmer but her snapshot.
pub(super) fn profile(village: &Village, farmer: &Farmer) -> Value {
    let mut profile = summary(village, farmer.id, &farmer.account, &farmer.display_name);
    profile["actor"] = json!(farmer.actor);
    profile["tracker_url"] = json!(farmer.tracker_url);
    profile["page"] = json!(farmer.page);
    profile["farmer_key"] = json!(farmer.farmer_key);
    profile["fingerprint"] = json!(farmer.farmer_key.fingerprint().to_string());
    profile["membership"] = json!(farmer.membership.map(Membership::as_str));
    profile["following"] = json!(farmer.following.map(Following::as_str));
    profile["registered_at"] = json!(farmer.registered_at);
    profile["last_sync_at"] = json!(farmer.last_sync_at);
    profile
}
