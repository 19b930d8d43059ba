//! `/`: the board.

use askama::Template;
use axum::{extract::State, response::Response};
use farmops_protocol::proof::Category;
use farmops_service::problem::Query;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{
    PageError,
    about::join_command,
    render,
    text::{capitalised, counted, grouped, streak},
    view::{Choice, FarmPicture, Shell, short_handle, tagline},
};
use crate::{
    board::{Board, BoardEntry, Scope, Sort, check_season},
    farmer::path_of,
    http::page_of_board,
    village::Village,
};

/// How many stand on the podium.
const PODIUM: usize = 3;

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    scope: Option<String>,
    sort: Option<String>,
    season: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    shell: Shell,
    heading: String,
    tagline: String,
    figures: String,
    scopes: Vec<Choice>,
    sorts: Vec<Choice>,
    seasons: Vec<Choice>,
    unit: &'static str,
    best: Vec<Row>,
    rows: Vec<Row>,
    columns: Vec<Column>,
    next: Option<String>,
    first_page: bool,
    empty_text: &'static str,
    empty_command: String,
}

struct Row {
    rank: u64,
    medal: &'static str,
    href: String,
    farm: FarmPicture,
    name: String,
    handle: String,
    /// The village that announces the farm, where the handle does not name it.
    village: Option<String>,
    value: String,
    level: u64,
    streak_text: String,
    cells: Vec<Cell>,
}

struct Column {
    label: String,
    sorted: bool,
}

struct Cell {
    text: String,
    sorted: bool,
}

pub(super) async fn show(
    State(village): State<Village>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let board = parameters.board();
    let cursor = parameters.cursor.as_deref();
    let page = page_of_board(&village, &board, cursor, None).await;
    let (entries, next) = page.map_err(|problem| village.page_error(problem))?;
    let first_page = cursor.is_none();
    let inside = |error| village.page_error(crate::http::failed(error));
    let seasons = village.store().seasons(board.scope).await.map_err(inside)?;
    let counts = village
        .store()
        .counts(village.now())
        .await
        .map_err(inside)?;
    let rows: Vec<Row> = entries
        .iter()
        .map(|entry| row(&village, &board, entry))
        .collect();
    let on_podium = if first_page && rows.len() >= PODIUM {
        PODIUM
    } else {
        0
    };
    let mut best = rows;
    let rows = best.split_off(on_podium);
    let page = BoardPage {
        shell: Shell::live(&village, "board"),
        heading: heading(&board),
        tagline: tagline(&village),
        figures: format!(
            "{} · {} known",
            counted(counts.members, "member", "members"),
            counted(counts.known, "farm", "farms")
        ),
        scopes: scopes(&board),
        sorts: sorts(&board),
        seasons: season_choices(&board, &seasons),
        unit: unit(board.sort),
        best,
        rows,
        columns: columns(board.sort),
        next: next.map(|cursor| href(&board, Some(&cursor))),
        first_page,
        empty_text: match board.scope {
            Scope::Local => {
                "The first tracker that joins puts its farm on this board. \
                 Run one at home and point it here:"
            }
            Scope::Federated => {
                "Farms of this village, of followed farmers and of befriended villages \
                 stand here. Begin with your own:"
            }
        },
        empty_command: join_command(&village),
    };
    Ok(render(&page))
}

impl Parameters {
    /// What cannot be read is left out: a page is for people, and half an address is better
    /// answered than refused.
    fn board(&self) -> Board {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        Board {
            scope: word(&self.scope).parse().unwrap_or(Scope::Local),
            sort: word(&self.sort).parse().unwrap_or(Sort::Coins),
            season: self
                .season
                .clone()
                .filter(|season| check_season(season).is_ok()),
        }
    }
}

