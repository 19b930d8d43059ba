//! `GET /api/v1/plugins`, `POST /api/v1/plugins/reload`, `POST /api/v1/plugins/{owner}/{name}/rollback`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use farmops_service::problem::Problem;
use serde::Serialize;

use super::Shown;
use crate::plugins::{PluginView, RuntimeError};

#[derive(Serialize)]
pub(super) struct Plugins {
    plugins: Vec<PluginView>,
}

pub(super) async fn list(State(shown): State<Arc<Shown>>) -> Json<Plugins> {
    Json(Plugins {
        plugins: shown.plugins.views(),
    })
}

pub(super) async fn reload(State(shown): State<Arc<Shown>>) -> Result<Json<Plugins>, Problem> {
    shown.plugins.reload().await.map_err(problem)?;
    Ok(list(State(shown)).await)
}

pub(super) async fn roll_back(
    State(shown): State<Arc<Shown>>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Plugins>, Problem> {
    let id = format!("{owner}/{name}");
    shown.plugins.roll_back(&id).await.map_err(problem)?;
    Ok(list(State(shown)).await)
}

fn problem(error: RuntimeError) -> Problem {
    let text = error.to_string();
    match error {
        RuntimeError::Manifest(_) => {
            Problem::unprocessable("plugins", text).code("manifest-invalid")
        }
        RuntimeError::Refused(refused) => Problem::unprocessable("plugins", text)
            .code("plugins-refused")
            .extension("refused", refused),
        RuntimeError::NoSuchPlugin(_) => Problem::not_found("plugin"),
        RuntimeError::NoPrevious(_) => Problem::conflict(text).code("no-previous-version"),
        RuntimeError::Stopping => Problem::unavailable(1),
        RuntimeError::Socket(_) => Problem::internal(&error),
    }
}
