//! A JSON body that may be left out.

use axum::{
    body::HttpBody as _,
    extract::{FromRequest, Request},
};
use farmops_service::problem::{Problem, StrictJson};
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

/// A JSON body of at most `MAX` bytes, or the default where there is none at all, or null.
#[derive(Debug)]
pub(super) struct MaybeJson<T, const MAX: usize>(pub(super) T);

impl<S, T, const MAX: usize> FromRequest<S> for MaybeJson<T, MAX>
where
    S: Send + Sync,
    T: DeserializeOwned + Default,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() && !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(Self(T::default()));
        }
        let StrictJson(body) = StrictJson::<Option<T>, MAX>::from_request(request, state).await?;
        Ok(Self(body.unwrap_or_default()))
    }
}