fn row(village: &Village, board: &Board, entry: &BoardEntry) -> Row {
    let home = village.host_name();
    Row {
        rank: entry.rank,
        medal: match entry.rank {
            1 => "first",
            2 => "second",
            3 => "third",
            _ => "",
        },
        href: path_of(&entry.account, home),
        farm: FarmPicture::small(&entry.account, home, &entry.display_name, entry.sequence),
        name: entry.display_name.clone(),
        handle: short_handle(&entry.account, home),
        village: entry
            .origin
            .clone()
            .filter(|host| !entry.member && host != entry.account.host()),
        value: grouped(entry.value),
        level: entry.level,
        streak_text: streak(entry.streak_days),
        cells: cells(board.sort, entry),
    }
}

fn columns(sort: Sort) -> Vec<Column> {
    let mut columns = Vec::new();
    if let Sort::Category(category) = sort {
        columns.push(Column {
            label: capitalised(category.as_str()),
            sorted: true,
        });
    }
    for (label, by) in [
        ("Coins", Sort::Coins),
        ("Streak", Sort::Streak),
        ("Level", Sort::Level),
    ] {
        columns.push(Column {
            label: label.to_owned(),
            sorted: sort == by,
        });
    }
    columns
}

fn cells(sort: Sort, entry: &BoardEntry) -> Vec<Cell> {
    let mut cells = Vec::new();
    if matches!(sort, Sort::Category(_)) {
        cells.push(Cell {
            text: grouped(entry.value),
            sorted: true,
        });
    }
    for (number, by) in [
        (entry.total_coins, Sort::Coins),
        (entry.streak_days, Sort::Streak),
        (entry.level, Sort::Level),
    ] {
        cells.push(Cell {
            text: grouped(number),
            sorted: sort == by,
        });
    }
    cells
}

fn heading(board: &Board) -> String {
    let scope = match board.scope {
        Scope::Local => "Farms of this village",
        Scope::Federated => "Farms of all villages",
    };
    format!("{scope} by {}", label(board.sort).to_lowercase())
}

fn label(sort: Sort) -> String {
    match sort {
        Sort::Coins => "Coins".to_owned(),
        Sort::Streak => "Streak".to_owned(),
        Sort::Level => "Level".to_owned(),
        Sort::Category(category) => capitalised(category.as_str()),
    }
}

fn unit(sort: Sort) -> &'static str {
    match sort {
        Sort::Coins | Sort::Category(_) => "coins",
        Sort::Streak => "days in a row",
        Sort::Level => "levels",
    }
}

fn scopes(board: &Board) -> Vec<Choice> {
    [
        (Scope::Local, "This village"),
        (Scope::Federated, "All villages"),
    ]
    .into_iter()
    .map(|(scope, label)| Choice {
        label: label.to_owned(),
        href: href(
            &Board {
                scope,
                ..board.clone()
            },
            None,
        ),
        here: scope == board.scope,
    })
    .collect()
}

fn sorts(board: &Board) -> Vec<Choice> {
    let categories = Category::ALL.iter().copied().map(Sort::Category);
    [Sort::Coins, Sort::Streak, Sort::Level]
        .into_iter()
        .chain(categories)
        .map(|sort| Choice {
            label: label(sort),
            href: href(
                &Board {
                    sort,
                    ..board.clone()
                },
                None,
            ),
            here: sort == board.sort,
        })
        .collect()
}

fn season_choices(board: &Board, seasons: &[String]) -> Vec<Choice> {
    std::iter::once(None)
        .chain(seasons.iter().map(Some))
        .map(|season| Choice {
            label: season.map_or_else(|| "Now".to_owned(), Clone::clone),
            href: href(
                &Board {
                    season: season.cloned(),
                    ..board.clone()
                },
                None,
            ),
            here: season == board.season.as_ref(),
        })
        .collect()
}

/// The address of a board, without what is so anyway.
fn href(board: &Board, cursor: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    if board.scope != Scope::Local {
        query.append_pair("scope", board.scope.as_str());
    }
    if board.sort != Sort::Coins {
        query.append_pair("sort", &board.sort.to_string());
    }
    if let Some(season) = &board.season {
        query.append_pair("season", season);
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    match query.finish() {
        empty if empty.is_empty() => "/".to_owned(),
        query => format!("/?{query}"),
    }
}
