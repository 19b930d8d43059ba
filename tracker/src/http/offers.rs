//! `/api/v1/villages/leagues`: the leagues that a village supplies, to be looked at and taken.

use axum::{Json, extract::State};
use farmops_protocol::{digest::Digest, scoring::RuleSet};
use farmops_service::{
    outbound::OutboundError,
    problem::{Problem, Query, StrictJson},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{leagues::Leagues, refused::not_written};
use crate::{
    app::App,
    leagues::{self, LeagueError, Offer, Standing},
};

/// Which village.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Scheme and host of a village that the farm is a member of.
    #[param(format = Uri, pattern = "^https?://[^/?#@ ]+/?$")]
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuppliedLeagueList)]
pub(super) struct Offers {
    village: String,
    leagues: Vec<Supplied>,
}

/// A league that the village supplies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SuppliedLeague)]
struct Supplied {
    league: String,
    name: String,
    rules_digest: Digest,
    /// `new`; `taken`: the farm is in it by these rules; `changed`: it is in it by others; `other`: it is
    /// in another league of the same slug, which has to be left first.
    #[schema(pattern = "^(new|taken|changed|other)$")]
    standing: &'static str,
    /// How the rules differ from those that the farm has in this league, or else from its own.
    differences: Vec<Difference>,
    rules: RuleSet,
}

/// A rate that differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleDifference)]
struct Difference {
    /// Where it stands in the rules.
    member: String,
    /// What it is for the farm.
    here: String,
    /// What it is in the league.
    there: String,
}

/// The standing as a word.
const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Taken => "taken",
        Standing::Changed => "changed",
        Standing::Other => "other",
    }
}

impl From<Offer> for Supplied {
    fn from(offer: Offer) -> Self {
        let differences = offer.differences.into_iter().map(|difference| Difference {
            member: difference.member,
            here: difference.here,
            there: difference.there,
        });
        Self {
            rules_digest: offer.digest,
            standing: word(offer.standing),
            differences: differences.collect(),
            league: offer.league.league,
            name: offer.league.name,
            rules: offer.league.rules,
        }
    }
}

/// Asks a village for its leagues, and compares their rules with the farm's. Nothing is taken.
#[utoipa::path(
    get,
    path = "/api/v1/villages/leagues",
    tag = "rules",
    params(Wanted),
    responses((status = 200, description = "What the village supplies", body = Offers), (status = 404, description = "The farm is no member of that village"), (status = 502, description = "The village did not answer as it should")),
)]
pub(super) async fn supplied(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Offers>, Problem> {
    let (village, offers) = leagues::offers(&app, &wanted.url)
        .await
        .map_err(|error| not_taken(&error))?;
    Ok(Json(Offers {
        village: village.origin().ascii_serialization(),
        leagues: offers.into_iter().map(Supplied::from).collect(),
    }))
}

/// Which league of a village, by rules that were looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = LeagueTaking)]
#[serde(deny_unknown_fields)]
pub(super) struct Taking {
    /// Scheme and host of the village.
    #[schema(format = Uri, pattern = "^https?://[^/?#@ ]+/?$")]
    url: String,
    /// The slug of its league.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    league: String,
    /// The rules; if the village has others by now, nothing is taken.
    rules_digest: Digest,
}

/// Takes a village's league, or its changed rules: later proofs are scored by them as well.
#[utoipa::path(
    post,
    path = "/api/v1/villages/leagues",
    tag = "rules",
    request_body(content = Taking),
    responses((status = 200, description = "The leagues now", body = Leagues), (status = 404, description = "The farm is no member of that village, or it has no such league"), (status = 502, description = "The village did not answer as it should")),
)]
pub(super) async fn take(
    State(app): State<App>,
    StrictJson(taking): StrictJson<Taking, 2048>,
) -> Result<Json<Leagues>, Problem> {
    let taken = leagues::take(&app, &taking.url, &taking.league, taking.rules_digest);
    let leagues = taken.await.map_err(|error| not_taken(&error))?;
    Ok(Leagues::of(&app, leagues))
}

fn not_taken(error: &LeagueError) -> Problem {
    match error {
        LeagueError::Field(field) => Problem::unprocessable(&field.field, &field.reason),
        LeagueError::NotAMember => Problem::not_found("village")
            .field("url")
            .detail(error.to_string()),
        LeagueError::NoSuchLeague(_) => Problem::not_found("league")
            .field("league")
            .detail(error.to_string()),
        LeagueError::Changed(digest) => Problem::new(StatusCode::CONFLICT, "rules-changed")
            .field("rules_digest")
            .detail(error.to_string())
            .extension("rules_digest", digest),
        LeagueError::Unreachable(cause)
            if !cause.is_transient() && !matches!(cause, OutboundError::TooLong { .. }) =>
        {
            Problem::unprocessable("url", cause.to_string())
        }
        LeagueError::Unreachable(_)
        | LeagueError::Slow
        | LeagueError::Refused { .. }
        | LeagueError::Broken { .. } => {
            Problem::new(StatusCode::BAD_GATEWAY, "village").detail(error.to_string())
        }
        LeagueError::Store(cause) => Problem::internal(cause),
        LeagueError::Write(cause) => not_written(cause),
    }
}
