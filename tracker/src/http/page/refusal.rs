//! What a browser gets in place of a problem document: a page with the same status, in plain words, and a
//! link that leads on.

use askama::Template;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use farmops_service::problem::Problem;
use http::{
    HeaderMap, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, RETRY_AFTER},
};

use super::{
    frame::{Frame, Owner, capital},
    plain,
};
use crate::{app::App, http::farm::figures};

/// Where programs ask, whatever they say that they take.
const PROGRAMS: [&str; 8] = [
    "/api/",
    "/ap/",
    "/.well-known/",
    "/nodeinfo/",
    "/tile/",
    "/checkpoint",
    "/healthz",
    "/readyz",
];

/// Why there is no other page here, for a person.
struct Words {
    title: &'static str,
    text: String,
    /// Whether to log in is a way on.
    login: bool,
}

#[derive(Template)]
#[template(path = "refusal-owner.html")]
struct OwnersPage {
    frame: Frame,
    words: Words,
}

#[derive(Template)]
#[template(path = "refusal-visitor.html")]
struct VisitorsPage {
    words: Words,
}

/// Answers a browser with a page where others get a problem document.
pub(in crate::http) async fn explain(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let asked = is_browser(&request).then(|| request.headers().clone());
    let refused = next.run(request).await;
    let problem = refused.extensions().get::<Problem>().cloned();
    let (Some(asked), Some(problem)) = (asked, problem) else {
        return refused;
    };
    match page(&app, &asked, &problem, refused.headers()).await {
        Ok(page) => with_headers_of(page, refused),
        Err(_) => refused,
    }
}

fn is_browser(request: &Request) -> bool {
    let path = request.uri().path();
    let takes = request.headers().get_all(ACCEPT).iter();
    let mut takes = takes.filter_map(|value| value.to_str().ok());
    !PROGRAMS.iter().any(|begin| path.starts_with(begin))
        && takes.any(|value| value.contains("text/html"))
}

async fn page(
    app: &App,
    asked: &HeaderMap,
    problem: &Problem,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let mut words = words(problem, headers);
    let status = problem.status();
    if let Some(owner) = Owner::of(asked, app) {
        // Where even her farm cannot be read, the page is a visitor's.
        if let Ok(farm) = figures(app).await {
            let frame = owner.frame(&farm, "", None);
            return plain(&OwnersPage { frame, words }, status);
        }
    } else {
        words.login = true;
    }
    plain(&VisitorsPage { words }, status)
}

/// The page with what else the refusal says in its head.
fn with_headers_of(mut page: Response, refused: Response) -> Response {
    let (parts, _) = refused.into_parts();
    for (name, value) in &parts.headers {
        if name != CONTENT_LENGTH && !page.headers().contains_key(name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn words(problem: &Problem, headers: &HeaderMap) -> Words {
    let reason = problem.explanation().unwrap_or_default();
    let said = |title, text: String| Words {
        title,
        text,
        login: false,
    };
    match problem.status() {
        StatusCode::BAD_REQUEST => match problem.place() {
            Some(field) if field != "$" => said(
                "This address is not right",
                format!("“{field}” in it: {reason}."),
            ),
            _ => said("That was not understood", capital(reason)),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Words {
            login: true,
            ..said(
                "Nothing was changed",
                format!("The tracker did not take this: {reason}."),
            )
        },
        StatusCode::NOT_FOUND => said(
            "Not found",
            match reason.strip_prefix("no ") {
                Some(what) => format!("There is no {what}."),
                None => "There is no such page.".to_owned(),
            },
        ),
        StatusCode::METHOD_NOT_ALLOWED => said(
            "Not in this way",
            "This address takes what a form sends, and is no page of its own.".to_owned(),
        ),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = headers
                .get(RETRY_AFTER)
                .and_then(|after| after.to_str().ok());
            let again = match seconds {
                Some("1") | None => "Try again in a moment.".to_owned(),
                Some(seconds) => format!("Try again in {seconds} seconds."),
            };
            if problem.status() == StatusCode::TOO_MANY_REQUESTS {
                said("Too many requests", again)
            } else {
                said("The tracker cannot answer just now", again)
            }
        }
        status if status.is_server_error() => said(
            "Something went wrong inside",
            "The tracker's log says what it was.".to_owned(),
        ),
        _ => said("The tracker did not take this", capital(reason)),
    }
}
