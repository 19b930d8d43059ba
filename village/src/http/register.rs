//! Joining and leaving.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    departure::DEPARTURE_BYTES_MAX,
    registration::{MembershipStatus, REGISTRATION_BYTES_MAX},
};
use farmops_service::{
    problem::{Bounded, Path, Problem},
    token,
};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::{admin::Admin, farmers::profile, lookup::any_farmer, problems};
use crate::{
    farmer::Membership,
    village::{Registered, VILLAGE, Village},
};

/// `POST /api/v1/farmers/register`: the body is a canonical signed registration request. 201 for
/// a new member, 202 for one who must wait, 200 for one who is a member already.
pub(super) async fn register(
    State(village): State<Village>,
    Bounded(bytes): Bounded<REGISTRATION_BYTES_MAX>,
) -> Result<Response, Problem> {
    let registered = village.register(&bytes).await.map_err(problems::register)?;
    let status = match (registered.membership, registered.new) {
        (Membership::Active, true) => StatusCode::CREATED,
        (Membership::Active, false) => StatusCode::OK,
        _ => StatusCode::ACCEPTED,
    };
    let location = format!("{}/api/v1/farmers/{}", village.url(), registered.farmer.id);
    Ok((
        status,
        [(header::LOCATION, location)],
        Json(answer(&village, &registered)),
    )
        .into_response())
}

fn answer(village: &Village, registered: &Registered) -> Value {
    let status = match registered.membership {
        Membership::Active => MembershipStatus::Active,
        _ => MembershipStatus::Pending,
    };
    let farmer = &registered.farmer;
    json!({
        "account": farmer.account.to_string(),
        "status": status,
        "village": village.federation().actor_id(VILLAGE),
        "id": farmer.id.to_string(),
        "url": village.url_of(&farmer.path(village.host_name())),
    })
}

/// `DELETE /api/v1/farmers/{id}`: with the admin's token, or with a signed departure request as
/// the body. 204, also the second time.
pub(super) async fn unregister(
    State(village): State<Village>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Bounded(bytes): Bounded<DEPARTURE_BYTES_MAX>,
) -> Result<StatusCode, Problem> {
    let departure = match token::bearer(&headers) {
        Some(presented) if village.is_admin(presented) => None,
        Some(_) => return Err(Problem::unauthorized()),
        None if bytes.is_empty() => return Err(Problem::unauthorized()),
        None => Some(village.read_departure(&bytes).map_err(problems::leave)?),
    };
    let farmer = any_farmer(&village, &id)
        .await?
        .ok_or_else(|| Problem::not_found("farmer"))?;
    match departure {
        None => village.remove(farmer.id).await,
        Some(request) => village.leave(farmer.id, &request).await,
    }
    .map_err(problems::leave)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/farmers/{id}/approve`
pub(super) async fn approve(
    _: Admin,
    State(village): State<Village>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let farmer = any_farmer(&village, &id)
        .await?
        .ok_or_else(|| Problem::not_found("applicant"))?;
    let farmer = village
        .approve(farmer.id)
        .await
        .map_err(problems::approve)?;
    Ok(Json(profile(&village, &farmer)))
}
