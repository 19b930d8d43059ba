//! The tokens that the owner made for programs, a new one shown once, and the end of all sessions.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use farmops_protocol::time::Timestamp;
use farmops_service::{
    problem::Problem,
    token::{Holder, ScopedToken, Token},
};

use super::{
    frame::{Fault, Fields, Frame, Owner, OwnersForm, capital, done, sentence},
    framed,
    when::When,
};
use crate::{
    app::App,
    domain::Schedule,
    http::farm::figures,
    keyring::{KeyringError, TokenScope, Wanted, scopes_of},
};

const PATH: &str = "/settings/tokens";
const DAY_SECONDS: i64 = 86_400;
/// How long a token may be good for: days, and the same in words.
const TERMS: [(&str, &str); 4] = [
    ("90", "90 days"),
    ("30", "30 days"),
    ("365", "a year"),
    ("", "as long as it is not revoked"),
];

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    frame: Frame,
    tokens: Vec<Row>,
    /// A token that was made just now, and its label.
    made: Option<(String, String)>,
}

/// A token in the list.
struct Row {
    label: String,
    scopes: Vec<&'static str>,
    created: When,
    expires: Option<When>,
    used: Option<When>,
    expired: bool,
}

impl Row {
    fn of(token: &ScopedToken, schedule: &Schedule, now: Timestamp) -> Self {
        let when = |second: i64| Timestamp::from_second(second).map(|at| When::new(schedule, at));
        Self {
            label: token.label.to_string(),
            scopes: scopes_of(token).map(TokenScope::as_str).collect(),
            // It was the clock's own.
            created: when(token.created_at).unwrap_or_else(|| When::new(schedule, now)),
            expires: token.expires_at.and_then(when),
            used: token.last_used.and_then(when),
            expired: token.is_expired(now.second()),
        }
    }
}

impl TokensPage {
    /// What each scope opens.
    fn scopes() -> [(&'static str, &'static str); 5] {
        TokenScope::ALL.map(|scope| (scope.as_str(), scope.about()))
    }
}

/// Shows the tokens.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None), None).await
}

async fn page(
    app: &App,
    shown: (Owner, Option<Fault>),
    made: Option<(String, String)>,
) -> Response {
    gather(app, shown, made).await.into_response()
}

async fn gather(
    app: &App,
    (owner, fault): (Owner, Option<Fault>),
    made: Option<(String, String)>,
) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let (tokens, now) = (app.keyring.tokens(), app.now());
    let schedule = &farm.profile.schedule;
    let page = TokensPage {
        tokens: tokens
            .iter()
            .map(|token| Row::of(token, schedule, now))
            .collect(),
        made,
        frame: owner.frame(&farm, PATH, fault),
    };
    framed(app, &page.frame, &page)
}

/// Makes a token, and shows it on the page that answers: it is nowhere else.
pub(in crate::http) async fn create(State(app): State<App>, form: OwnersForm) -> Response {
    match issue(&app, &form.fields).await {
        Ok((token, record)) => {
            let made = (record.label.to_string(), token.expose().to_owned());
            page(&app, (form.owner, None), Some(made)).await
        }
        Err(error) => {
            let at = match error.field() {
                "scopes" => "token-scopes",
                "expires_at" => "token-days",
                _ => "token-label",
            };
            let reason = capital(&error.to_string());
            page(&app, form.fault(at, reason), None).await
        }
    }
}

async fn issue(app: &App, fields: &Fields) -> Result<(Token, ScopedToken), KeyringError> {
    let now = app.now();
    let scopes = TokenScope::ALL.into_iter();
    let scopes = scopes.filter(|scope| fields.has(scope.as_str()));
    let days = match fields.text("days") {
        "" => None,
        days => Some(days.parse::<u16>().map_err(|_| KeyringError::Past)?),
    };
    let expires_at = days.map(|days| now.saturating_add(i64::from(days) * DAY_SECONDS));
    let wanted = Wanted::new(fields.text("label"), scopes, expires_at)?;
    app.keyring
        .issue(&app.writer, &Holder::Master, wanted, now)
        .await
}

/// Makes a token count no longer.
pub(in crate::http) async fn revoke(State(app): State<App>, form: OwnersForm) -> Response {
    let label = form.fields.text("label");
    match app.keyring.revoke(&app.writer, label).await {
        Ok(()) => done(&app, PATH, &format!("“{label}” opens nothing any more.")),
        Err(error) => {
            let reason = capital(&error.to_string());
            page(&app, form.fault("tokens", reason), None).await
        }
    }
}

/// Ends all sessions, this one too.
pub(in crate::http) async fn end_sessions(State(app): State<App>, form: OwnersForm) -> Response {
    match app.keyring.end_sessions(&app.writer).await {
        Ok(()) => Redirect::to("/login").into_response(),
        Err(error) => page(&app, form.fault("sessions", sentence(&error)), None).await,
    }
}
