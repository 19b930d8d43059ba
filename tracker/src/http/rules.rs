//! `/api/v1/rules` and `/api/v1/leagues`: by what proofs are scored.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use farmops_protocol::{digest::Digest, scoring::RuleSet, time::Timestamp};
use farmops_service::problem::{Bounded, Path, Problem, StrictJson};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::{
    proofs::require_json,
    refused::{not_read, not_written},
};
use crate::{
    app::App,
    domain::{League, LeagueOffer, decide_join_league, decide_leave_league, decide_rules},
};

/// Bytes of a rules file.
const RULES_BYTES_MAX: usize = 65_536;

/// Rules with their name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NamedRules)]
pub(super) struct Named {
    digest: Digest,
    rules: RuleSet,
}

impl From<RuleSet> for Named {
    fn from(rules: RuleSet) -> Self {
        Self {
            digest: rules.digest(),
            rules,
        }
    }
}

/// Shows the rules that proofs are scored by now.
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    tag = "rules",
    responses((status = 200, description = "The rules in force", body = Named)),
)]
pub(super) async fn show(State(app): State<App>) -> Result<Json<Named>, Problem> {
    let rules = app.reads.rules(None).await.map_err(not_read)?;
    let rules = rules.ok_or_else(|| Problem::unavailable(1))?;
    Ok(Json(rules.into()))
}

/// Shows rules that proofs were once scored by.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{digest}",
    tag = "rules",
    params(("digest" = Digest, Path, description = "Of the rule set")),
    responses((status = 200, description = "Those rules", body = Named)),
)]
pub(super) async fn by_digest(
    State(app): State<App>,
    Path(digest): Path<String>,
) -> Result<Json<Named>, Problem> {
    let reason = "expected the 64 hexadecimal digits of a rule set's digest";
    let digest: Digest = digest
        .parse()
        .map_err(|_| Problem::bad_request("digest", reason))?;
    let rules = app.reads.rules(Some(digest)).await.map_err(not_read)?;
    let rules = rules.ok_or_else(|| Problem::not_found("rules"))?;
    Ok(Json(rules.into()))
}

/// Takes other rules; they count for later proofs.
#[utoipa::path(
    put,
    path = "/api/v1/rules",
    tag = "rules",
    request_body(content = RuleSet),
    responses((status = 200, description = "The rules in force now", body = Named)),
)]
pub(super) async fn adopt(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bounded<RULES_BYTES_MAX>, Problem>,
) -> Result<Json<Named>, Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let rules = parsed(&bytes)?;
    let adopted = rules.clone();
    let decide = move |state: &_, _| Ok(decide_rules(state, adopted.clone()).into_iter().collect());
    let done = app.writer.decide(decide, |_| ()).await;
    done.map(|()| Json(rules.into()))
        .map_err(|e| not_written(&e))
}

fn parsed(bytes: &[u8]) -> Result<RuleSet, Problem> {
    RuleSet::parse(bytes).map_err(|error| Problem::unprocessable(&error.field, &error.reason))
}

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
    joined_at: Timestamp,
    left_at: Option<Timestamp>,
    /// Coins by season.
    seasons: BTreeMap<String, u64>,
}

impl Leagues {
    fn of(leagues: BTreeMap<String, League>) -> Json<Self> {
        let shown = leagues.into_iter().map(|(slug, league)| Shown {
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
    Ok(Leagues::of(leagues))
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
    Ok(Leagues::of(leagues))
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
    Ok(Leagues::of(leagues))
}
