//! `GET /api/v1/leaderboard?scope=&sort=&season=&limit=&cursor=`

use axum::{Json, extract::State};
use farmops_service::problem::{Problem, Query};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{farmers::summary, paging, problems};
use crate::{
    board::{Board, BoardEntry, Scope, Sort, check_season},
    limits::{PAGE_ROWS, PAGE_ROWS_MAX},
    village::Village,
};

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    scope: Option<String>,
    sort: Option<String>,
    season: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub(super) async fn show(
    State(village): State<Village>,
    Query(parameters): Query<Parameters>,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let board = parameters.board()?;
    let limit = paging::limit(parameters.limit.as_deref(), PAGE_ROWS, PAGE_ROWS_MAX)?;
    let cursor = parameters.cursor.as_deref();
    let (entries, next) = paging::page_of_board(&village, &board, cursor, Some(limit)).await?;
    let sort = board.sort.to_string();
    let limit = limit.to_string();
    let mut link = vec![
        ("scope", board.scope.as_str()),
        ("sort", &sort),
        ("limit", &limit),
    ];
    link.extend(board.season.as_deref().map(|season| ("season", season)));
    let headers = paging::next_link(&village, "/api/v1/leaderboard", &link, next.as_deref());
    let items: Vec<Value> = entries.iter().map(|entry| line(&village, entry)).collect();
    Ok((
        headers,
        Json(json!({
            "scope": board.scope.as_str(),
            "sort": sort,
            "season": board.season,
            "items": items,
            "next": next,
        })),
    ))
}

impl Parameters {
    fn board(&self) -> Result<Board, Problem> {
        let scope = match self.scope.as_deref() {
            None => Scope::Local,
            Some(word) => word
                .parse()
                .map_err(|_| Problem::bad_request("scope", "expected local or federated"))?,
        };
        let sort = match self.sort.as_deref() {
            None => Sort::Coins,
            Some(word) => word.parse().map_err(problems::query)?,
        };
        if let Some(season) = &self.season {
            check_season(season).map_err(problems::query)?;
        }
        Ok(Board {
            scope,
            sort,
            season: self.season.clone(),
        })
    }
}

fn line(village: &Village, entry: &BoardEntry) -> Value {
    json!({
        "rank": entry.rank,
        "value": entry.value,
        "farmer": summary(village, entry.farmer, &entry.account, &entry.display_name),
        "member": entry.member,
        "origin": entry.origin,
        "total_coins": entry.total_coins,
        "streak_days": entry.streak_days,
        "level": entry.level,
        "season": entry.season,
        "sequence": entry.sequence,
        "published_at": entry.published_at,
    })
}
