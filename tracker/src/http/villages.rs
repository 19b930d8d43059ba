//! `/api/v1/villages`: where the farm is a member, joining and leaving.

use axum::{Json, extract::State, response::IntoResponse};
use farmops_ledger::archive::Membership;
use farmops_protocol::time::Timestamp;
use farmops_service::problem::{Problem, StrictJson};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refused::{not_read, not_written};
use crate::{
    app::App,
    store::Village,
    villages::{JoinError, LeaveError, Manner, join as ask_to_join, leave as go},
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VillageList)]
pub(super) struct Villages {
    villages: Vec<Shown>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Village)]
struct Shown {
    url: String,
    actor: String,
    account: String,
    /// `ended`: the village has ended the membership.
    status: Membership,
    home: bool,
    joined_at: Timestamp,
}

impl From<Village> for Shown {
    fn from(village: Village) -> Self {
        Self {
            url: village.url,
            actor: village.actor,
            account: village.account,
            status: village.status,
            home: village.home,
            joined_at: village.joined_at,
        }
    }
}

/// Lists the villages, home first.
#[utoipa::path(
    get,
    path = "/api/v1/villages",
    tag = "villages",
    responses((status = 200, description = "The villages, home first", body = Villages)),
)]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Villages>, Problem> {
    let villages = app.reads.villages().await.map_err(not_read)?;
    Ok(Json(Villages {
        villages: villages.into_iter().map(Shown::from).collect(),
    }))
}

/// Which village, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = JoinRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Scheme and host.
    #[schema(format = Uri, pattern = "^https?://[^/?#@ ]+/?$")]
    url: String,
    /// What the village gave you, if it takes nobody without.
    #[schema(min_length = 1)]
    invite: Option<String>,
}

/// Joins a village: 201 as a member, 202 while its people decide.
#[utoipa::path(
    post,
    path = "/api/v1/villages",
    tag = "villages",
    request_body(content = Wanted),
    responses((status = 201, description = "A member now", body = Shown), (status = 202, description = "Its people decide", body = Shown), (status = 502, description = "The village did not answer as it should")),
)]
pub(super) async fn join(
    State(app): State<App>,
    StrictJson(wanted): StrictJson<Wanted, 2048>,
) -> Result<impl IntoResponse, Problem> {
    let village = ask_to_join(&app, &wanted.url, wanted.invite.as_deref())
        .await
        .map_err(|error| not_joined(&error))?;
    let status = match village.status {
        Membership::Active => StatusCode::CREATED,
        Membership::Pending | Membership::Ended => StatusCode::ACCEPTED,
    };
    Ok((status, Json(Shown::from(village))))
}

pub(super) fn not_joined(error: &JoinError) -> Problem {
    match error {
        JoinError::Field(field) => Problem::unprocessable(&field.field, &field.reason),
        JoinError::Unreachable(cause) if !cause.is_transient() => {
            Problem::unprocessable("url", cause.to_string())
        }
        JoinError::Unreachable(_) | JoinError::Refused { .. } => {
            Problem::new(StatusCode::BAD_GATEWAY, "village").detail(error.to_string())
        }
        JoinError::Store(cause) => Problem::internal(cause),
        JoinError::Write(cause) => not_written(cause),
    }
}

/// Which village to leave, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LeaveRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct Leaving {
    /// Scheme and host, as the list shows them.
    #[schema(format = Uri, pattern = "^https?://[^/?#@ ]+/?$")]
    url: String,
    /// Do not tell the village, which may be gone: forget it, and send it nothing more.
    #[serde(default)]
    forget: bool,
}

/// Leaves a village.
#[utoipa::path(
    post,
    path = "/api/v1/villages/leave",
    tag = "villages",
    request_body(content = Leaving),
    responses((status = 204, description = "The farm is not in it any more"), (status = 404, description = "The farm is in no such village"), (status = 409, description = "The village never said where it keeps the membership"), (status = 502, description = "The village did not answer as it should")),
)]
pub(super) async fn leave(
    State(app): State<App>,
    StrictJson(leaving): StrictJson<Leaving, 2048>,
) -> Result<StatusCode, Problem> {
    let manner = if leaving.forget {
        Manner::Forgotten
    } else {
        Manner::Told
    };
    match go(&app, &leaving.url, manner).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(not_left(&error)),
    }
}

fn not_left(error: &LeaveError) -> Problem {
    match error {
        LeaveError::Field(field) => Problem::unprocessable(&field.field, &field.reason),
        LeaveError::NotThere => Problem::not_found("village")
            .field("url")
            .detail(error.to_string()),
        LeaveError::NoPlace => Problem::new(StatusCode::CONFLICT, "no-membership-place")
            .field("url")
            .detail(error.to_string()),
        LeaveError::Unreachable(_) | LeaveError::Refused { .. } => {
            Problem::new(StatusCode::BAD_GATEWAY, "village").detail(error.to_string())
        }
        LeaveError::Federation(cause) => Problem::internal(cause),
        LeaveError::Store(cause) => Problem::internal(cause),
        LeaveError::Write(cause) => not_written(cause),
    }
}
