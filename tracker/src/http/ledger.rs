//! `/api/v1/ledger`: the entries themselves, so that their owner can check everything again.

use axum::{Json, extract::State};
use farmops_protocol::{digest::Digest, int::SafeUint, time::Timestamp};
use farmops_service::problem::{Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::refused::not_read;
use crate::{app::App, store::LineBody};

/// Entries on a page at most, and unless the caller asks for fewer.
pub(crate) const PAGE_MAX: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only entries after this one.
    #[serde(default)]
    after: SafeUint,
    /// Entries on the page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// A page of the ledger.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerPage)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Line>,
}

/// One entry; the body is the canonical text that the log commits to, or null once it is archived.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(crate) struct Line {
    pub(crate) position: u64,
    pub(crate) kind: String,
    pub(crate) recorded_at: Timestamp,
    /// What happened, in sentences for people.
    pub(crate) text: String,
    #[schema(value_type = Option<Object>)]
    pub(crate) body: Option<Box<RawValue>>,
    /// Of an archived body: the commitment to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commitment: Option<Digest>,
}

/// Lists entries, the first one first.
#[utoipa::path(
    get,
    path = "/api/v1/ledger",
    tag = "ledger",
    params(Wanted),
    responses((status = 200, description = "A page of entries", body = Page)),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>, Problem> {
    let limit = wanted.limit.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::bad_request(
            "limit",
            format!("expected 1 to {PAGE_MAX}"),
        ));
    }
    let lines = app
        .reads
        .ledger(wanted.after.value(), limit)
        .await
        .map_err(not_read)?;
    let entries = lines
        .into_iter()
        .map(|line| {
            let text = line.told();
            let (body, commitment) = match line.body {
                LineBody::Here(body) => (Some(raw(body)?), None),
                LineBody::Archived(commitment) => (None, Some(commitment)),
            };
            Ok(Line {
                text,
                position: line.position,
                kind: line.kind,
                recorded_at: line.recorded_at,
                body,
                commitment,
            })
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Json(Page { entries }))
}

/// Canonical bytes as they are.
pub(super) fn raw(bytes: Vec<u8>) -> Result<Box<RawValue>, Problem> {
    let text = String::from_utf8(bytes).map_err(|e| Problem::internal(&e))?;
    RawValue::from_string(text).map_err(|e| Problem::internal(&e))
}
