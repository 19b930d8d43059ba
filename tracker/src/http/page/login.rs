//! Logging in by the owner's token, and out.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use farmops_service::problem::{FormFields, Problem};
use http::StatusCode;

use super::{frame::OwnersForm, plain, set_cookie};
use crate::app::App;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    failed: bool,
}

/// The form that asks for the owner's token.
pub(in crate::http) async fn login() -> Result<Response, Problem> {
    plain(&LoginPage { failed: false }, StatusCode::OK)
}

/// Opens a session for whoever has the owner's token.
pub(in crate::http) async fn log_in(
    State(app): State<App>,
    FormFields(fields): FormFields<4096>,
) -> Result<Response, Problem> {
    let token = fields.iter().find(|(name, _)| name == "token");
    if !token.is_some_and(|(_, token)| app.keyring.is_owner(token.trim())) {
        return plain(&LoginPage { failed: true }, StatusCode::UNAUTHORIZED);
    }
    let mut response = Redirect::to("/").into_response();
    set_cookie(
        &mut response,
        app.sessions().open(app.now(), &mut rand::rng()),
    );
    Ok(response)
}

/// Ends the session, also for whoever has a copy of its cookie.
pub(in crate::http) async fn log_out(State(app): State<App>, form: OwnersForm) -> Response {
    app.keyring.close(form.session(), app.now());
    let mut response = Redirect::to("/").into_response();
    set_cookie(&mut response, app.sessions().close());
    response
}
