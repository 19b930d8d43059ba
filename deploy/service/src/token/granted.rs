//! The check at a handler's door: who asks, and whether that is enough (RFC 6750, section 3).
//!
//! A service implements [`TokenStore`] for its state and writes `Granted<Farm>` among a handler's
//! arguments, or guards a whole table with `axum::middleware::from_extractor_with_state`.

use std::error::Error;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::bearer;
use super::scope::Scope;
use super::scoped::{ScopedToken, TokenId};
use crate::problem::Problem;
use crate::rate_limit::RateKey;

/// Where a service keeps its tokens.
pub trait TokenStore: Send + Sync {
    /// Why it does not answer.
    type Error: Error + 'static;

    /// Whether this is the token that may do everything: the owner's, or the admin's. Takes the same time
    /// for every wrong answer.
    fn is_master(&self, presented: &str) -> bool;

    /// The token with this id, expired or not; `None` if there is none (or no more).
    fn token(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<Option<ScopedToken>, Self::Error>> + Send;

    /// Notes when a token was used, to within five minutes: once in five minutes for each token in use.
    fn note_use(
        &self,
        id: TokenId,
        at: i64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Seconds since 1970, UTC.
    fn now(&self) -> i64;
}

/// Who has presented a token that counts. Also a request extension once the check has passed.
#[derive(Clone, Debug)]
pub enum Holder {
    /// The holder of the master token.
    Master,
    /// Who was given this one.
    Scoped(Box<ScopedToken>),
}

impl Holder {
    /// Whether this holder may do what needs the scope.
    pub fn may(&self, scope: &str) -> bool {
        match self {
            Self::Master => true,
            Self::Scoped(token) => token.scopes.contains(scope),
        }
    }

    /// The id of the token, unless it is the master.
    pub fn token_id(&self) -> Option<TokenId> {
        match self {
            Self::Master => None,
            Self::Scoped(token) => Some(token.id),
        }
    }

    fn rate_key(&self) -> RateKey {
        RateKey(match self {
            Self::Master => "master".to_owned(),
            Self::Scoped(token) => token.id.to_string(),
        })
    }
}

/// Finds the holder of the request's bearer token, or the 401 to answer with.
pub async fn authenticate<S: TokenStore>(
    store: &S,
    headers: &HeaderMap,
) -> Result<Holder, Problem> {
    let presented = bearer(headers).ok_or_else(Problem::unauthorized)?;
    if store.is_master(presented) {
        return Ok(Holder::Master);
    }
    let unknown = || invalid("the token is unknown");
    let id = TokenId::of_presented(presented).ok_or_else(unknown)?;
    let found = store
        .token(id)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let token = found
        .filter(|token| token.hash.matches(presented))
        .ok_or_else(unknown)?;
    let now = store.now();
    if token.is_expired(now) {
        return Err(invalid("the token has expired"));
    }
    if let Some(at) = token.use_to_note(now)
        && let Err(error) = store.note_use(id, at).await
    {
        // No reason to refuse the request.
        tracing::warn!(%error, "the use of a token was not noted");
    }
    Ok(Holder::Scoped(Box::new(token)))
}

/// A holder who may do what needs the scope `S`.
pub struct Granted<S: Scope> {
    /// Who it is.
    pub holder: Holder,
    scope: PhantomData<fn() -> S>,
}

impl<S: Scope, T: TokenStore> FromRequestParts<T> for Granted<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, store: &T) -> Result<Self, Problem> {
        let holder = match parts.extensions.get::<Holder>() {
            // An outer check has passed already.
            Some(holder) => holder.clone(),
            None => authenticate(store, &parts.headers).await?,
        };
        if !holder.may(S::NAME) {
            return Err(lacking(S::NAME));
        }
        parts.extensions.insert(holder.rate_key());
        parts.extensions.insert(holder.clone());
        Ok(Self {
            holder,
            scope: PhantomData,
        })
    }
}

fn invalid(reason: &'static str) -> Problem {
    let field = format!(r#"Bearer error="invalid_token", error_description="{reason}""#);
    Problem::unauthorized()
        .detail(reason)
        .header(WWW_AUTHENTICATE, field_value(field))
}

fn lacking(scope: &'static str) -> Problem {
    let field = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
    Problem::new(StatusCode::FORBIDDEN, "insufficient-scope")
        .detail(format!("this needs a token with the scope `{scope}`"))
        .extension("scope", scope)
        .header(WWW_AUTHENTICATE, field_value(field))
}

fn field_value(text: String) -> HeaderValue {
    // Constants of ours in ASCII; without them the scheme is still right.
    HeaderValue::from_maybe_shared(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}
