//! Followed farmers of elsewhere.

use axum::{Json, extract::State};
use farmops_service::problem::{Path, Problem, Query, StrictJson};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::Admin, farmers::profile, lookup::any_farmer, paging, problems};
use crate::{
    farmer::Following,
    limits::{BODY_BYTES_MAX, PAGE_ROWS, PAGE_ROWS_MAX},
    policy::visibility,
    village::Village,
};

const LIST: &str = "following";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    handle: String,
}

/// `POST /api/v1/following {"handle": "@alice@orchard.example"}`: 201 when this began it, 200
/// when she was followed already.
pub(super) async fn follow(
    _: Admin,
    State(village): State<Village>,
    StrictJson(wish): StrictJson<Wish, BODY_BYTES_MAX>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (farmer, began) = village
        .follow(&wish.handle)
        .await
        .map_err(problems::follow)?;
    let status = if began {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(profile(&village, &farmer))))
}

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/v1/following`
pub(super) async fn list(
    State(village): State<Village>,
    Query(parameters): Query<Parameters>,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let limit = paging::limit(parameters.limit.as_deref(), PAGE_ROWS, PAGE_ROWS_MAX)?;
    let after = paging::After::read(LIST, parameters.cursor.as_deref())?;
    let mut farmers = village
        .store()
        .followed(after.as_deref(), limit + 1)
        .await
        .map_err(problems::store)?;
    let more = farmers.len() > limit as usize;
    farmers.truncate(limit as usize);
    let next = farmers
        .last()
        .filter(|_| more)
        .map(|last| paging::After::write(LIST, &last.account.to_string()));
    let mut items = Vec::new();
    for farmer in &farmers {
        let standing = village
            .store()
            .standing(farmer.id)
            .await
            .map_err(problems::store)?;
        if visibility(standing.unwrap_or_default()).federated {
            items.push(profile(&village, farmer));
        } else {
            // Not agreed yet, or blocked: her handle is what the village's people typed.
            items.push(json!({
                "id": farmer.id.to_string(),
                "handle": farmer.account.to_handle(),
                "following": farmer.following.map(Following::as_str),
            }));
        }
    }
    let limit = limit.to_string();
    let link = [("limit", limit.as_str())];
    let headers = paging::next_link(&village, "/api/v1/following", &link, next.as_deref());
    Ok((headers, Json(json!({ "items": items, "next": next }))))
}

/// `DELETE /api/v1/following/{id}`
pub(super) async fn unfollow(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let farmer = any_farmer(&village, &id)
        .await?
        .ok_or_else(|| Problem::not_found("followed farmer"))?;
    village
        .unfollow(farmer.id)
        .await
        .map_err(problems::follow)?;
    Ok(StatusCode::NO_CONTENT)
}
