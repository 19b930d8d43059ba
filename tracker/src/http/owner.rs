//! The one check of the owner's token.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use farmops_service::{problem::Problem, token::bearer};

use crate::app::App;

/// Lets a request pass that carries the owner's token.
pub(super) async fn require_token(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let known = bearer(request.headers()).is_some_and(|token| app.keyring.is_owner(token));
    if known {
        next.run(request).await
    } else {
        Problem::unauthorized().into_response()
    }
}
