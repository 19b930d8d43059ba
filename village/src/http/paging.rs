//! Pages of lists: how many rows, where they begin, and the `Link` to the next (RFC 8288).

use farmops_protocol::field::FieldError;
use farmops_service::problem::Problem;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use url::Url;

use super::problems;
use crate::{
    board::{Board, BoardCursor, BoardEntry, read_cursor, write_cursor},
    limits::PAGE_ROWS,
    village::Village,
};

/// A cursor of a list that is ordered by one text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    list: String,
    after: String,
}

impl After {
    /// The cursor after the row with this key.
    pub(crate) fn write(list: &str, after: &str) -> String {
        write_cursor(&Self {
            list: list.to_owned(),
            after: after.to_owned(),
        })
    }

    /// The key after which `list` goes on.
    pub(crate) fn read(list: &str, cursor: Option<&str>) -> Result<Option<String>, Problem> {
        let Some(text) = cursor else { return Ok(None) };
        let cursor: Self = read_cursor(text).map_err(problems::query)?;
        if cursor.list == list {
            Ok(Some(cursor.after))
        } else {
            Err(Problem::bad_request("cursor", "belongs to another list"))
        }
    }
}

/// How many rows are asked for: 1 to `max`.
pub(super) fn limit(asked: Option<&str>, unasked: u32, max: u32) -> Result<u32, Problem> {
    let Some(text) = asked else {
        return Ok(unasked);
    };
    match text.parse() {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad_request(
            "limit",
            format!("expected 1 to {max}"),
        )),
    }
}

/// The `Link` header to the next page: `path` with these parameters and the cursor.
pub(super) fn next_link(
    village: &Village,
    path: &str,
    parameters: &[(&str, &str)],
    next: Option<&str>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(cursor) = next {
        let mut url: Url = village.url_of(path);
        url.query_pairs_mut()
            .extend_pairs(parameters)
            .append_pair("cursor", cursor);
        if let Ok(link) = HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")) {
            headers.insert(header::LINK, link);
        }
    }
    headers
}

/// A page of a board and the cursor of the next one; the API and the pages both read it here.
pub(crate) async fn page_of_board(
    village: &Village,
    board: &Board,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<(Vec<BoardEntry>, Option<String>), Problem> {
    let after = cursor
        .map(|text| BoardCursor::read(text, board))
        .transpose()
        .map_err(|e: FieldError| problems::query(e))?;
    let limit = limit.unwrap_or(PAGE_ROWS);
    let mut entries = village
        .store()
        .board(board, after.as_ref(), limit + 1)
        .await
        .map_err(problems::store)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| write_cursor(&BoardCursor::after(board, last)));
    Ok((entries, next))
}
