//! The pages: the owner's farm at `/`, the public profile for everyone else. They work without scripts.

mod actions;
mod view;

use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use farmops_service::problem::Problem;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE},
};
use serde::Deserialize;

pub(super) use self::actions::{approve, join, revoke};
use self::view::{OwnerPage, VisitorPage};
use crate::app::App;

/// No scripts at all; styles, pictures and forms from here only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The owner's farm, or the public profile.
pub(super) async fn home(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    match app.sessions.read(&headers, app.now()) {
        Some(session) => page(
            &OwnerPage::gather(&app, &session, None).await?,
            StatusCode::OK,
        ),
        None => page(&VisitorPage::gather(&app).await?, StatusCode::OK),
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    title: &'static str,
    failed: bool,
}

/// The form that asks for the owner's token.
pub(super) async fn login() -> Result<Response, Problem> {
    let title = "Log in";
    page(
        &LoginPage {
            title,
            failed: false,
        },
        StatusCode::OK,
    )
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    token: String,
}

/// Opens a session for whoever has the owner's token.
pub(super) async fn log_in(
    State(app): State<App>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Problem> {
    if !app.owner.matches(credentials.token.trim()) {
        let title = "Log in";
        return page(
            &LoginPage {
                title,
                failed: true,
            },
            StatusCode::UNAUTHORIZED,
        );
    }
    let cookie = app.sessions.open(app.now(), &mut rand::rng());
    Ok(with_cookie(Redirect::to("/").into_response(), cookie))
}

/// What every form of a session carries.
#[derive(Deserialize)]
pub(super) struct FormToken {
    form_token: String,
}

/// Ends the session.
pub(super) async fn log_out(
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<FormToken>,
) -> Result<Response, Problem> {
    actions::session(&app, &headers, &form.form_token)?;
    Ok(with_cookie(
        Redirect::to("/").into_response(),
        app.sessions.close(),
    ))
}

/// The style sheet.
pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("../../templates/tracker.css"))
}

fn page(template: &impl Template, status: StatusCode) -> Result<Response, Problem> {
    let text = template.render().map_err(|e| Problem::internal(&e))?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((status, headers, text).into_response())
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
