//! `/api/v1/villages`: where the farm is a member.

use axum::{Json, extract::State, response::IntoResponse};
use farmops_protocol::{registration::MembershipStatus, time::Timestamp};
use farmops_service::problem::{Problem, StrictJson};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refused::{not_read, not_written};
use crate::{
    app::App,
    store::Village,
    villages::{JoinError, join as ask_to_join},
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
    status: MembershipStatus,
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
        MembershipStatus::Active => StatusCode::CREATED,
        MembershipStatus::Pending => StatusCode::ACCEPTED,
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
