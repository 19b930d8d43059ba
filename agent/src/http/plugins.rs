//! `GET /api/v1/plugins` and `POST /api/v1/plugins/reload`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
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
    match shown.plugins.reload().await {
        Ok(()) => Ok(list(State(shown)).await),
        Err(RuntimeError::Manifest(error)) => {
            Err(Problem::unprocessable("plugins", error.to_string()).code("manifest-invalid"))
        }
        Err(error @ RuntimeError::Socket(_)) => Err(Problem::internal(&error)),
    }
}
