//! Body extractors that answer with a [`Problem`] and never buffer more than their cap.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Problem;
use super::parts::{field, whole};

/// The raw body, at most `MAX` bytes: for documents whose exact bytes matter.
#[derive(Clone, Debug)]
pub struct Bounded<const MAX: usize>(pub Bytes);

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for Bounded<MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX) {
            return Err(Problem::too_large(MAX));
        }
        let body: Body = request.into_body();
        match Limited::new(body, MAX).collect().await {
            Ok(collected) => Ok(Self(collected.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(MAX)),
            Err(error) => {
                tracing::debug!(error, "a request body broke off");
                Err(Problem::bad_request(whole(), "the body could not be read"))
            }
        }
    }
}

/// A JSON body of at most `MAX` bytes, declared as JSON, with nothing after it.
///
/// Malformed JSON answers 400, a value that `T` does not accept 422 with the path of the field.
/// Whether unknown members are accepted is `T`'s decision (`#[serde(deny_unknown_fields)]`).
#[derive(Clone, Debug)]
pub struct StrictJson<T, const MAX: usize = 65_536>(pub T);

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for StrictJson<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !essence(&request).is_some_and(|essence| is_json(&essence)) {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        let Bounded(bytes) = Bounded::<MAX>::from_request(request, state).await?;
        // A derived reader takes a list of an object's values for the object.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(Problem::unprocessable(whole(), "expected an object"));
        }
        parse(&bytes).map(Self)
    }
}

/// The fields of a form of at most `MAX` bytes, in order, declared as `application/x-www-form-urlencoded`.
#[derive(Clone, Debug)]
pub struct FormFields<const MAX: usize = 65_536>(pub Vec<(String, String)>);

impl<S: Send + Sync, const MAX: usize> FromRequest<S> for FormFields<MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if essence(&request).is_none_or(|essence| essence != FORM) {
            return Err(Problem::unsupported_media_type(FORM));
        }
        let Bounded(bytes) = Bounded::<MAX>::from_request(request, state).await?;
        let fields = url::form_urlencoded::parse(&bytes);
        Ok(Self(fields.into_owned().collect()))
    }
}

/// The declared media type without its parameters.
fn essence(request: &Request) -> Option<String> {
    let declared = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = declared.split(';').next()?;
    Some(essence.trim().to_ascii_lowercase())
}

fn is_json(essence: &str) -> bool {
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let reason = error.inner().to_string();
        let field = field(error.path(), &reason);
        match error.inner().classify() {
            Category::Data => Problem::unprocessable(field, reason),
            Category::Syntax | Category::Eof | Category::Io => Problem::bad_request(field, reason),
        }
    })?;
    reader
        .end()
        .map_err(|error| Problem::bad_request(whole(), error.to_string()))?;
    Ok(value)
}
