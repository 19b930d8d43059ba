//! The pages people read: rendered here, complete without any script.

mod about;
mod assets;
mod board;
mod farmer;
mod following;
mod text;
mod view;

use askama::Template;
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use farmops_service::problem::Problem;
use http::{HeaderValue, StatusCode, header};

use self::view::Shell;
use crate::village::Village;

/// Everything from our own origin, and nothing inline: a name that slipped through every escaping
/// would still run nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages' routes.
pub(crate) fn router() -> Router<Village> {
    Router::new()
        .route("/", get(board::show))
        .route("/farmers/{handle}", get(farmer::show))
        .route("/farmers/{handle}/farm.svg", get(farmer::picture))
        .route("/following", get(following::show))
        .route("/about", get(about::show))
        .route("/assets/style.css", get(assets::style))
        .route("/assets/live.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
}

/// A page that cannot be shown, as a page.
struct PageError {
    village: Village,
    problem: Problem,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    heading: &'static str,
    text: &'static str,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.problem.status();
        let (heading, text) = match status {
            StatusCode::NOT_FOUND => (
                "Nobody home",
                "There is no such farm here, or its farmer has moved on.",
            ),
            StatusCode::BAD_REQUEST => ("No such board", "This address has a part we cannot read."),
            _ => (
                "Something broke",
                "It was our fault, and it has been noted. Please try again.",
            ),
        };
        let page = ErrorPage {
            shell: Shell::of(&self.village, ""),
            heading,
            text,
        };
        (status, render(&page)).into_response()
    }
}

impl Village {
    fn page_error(&self, problem: Problem) -> PageError {
        PageError {
            village: self.clone(),
            problem,
        }
    }
}

fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let policy = HeaderValue::from_static(POLICY);
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}
