//! `/api/v1/leagues`: by what other rules proofs are scored as well.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use farmops_protocol::{digest::Digest, scoring::RuleSet, time::Timestamp};
use farmops_service::problem::{Path, Problem, StrictJson};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::{
    refused::{not_read, not_written},
    rules::{RULES_BYTES_MAX, parsed},
};
use crate::{
    app::App,
    domain::{League, LeagueOffer, decide_join_league, decide_leave_league},
};

/// The leagues.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeagueList)]
pub(super) struct Leagues {
    leagues: Vec<Shown>,
}

/// A league that the farm is or was in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = League)]
struct Shown {
    league: String,
    name: String,
    village: Option<Url>,
    rules_digest: Digest,
    /// The rules that the village has by now, if they are others; they do not count until they are taken.
    changed_rules: Option<Digest>,
    joined_at: Timestamp,
    left_at: Option<Timestamp>,
    /// Coins by season.
    seasons: BTreeMap<String, u64>,
}

impl Leagues {
    pub(super) fn of(app: &App, leagues: BTreeMap<String, League>) -> Json<Self> {
        let shown = leagues.into_iter().map(|(slug, league)| Shown {
            changed_rules: app.offered.changed(&slug, &league),
            league: slug,
            name: league.name,
            village: league.village,
            rules_digest: league.rules.digest,
            joined_at: league.joined_at,
            left_at: league.left_at,
            seasons: league.seasons,
        });
        Json(Self {
            leagues: shown.collect(),
        })
    }
}

/// Lists the leagues that the farm is or was in.
#[utoipa::path(
    get,
    path = "/api/v1/leagues",
    tag = "rules",
    responses((status = 200, description = "The leagues", body = Leagues)),
)]
pub(super) async fn leagues(State(app): State<App>) -> Result<Json<Leagues>, Problem> {
    let leagues = app.reads.leagues().await.map_err(not_read)?;
    Ok(Leagues::of(&app, leagues))
}

/// A league to join.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LeagueOffer)]
#[serde(deny_unknown_fields)]
pub(super) struct Joining {
    #[schema(min_length = 1, max_length = 80, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    village: Option<Url>,
    #[schema(value_type = RuleSet)]
    rules: serde_json::Value,
}

/// Joins a league, or takes over its changed rules: later proofs are scored by them as well.
#[utoipa::path(
    put,
    path = "/api/v1/leagues/{league}",
    tag = "rules",
    params(("league" = String, Path, description = "A slug", pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")),
    request_body(content = Joining),
    responses((status = 200, description = "The leagues now", body = Leagues)),
)]
pub(super) async fn join(
    State(app): State<App>,
    Path(league): Path<String>,
    StrictJson(joining): StrictJson<Joining, RULES_BYTES_MAX>,
) -> Result<Json<Leagues>, Problem> {
    let offer = LeagueOffer {
        league,
        name: joining.name,
        rules: parsed(joining.rules.to_string().as_bytes())?,
        village: joining.village,
    };
    let decide = move |state: &_, _| {
        Ok(decide_join_league(state, offer.clone())?
            .into_iter()
            .collect())
    };
    let joined = app.writer.decide(decide, |state| state.leagues.clone());
    let leagues = joined.await.map_err(|e| not_written(&e))?;
    Ok(Leagues::of(&app, leagues))
}

/// Leaves a league; what was earned in it stays.
#[utoipa::path(
    delete,
    path = "/api/v1/leagues/{league}",
    tag = "rules",
    params(("league" = String, Path, description = "A slug", pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")),
    responses((status = 200, description = "The leagues now", body = Leagues)),
)]
pub(super) async fn leave(
    State(app): State<App>,
    Path(league): Path<String>,
) -> Result<Json<Leagues>, Problem> {
    let decide = move |state: &_, _| Ok(decide_leave_league(state, &league)?.into_iter().collect());
    let left = app.writer.decide(decide, |state| state.leagues.clone());
    let leagues = left.await.map_err(|e| not_written(&e))?;
    Ok(Leagues::of(&app, leagues))
}
