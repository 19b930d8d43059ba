//! What a village says of its leagues: a stranger's words, bounded in size and time and read whole.

use std::time::Duration;

use farmops_protocol::{
    field::FieldError,
    league::{League, LeagueList, check_slug},
    limits::LEAGUE_BYTES_MAX,
};
use farmops_service::outbound::Bounds;
use http::StatusCode;
use url::Url;

use super::LeagueError;
use crate::{app::App, villages::reason};

/// The path below a village's URL (`LGE-SERVE-001`).
const LEAGUES: &str = "/api/v1/leagues";
/// For one answer.
const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_secs(10),
    body_bytes_max: LEAGUE_BYTES_MAX,
};

/// The village's list; empty where it does not know what a league is.
pub(super) async fn list(app: &App, village: &Url) -> Result<LeagueList, LeagueError> {
    match fetch(app, village, LEAGUES).await? {
        Some(body) => LeagueList::parse(&body).map_err(|e| broken("as its list", e)),
        None => Ok(LeagueList { items: Vec::new() }),
    }
}

/// One league of the village, by its slug.
pub(super) async fn league(app: &App, village: &Url, slug: &str) -> Result<League, LeagueError> {
    // It becomes part of a path.
    check_slug(slug)?;
    let body = fetch(app, village, &format!("{LEAGUES}/{slug}")).await?;
    let body = body.ok_or_else(|| LeagueError::NoSuchLeague(slug.to_owned()))?;
    let place = format!("as `{slug}`");
    let league = League::parse(&body).map_err(|e| broken(&place, e))?;
    if league.league == slug {
        Ok(league)
    } else {
        let other = FieldError::new("league", "it is another league than the one asked for");
        Err(broken(&place, other))
    }
}

fn broken(place: &str, error: FieldError) -> LeagueError {
    let place = place.to_owned();
    LeagueError::Broken { place, error }
}

/// The body at `path`; nothing if the village has nothing there. A redirect is a refusal.
async fn fetch(app: &App, village: &Url, path: &str) -> Result<Option<Vec<u8>>, LeagueError> {
    let mut url = village.clone();
    url.set_path(path);
    let answer = app.outbound.get(url, BOUNDS).await?;
    match answer.status {
        StatusCode::OK => Ok(Some(answer.body.to_vec())),
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(LeagueError::Refused {
            status,
            reason: reason(&answer.body),
        }),
    }
}
