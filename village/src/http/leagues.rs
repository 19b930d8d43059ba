//! The rules of the village's leagues, for the trackers of its members (`LGE-SERVE-001`).

use axum::{Json, extract::State};
use farmops_protocol::league::{League, LeagueList};
use farmops_service::problem::{Path, Problem};

use crate::village::Village;

/// `GET /api/v1/leagues`
pub(super) async fn list(State(village): State<Village>) -> Json<LeagueList> {
    Json(village.leagues().list())
}

/// `GET /api/v1/leagues/{league}`
pub(super) async fn show(
    State(village): State<Village>,
    Path(league): Path<String>,
) -> Result<Json<League>, Problem> {
    let league = village.leagues().named(&league);
    let league = league.ok_or_else(|| Problem::not_found("league"))?;
    Ok(Json(league.clone()))
}
