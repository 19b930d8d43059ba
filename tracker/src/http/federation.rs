//! `/api/v1/followers` and `/api/v1/following`: who follows whom.

use axum::{Json, extract::State};
use farmops_federation::{Account, FederationError, Relation, RelationState, Timestamp};
use farmops_service::problem::{Problem, Query, StrictJson};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::{IntoParams, ToSchema};

use crate::{app::App, site::ACTOR};

/// Relations on a page.
const PAGE_MAX: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only relations in this state.
    #[param(pattern = "^(pending|accepted|rejected|blocked)$")]
    state: Option<String>,
    /// Only actors after this one: the last of the page before.
    after: Option<Url>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RelationList)]
pub(super) struct Relations {
    relations: Vec<Shown>,
}

/// A relation as its owner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Relation)]
pub(super) struct Shown {
    pub(super) actor: Url,
    pub(super) kind: &'static str,
    pub(super) state: &'static str,
    pub(super) changed_at: Timestamp,
}

impl From<Relation> for Shown {
    fn from(relation: Relation) -> Self {
        Self {
            actor: relation.remote,
            kind: relation.remote_kind.as_str(),
            state: relation.state.as_str(),
            changed_at: relation.changed_at,
        }
    }
}

fn state_of(wanted: &Wanted) -> Result<Option<RelationState>, Problem> {
    let parsed = wanted.state.as_deref().map(str::parse).transpose();
    parsed.map_err(|_| {
        Problem::bad_request("state", "expected pending, accepted, rejected or blocked")
    })
}

/// Lists the followers, ordered by actor.
#[utoipa::path(
    get,
    path = "/api/v1/followers",
    tag = "people",
    params(Wanted),
    responses((status = 200, description = "A page of them", body = Relations)),
)]
pub(super) async fn followers(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Relations>, Problem> {
    let state = state_of(&wanted)?;
    let page = app
        .federation
        .followers(ACTOR, state, wanted.after.as_ref(), PAGE_MAX);
    let relations = page.await.map_err(|e| not_done(&e))?;
    Ok(Json(Relations {
        relations: relations.into_iter().map(Shown::from).collect(),
    }))
}

/// Lists whom the farmer follows, ordered by actor.
#[utoipa::path(
    get,
    path = "/api/v1/following",
    tag = "people",
    params(Wanted),
    responses((status = 200, description = "A page of them", body = Relations)),
)]
pub(super) async fn following(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Relations>, Problem> {
    let state = state_of(&wanted)?;
    let page = app
        .federation
        .following(ACTOR, state, wanted.after.as_ref(), PAGE_MAX);
    let relations = page.await.map_err(|e| not_done(&e))?;
    Ok(Json(Relations {
        relations: relations.into_iter().map(Shown::from).collect(),
    }))
}

/// An actor by its id.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ActorName)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    actor: Url,
}

/// Lets a waiting follower in.
#[utoipa::path(
    post,
    path = "/api/v1/followers/accept",
    tag = "people",
    request_body(content = Named),
    responses((status = 200, description = "The relation now", body = Shown), (status = 404, description = "There is no such relation")),
)]
pub(super) async fn accept(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<Json<Shown>, Problem> {
    let relation = app.federation.accept_follower(ACTOR, &named.actor).await;
    relation.map(|r| Json(r.into())).map_err(|e| not_done(&e))
}

/// Turns a follower away.
#[utoipa::path(
    post,
    path = "/api/v1/followers/reject",
    tag = "people",
    request_body(content = Named),
    responses((status = 200, description = "The relation now", body = Shown), (status = 404, description = "There is no such relation")),
)]
pub(super) async fn reject(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<Json<Shown>, Problem> {
    let relation = app.federation.reject_follower(ACTOR, &named.actor).await;
    relation.map(|r| Json(r.into())).map_err(|e| not_done(&e))
}

/// Turns a follower away for good.
#[utoipa::path(
    post,
    path = "/api/v1/followers/block",
    tag = "people",
    request_body(content = Named),
    responses((status = 200, description = "The relation now", body = Shown), (status = 404, description = "There is no such relation")),
)]
pub(super) async fn block(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<Json<Shown>, Problem> {
    let relation = app.federation.block_follower(ACTOR, &named.actor).await;
    relation.map(|r| Json(r.into())).map_err(|e| not_done(&e))
}

/// Lets a blocked follower ask again.
#[utoipa::path(
    post,
    path = "/api/v1/followers/unblock",
    tag = "people",
    request_body(content = Named),
    responses((status = 204, description = "It may ask again"), (status = 404, description = "It was not blocked")),
)]
pub(super) async fn unblock(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<StatusCode, Problem> {
    let lifted = app.federation.unblock_follower(ACTOR, &named.actor).await;
    if lifted.map_err(|e| not_done(&e))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("block"))
    }
}

/// Someone by handle.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Handle {
    /// Like `@alice@village.example`.
    #[schema(pattern = "^@[a-zA-Z0-9_]+([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?@[^@/ ]+$")]
    handle: String,
}

/// Asks to follow someone: 202, the answer comes later.
#[utoipa::path(
    post,
    path = "/api/v1/following",
    tag = "people",
    request_body(content = Handle),
    responses((status = 202, description = "They were asked", body = Shown), (status = 502, description = "The other server did not answer as it should")),
)]
pub(super) async fn follow(
    State(app): State<App>,
    StrictJson(handle): StrictJson<Handle, 2048>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let account = Account::parse(&handle.handle, app.site.reach())
        .map_err(|error| Problem::unprocessable(error.field, error.reason))?;
    let actor = app.federation.resolve(&account.to_handle()).await;
    let actor = actor.map_err(|e| not_done(&e))?;
    let relation = app.federation.follow(ACTOR, &actor.id).await;
    let relation = relation.map_err(|e| not_done(&e))?;
    Ok((StatusCode::ACCEPTED, Json(relation.into())))
}

/// Stops following someone.
#[utoipa::path(
    post,
    path = "/api/v1/following/remove",
    tag = "people",
    request_body(content = Named),
    responses((status = 204, description = "No longer followed"), (status = 404, description = "There is no such relation")),
)]
pub(super) async fn unfollow(
    State(app): State<App>,
    StrictJson(named): StrictJson<Named, 2048>,
) -> Result<StatusCode, Problem> {
    let ended = app.federation.unfollow(ACTOR, &named.actor).await;
    if ended.map_err(|e| not_done(&e))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("relation"))
    }
}

fn not_done(error: &FederationError) -> Problem {
    match error {
        FederationError::Store(cause) => Problem::internal(cause),
        FederationError::Host(_) | FederationError::Key(_) | FederationError::Sign(_) => {
            Problem::internal(error)
        }
        FederationError::Field(field) => Problem::unprocessable(&field.field, &field.reason),
        FederationError::NoSuchActor(_) => Problem::not_found("actor"),
        FederationError::NoSuchRelation => Problem::not_found("relation"),
        FederationError::Denied(reason) => Problem::forbidden(*reason),
        FederationError::Fetch(_) | FederationError::Resolve(_) => {
            Problem::new(StatusCode::BAD_GATEWAY, "peer").detail(error.to_string())
        }
    }
}
