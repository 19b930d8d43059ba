//! `GET /api/v1/farmers/{id}/farm.svg?theme=day|night`: the farm's picture, drawn here from her
//! newest signed snapshot. No picture of a stranger's is ever served.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_farm::{scene, state::FarmState, svg};
use farmops_service::problem::{Path, Problem, Query};
use http::header;
use serde::Deserialize;

use super::{lookup::shown_farmer, problems};
use crate::{farmer::Farmer, store::StoredSnapshot, village::Village};

/// By day or by night.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Theme {
    #[default]
    Day,
    Night,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    theme: Option<String>,
}

pub(crate) async fn show(
    State(village): State<Village>,
    Path(id): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Problem> {
    let theme = match parameters.theme.as_deref() {
        None | Some("day") => Theme::Day,
        Some("night") => Theme::Night,
        Some(_) => return Err(Problem::bad_request("theme", "expected day or night")),
    };
    let farmer = shown_farmer(&village, &id).await?;
    let newest = village
        .store()
        .newest_snapshot(farmer.id)
        .await
        .map_err(problems::store)?;
    let picture = draw(&farm_of(&farmer, newest.as_ref()), theme);
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
        // Opened by itself it may use its own styles and nothing else.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
        ),
    ];
    Ok((headers, picture).into_response())
}

/// The farm as it is drawn; an empty plot until the first snapshot.
pub(crate) fn farm_of(farmer: &Farmer, newest: Option<&StoredSnapshot>) -> FarmState {
    match newest {
        Some(stored) => FarmState::from_snapshot(&farmer.display_name, stored.document.snapshot()),
        None => FarmState::new(&farmer.display_name),
    }
}

/// The picture of a farm.
fn draw(farm: &FarmState, theme: Theme) -> String {
    let theme = match theme {
        Theme::Day => svg::Theme::Day,
        Theme::Night => svg::Theme::Night,
    };
    svg::draw(
        &scene::compose(farm),
        &svg::Options {
            theme,
            ..svg::Options::default()
        },
    )
}
