//! The one league of the self-test's village.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use farmops_protocol::{
    league::{League, LeagueList},
    scoring::RuleSet,
};

use super::{Fault, server::Server};

const SLUG: &str = "harvest";

fn league() -> League {
    League {
        league: SLUG.to_owned(),
        name: "Harvest league".to_owned(),
        rules: RuleSet::default(),
    }
}

pub(super) async fn list() -> Json<LeagueList> {
    let items = vec![league().listed()];
    Json(LeagueList { items })
}

pub(super) async fn show(State(server): State<Server>, Path(slug): Path<String>) -> Response {
    if slug != SLUG && !server.has(Fault::HasEveryLeague) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut league = league();
    if server.has(Fault::OtherRulesThanListed) {
        league.rules.base_coins.toil += 1;
    }
    if server.has(Fault::RulesBeyondBounds) {
        league.rules.base_coins.toil = 2_000_000;
    }
    Json(league).into_response()
}
