//! The pages: the owner's farm, and the public profile for everyone else.
//!
//! They are made here and work without scripts; one page has a script, to arrange the farm by hand. A
//! page needs a session, a form needs one and the token that its page gave it.
//!
//! To add a page: 1. a file here with its template; 2. a line in the table of pages in `frame`; 3. a
//! route.

mod agents;
mod archive;
mod arrange;
mod chart;
mod coins;
mod days;
mod filters;
mod frame;
mod leagues;
mod login;
mod overview;
mod people;
mod proofs;
mod reference;
mod refusal;
mod rules;
mod settings;
mod shop;
mod tokens;
mod villages;
mod when;
mod year;

use askama::Template;
use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use farmops_service::problem::Problem;
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE},
};

use self::frame::Frame;
pub(super) use self::refusal::explain;
use crate::app::App;

/// No scripts at all; styles, pictures and forms from here only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The routes for browsers.
pub(super) fn routes(app: App) -> Router {
    Router::new()
        .route("/", get(overview::home))
        .route("/api", get(reference::show))
        .route("/login", get(login::login).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/coins", get(coins::show))
        .route("/days", get(days::show))
        .route("/days/rest", post(days::rest))
        .route("/days/calendar", post(days::calendar))
        .route("/proofs", get(proofs::list))
        .route("/proofs/{id}", get(proofs::one))
        .route("/agents", get(agents::show))
        .route("/agents/{id}/approve", post(agents::approve))
        .route("/agents/{id}/dismiss", post(agents::dismiss))
        .route("/agents/{id}/revoke", post(agents::revoke))
        .route("/agents/{id}/reset-chain", post(agents::reset_chain))
        .route("/shop", get(shop::show))
        .route("/shop/buy", post(shop::buy))
        .route("/arrange", get(arrange::show))
        .route("/arrange/place", post(arrange::place))
        .route("/arrange/name", post(arrange::rename))
        .route("/villages", get(villages::show))
        .route("/villages/join", post(villages::join))
        .route("/villages/leave", post(villages::leave))
        .route("/villages/leagues", get(leagues::show).post(leagues::take))
        .route("/villages/leagues/leave", post(leagues::leave))
        .route("/people", get(people::show))
        .route("/people/accept", post(people::accept))
        .route("/people/reject", post(people::reject))
        .route("/people/block", post(people::block))
        .route("/people/unblock", post(people::unblock))
        .route("/people/follow", post(people::follow))
        .route("/people/unfollow", post(people::unfollow))
        .route("/rules", get(rules::show).post(rules::adopt))
        .route("/settings", get(settings::show))
        .route("/settings/name", post(settings::rename))
        .route("/settings/tokens", get(tokens::show).post(tokens::create))
        .route("/settings/tokens/revoke", post(tokens::revoke))
        .route("/settings/sessions/end", post(tokens::end_sessions))
        .route("/settings/ledger.jsonl", get(settings::ledger))
        .route("/settings/farm.tar", get(archive::download))
        .route("/assets/tracker.css", get(style))
        .route("/assets/arrange.js", get(script))
        .route("/assets/icon.svg", get(icon))
        .with_state(app)
}

/// The style sheet.
async fn style() -> impl IntoResponse {
    let text = include_str!("../../assets/tracker.css");
    asset("text/css; charset=utf-8", text)
}

/// The script of the page where the farm is arranged.
async fn script() -> impl IntoResponse {
    let text = include_str!("../../assets/arrange.js");
    asset("text/javascript; charset=utf-8", text)
}

/// What stands for the pages among a browser's tabs.
async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../assets/icon.svg"))
}

fn asset(media_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text).into_response()
}

/// A page for anyone.
fn plain(template: &impl Template, status: StatusCode) -> Result<Response, Problem> {
    let text = template.render().map_err(|e| Problem::internal(&e))?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((status, headers, text).into_response())
}

/// A page of the owner.
fn framed(app: &App, frame: &Frame, template: &impl Template) -> Result<Response, Problem> {
    let mut response = plain(template, frame.status())?;
    if frame.told.is_some() {
        set_cookie(&mut response, app.sessions().forget_told());
    }
    Ok(response)
}

fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
