//! `/api/v1/farm/layout`: the document in which devices arrange the farm.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use farmops_farm::layout::LAYOUT_BYTES_MAX;
use farmops_service::problem::{Bounded, Problem};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use super::refused::{not_read, not_written};
use crate::{app::App, desk::DeskError};

/// What an Automerge document is called on the way.
const MEDIA_TYPE: &str = "application/octet-stream";

/// The whole document.
#[utoipa::path(
    get,
    path = "/api/v1/farm/layout",
    tag = "farm",
    responses((status = 200, description = "The document, as Automerge saves it", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(super) async fn document(State(app): State<App>) -> Result<Response, Problem> {
    Ok(answer(app.desk.document(&app).await?))
}

/// Takes in what a device changed, a whole document or changes, and answers with both.
#[utoipa::path(
    post,
    path = "/api/v1/farm/layout/changes",
    tag = "farm",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The document with both", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(super) async fn merge(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bounded<LAYOUT_BYTES_MAX>, Problem>,
) -> Result<Response, Problem> {
    if headers.get(CONTENT_TYPE) != Some(&HeaderValue::from_static(MEDIA_TYPE)) {
        return Err(Problem::unsupported_media_type(MEDIA_TYPE));
    }
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    Ok(answer(app.desk.merge(&app, bytes.to_vec()).await?))
}

fn answer(document: Vec<u8>) -> Response {
    let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
    (headers, document).into_response()
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Layout(reason) => {
                Self::unprocessable("$", reason.to_string()).code(reason.code())
            }
            DeskError::Edit(reason) => Self::new(StatusCode::CONFLICT, reason.code())
                .field("cell")
                .detail(reason.to_string()),
            DeskError::Store(cause) => not_read(cause),
            DeskError::Write(cause) => not_written(&cause),
            DeskError::Thread(cause) => Self::internal(&cause),
        }
    }
}
