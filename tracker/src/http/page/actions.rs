//! What the owner's forms do. Each calls what the API calls, after checking session and form token.

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use farmops_protocol::key::Fingerprint;
use farmops_service::problem::Problem;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use super::{FormToken, page, view::OwnerPage};
use crate::{app::App, session::Session, villages, writer::Since};

/// The session that sent a form; refuses a form that none of its pages made.
pub(super) fn session(
    app: &App,
    headers: &HeaderMap,
    form_token: &str,
) -> Result<Session, Problem> {
    app.sessions
        .read(headers, app.now())
        .filter(|session| session.made(form_token))
        .ok_or_else(|| Problem::forbidden("the session has ended; log in again"))
}

#[derive(Deserialize)]
pub(in crate::http) struct Approval {
    form_token: String,
    fingerprint: String,
}

/// Approves an agent whose fingerprint the owner typed or confirmed.
pub(in crate::http) async fn approve(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Approval>,
) -> Result<Response, Problem> {
    let session = session(&app, &headers, &form.form_token)?;
    let outcome = match form.fingerprint.parse::<Fingerprint>() {
        Ok(fingerprint) => app
            .writer
            .approve(id, fingerprint)
            .await
            .map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    };
    done(&app, &session, outcome.map(|_| ())).await
}

/// Revokes an agent.
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<FormToken>,
) -> Result<Response, Problem> {
    let session = session(&app, &headers, &form.form_token)?;
    let outcome = app
        .writer
        .revoke(id, Since::Now)
        .await
        .map_err(|e| e.to_string());
    done(&app, &session, outcome.map(|_| ())).await
}

#[derive(Deserialize)]
pub(in crate::http) struct Joining {
    form_token: String,
    url: String,
    invite: String,
}

/// Joins a village.
pub(in crate::http) async fn join(
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Joining>,
) -> Result<Response, Problem> {
    let session = session(&app, &headers, &form.form_token)?;
    let invite = Some(form.invite.trim()).filter(|invite| !invite.is_empty());
    let outcome = villages::join(&app, &form.url, invite)
        .await
        .map_err(|e| e.to_string());
    done(&app, &session, outcome.map(|_| ())).await
}

/// Back to the page, or the page with what went wrong.
async fn done(
    app: &App,
    session: &Session,
    outcome: Result<(), String>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(reason) => {
            let shown = OwnerPage::gather(app, session, Some(reason)).await?;
            page(&shown, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}
