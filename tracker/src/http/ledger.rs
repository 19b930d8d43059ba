//! `/api/v1/ledger`: the entries themselves, so that their owner can check everything again.

use axum::{Json, extract::State};
use farmops_protocol::time::Timestamp;
use farmops_service::problem::{Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::refused::not_read;
use crate::{app::App, ledger::Event};

/// Entries on a page at most, and unless the caller asks for fewer.
pub(crate) const PAGE_MAX: u32 = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    after: u64,
    limit: Option<u32>,
}

/// A page of the ledger.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Line>,
}

/// One entry; the body is the canonical text that the log commits to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) position: u64,
    pub(crate) kind: String,
    pub(crate) recorded_at: Timestamp,
    /// What happened, in sentences for people.
    pub(crate) text: String,
    pub(crate) body: Box<RawValue>,
}

/// Lists entries, the first one first.
pub(super) async fn list(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let lines = app
        .reads
        .ledger(wanted.after, limit)
        .await
        .map_err(not_read)?;
    let entries = lines
        .into_iter()
        .map(|line| {
            let told = Event::read(&line.kind, &line.body).map(|event| event.told());
            let text = String::from_utf8(line.body).map_err(|e| Problem::internal(&e))?;
            Ok(Line {
                // An entry of a later version is shown all the same.
                text: told.unwrap_or_else(|_| line.kind.clone()),
                position: line.position,
                kind: line.kind,
                recorded_at: line.recorded_at,
                body: RawValue::from_string(text).map_err(|e| Problem::internal(&e))?,
            })
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Json(Page { entries }))
}
