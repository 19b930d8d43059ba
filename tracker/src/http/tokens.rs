//! `/api/v1/tokens`, `/api/v1/owner-token`, `/api/v1/sessions`: who else may do what.

use axum::{Json, extract::State, response::IntoResponse};
use farmops_protocol::time::Timestamp;
use farmops_service::{
    problem::{Path, Problem, StrictJson},
    token::{Granted, Holder, NotAToken, ScopedToken, Token},
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderName},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{owner::Admin, refused::not_written};
use crate::{
    app::App,
    keyring::{KeyringError, TokenScope, Wanted, scopes_of},
};

const NO_STORE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenList)]
pub(super) struct Tokens {
    tokens: Vec<Shown>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
struct Shown {
    label: String,
    /// The hexadecimal digits in the token that tell it apart; no secret.
    id: String,
    scopes: Vec<TokenScope>,
    created_at: Timestamp,
    /// From then on it is refused; null: never.
    expires_at: Option<Timestamp>,
    /// To within five minutes; null: never.
    last_used: Option<Timestamp>,
    expired: bool,
}

impl Shown {
    fn of(token: &ScopedToken, now: Timestamp) -> Self {
        let time = |second: i64| Timestamp::from_second(second);
        Self {
            label: token.label.to_string(),
            id: token.id.to_string(),
            scopes: scopes_of(token).collect(),
            // It was the clock's own.
            created_at: time(token.created_at).unwrap_or(now),
            expires_at: token.expires_at.and_then(time),
            last_used: token.last_used.and_then(time),
            expired: token.is_expired(now.second()),
        }
    }
}

/// Lists the tokens that the owner made, by label. The tokens themselves are nowhere.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "tokens",
    responses((status = 200, description = "The tokens, by label", body = Tokens)),
)]
pub(super) async fn list(State(app): State<App>) -> Json<Tokens> {
    let (tokens, now) = (app.keyring.tokens(), app.now());
    Json(Tokens {
        tokens: tokens.iter().map(|token| Shown::of(token, now)).collect(),
    })
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// What it is called: 1 to 64 characters on one line.
    #[schema(min_length = 1)]
    label: String,
    /// What it may do: at most what the token may by which it is made.
    #[schema(min_items = 1)]
    scopes: Vec<TokenScope>,
    /// From when on it is refused; it does not outlive the token by which it is made.
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewToken)]
pub(super) struct Made {
    /// The token. It is shown this once.
    token: String,
    #[serde(flatten)]
    shown: Shown,
}

/// Makes a token, which is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "tokens",
    request_body(content = Wish),
    responses((status = 201, description = "The token, shown this once", body = Made)),
)]
pub(super) async fn create(
    State(app): State<App>,
    by: Granted<Admin>,
    StrictJson(wish): StrictJson<Wish, 4096>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.now();
    let wanted = Wanted::new(&wish.label, wish.scopes, wish.expires_at);
    let wanted = wanted.map_err(|error| refused(&error))?;
    let made = app.keyring.issue(&app.writer, &by.holder, wanted, now);
    let (token, record) = made.await.map_err(|error| refused(&error))?;
    let made = Made {
        token: token.expose().to_owned(),
        shown: Shown::of(&record, now),
    };
    Ok((StatusCode::CREATED, NO_STORE, Json(made)))
}

/// Makes a token count no longer.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{label}",
    tag = "tokens",
    params(("label" = String, Path, description = "The token's label")),
    responses((status = 204, description = "It counts no longer")),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    Path(label): Path<String>,
) -> Result<StatusCode, Problem> {
    let revoked = app.keyring.revoke(&app.writer, &label).await;
    revoked.map_err(|error| refused(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The owner's token to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OwnerToken)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnersToken {
    /// 32 random bytes in base64url.
    #[schema(min_length = 43, max_length = 43)]
    token: String,
}

/// Makes another token the owner's, in place of hers, by which this is asked. All sessions end. Whoever asks
/// makes the token, so it is not lost with the answer.
#[utoipa::path(
    put,
    path = "/api/v1/owner-token",
    tag = "tokens",
    request_body(content = OwnersToken),
    responses((status = 204, description = "It is hers now")),
)]
pub(super) async fn replace_owner(
    State(app): State<App>,
    by: Granted<Admin>,
    StrictJson(next): StrictJson<OwnersToken, 1024>,
) -> Result<StatusCode, Problem> {
    let Holder::Master = by.holder else {
        return Err(Problem::forbidden("only the owner's own token does this"));
    };
    let token: Token = next
        .token
        .parse()
        .map_err(|error: NotAToken| Problem::unprocessable("token", error.to_string()))?;
    let replaced = app.keyring.replace_owner(&app.writer, &token, app.now());
    replaced.await.map_err(|error| not_written(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all browser sessions of the owner.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    tag = "tokens",
    responses((status = 204, description = "They have ended")),
)]
pub(super) async fn end_sessions(State(app): State<App>) -> Result<StatusCode, Problem> {
    let ended = app.keyring.end_sessions(&app.writer).await;
    ended.map_err(|error| not_written(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn refused(error: &KeyringError) -> Problem {
    let problem = match error {
        KeyringError::Label(_) | KeyringError::NoScope | KeyringError::Past => {
            Problem::unprocessable("", error.to_string())
        }
        KeyringError::LabelTaken => Problem::conflict(error.to_string()).code("label-taken"),
        KeyringError::Full => Problem::conflict(error.to_string()).code("too-many-tokens"),
        KeyringError::Outlives => Problem::forbidden(error.to_string()),
        KeyringError::Beyond(scope) => Problem::forbidden(error.to_string())
            .code("insufficient-scope")
            .extension("scope", scope),
        KeyringError::Unknown => Problem::not_found("token"),
        KeyringError::Write(error) => return not_written(error),
    };
    problem.field(error.field())
}
