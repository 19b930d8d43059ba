//! `/checkpoint` and `/tile/…`: the transparency log, for everyone, by C2SP `tlog-tiles`.
//!
//! The files say that there are entries, and nothing of what they are. A partial tile is immutable too:
//! its path has its width.

use axum::{extract::State, response::Response};
use farmops_protocol::log::Tile;
use farmops_service::problem::Problem;
use http::{HeaderMap, Uri};

use super::{
    etag::{immutable, tagged},
    refused::not_read,
};
use crate::app::App;

/// The latest signed head.
#[utoipa::path(
    get,
    path = "/checkpoint",
    tag = "public",
    params(("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "A C2SP `tlog-checkpoint`", body = String, content_type = "text/plain"), (status = 304, description = "It is what `If-None-Match` names"), (status = 404, description = "Nothing was signed yet")),
)]
pub(super) async fn checkpoint(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let signed = app.reads.checkpoint().await.map_err(not_read)?;
    let signed = signed.ok_or_else(|| Problem::not_found("checkpoint"))?;
    Ok(tagged(
        &headers,
        "text/plain; charset=utf-8",
        signed.note.into_bytes(),
    ))
}

/// A tile or an entry bundle. There is one spelling of its path; any other is not found.
#[utoipa::path(
    get,
    path = "/tile/{path}",
    tag = "public",
    params(("path" = String, Path, description = "Level and index, like `0/x001/234` or `entries/000.p/5`"), ("If-None-Match" = Option<String>, Header, description = "A tag that was answered before")),
    responses((status = 200, description = "A tile or an entry bundle (C2SP `tlog-tiles`)", body = Vec<u8>, content_type = "application/octet-stream"), (status = 304, description = "It is what `If-None-Match` names")),
)]
pub(super) async fn tile(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let absent = || Problem::not_found("tile");
    // The path as it was sent: an escaped spelling is another one.
    let path = uri.path().strip_prefix('/').ok_or_else(absent)?;
    let tile: Tile = path.parse().map_err(|_| absent())?;
    let file = app.reads.tile(&tile).await.map_err(not_read)?;
    let file = file.ok_or_else(absent)?;
    Ok(immutable(&headers, "application/octet-stream", file))
}
