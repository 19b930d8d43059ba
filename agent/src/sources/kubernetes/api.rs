//! The API server: what is asked of it, and what its answers mean.
//!
//! Answers are read as they come and never held whole beyond a bound; objects stay plain JSON.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::header::RETRY_AFTER;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::discovery::Served;
use super::lines::Lines;
use super::machine::Failure;

/// Bytes of one page of a list, of one event, and of any other answer.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Longest time until an answer begins, and between two pieces of a page.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server says no.
    #[error("the API server answered {code}{}", reason.as_deref().map(|r| format!(" ({r})")).unwrap_or_default())]
    Status {
        /// HTTP's code, or that of an error event.
        code: u16,
        /// One word of Kubernetes.
        reason: Option<String>,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("the API server does not answer")]
    Slow,
    /// More than is read.
    #[error("an answer of the API server is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    /// Not what the API says.
    #[error("an answer of the API server cannot be read")]
    Malformed,
    /// Never, whoever asks.
    #[error("secrets are never read")]
    Secrets,
}

impl ApiError {
    /// What the machine makes of it.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Status {
                code, retry_after, ..
            } => match (code, retry_after) {
                (410, _) => Failure::Gone,
                (429, after) => Failure::Throttled(*after),
                (503, Some(after)) => Failure::Throttled(Some(*after)),
                (403, _) => Failure::Forbidden,
                (404, _) => Failure::NotFound,
                _ => Failure::Unavailable,
            },
            Self::TooLarge => Failure::TooLarge,
            Self::Malformed => Failure::Malformed,
            Self::Unreachable(_) | Self::Slow | Self::Secrets => Failure::Unavailable,
        }
    }

    /// An error event in the middle of a watch.
    pub fn event(object: &Value) -> Self {
        let status = Status::deserialize(object).unwrap_or_default();
        status.error(0, None)
    }

    /// Whether the server has no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }
}

/// Kubernetes' answer to what it does not do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    code: u16,
    reason: Option<String>,
    details: Option<StatusDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusDetails {
    retry_after_seconds: u64,
}

impl Status {
    fn error(self, code: u16, retry_after: Option<Duration>) -> ApiError {
        let own = self
            .details
            .map_or(0, |details| details.retry_after_seconds);
        let own = (own > 0).then(|| Duration::from_secs(own));
        // `reason` is one of a few words; `message` would name objects.
        let plain = |reason: &String| {
            reason.len() <= 40 && reason.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        ApiError::Status {
            code: if code > 0 { code } else { self.code },
            reason: self.reason.filter(plain).filter(|r| !r.is_empty()),
            retry_after: retry_after.or(own),
        }
    }
}

/// A page of a list. Items are left as they came until each is looked at.
#[derive(Debug)]
pub struct Page {
    bytes: Bytes,
}

/// A page, read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Items<'a> {
    /// The version of API of the items.
    #[serde(default)]
    pub api_version: String,
    /// The list's own metadata.
    pub metadata: ListMetadata,
    /// The objects.
    #[serde(borrow, default, deserialize_with = "null_is_empty")]
    pub items: Vec<&'a RawValue>,
}

/// What a list says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListMetadata {
    /// The version of the whole list.
    pub resource_version: String,
    /// The token for the next page.
    #[serde(default, rename = "continue")]
    pub next: Option<String>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<&'de RawValue>, D::Error> {
    let items = Option::<Vec<&'de RawValue>>::deserialize(deserializer)?;
    Ok(items.unwrap_or_default())
}

impl Page {
    /// Reads the page; its items one level deep.
    pub fn read(&self) -> Result<Items<'_>, ApiError> {
        serde_json::from_slice(&self.bytes).map_err(|_| ApiError::Malformed)
    }
}

/// One API server.
#[derive(Clone)]
pub struct ApiServer {
    client: Client,
}

impl ApiServer {
    /// The server that `client` leads to. The client must not try again on its own.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// A small document; a path beginning with `/`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.ask(Method::GET, path, Vec::new()).await?;
        parse(&whole(answer).await?)
    }

    /// Whether this agent may `verb` the resource `plural` of `group` (empty: core) in `namespace`, or everywhere.
    pub async fn may(
        &self,
        verb: &str,
        group: &str,
        plural: &str,
        namespace: Option<&str>,
    ) -> Result<bool, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            status: Allowed,
        }
        #[derive(Deserialize)]
        struct Allowed {
            #[serde(default)]
            allowed: bool,
        }
        let question = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": verb, "group": group, "resource": plural, "namespace": namespace,
            }},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = self.ask(Method::POST, path, question.to_string().into_bytes());
        let answer: Answer = parse(&whole(answer.await?).await?)?;
        Ok(answer.status.allowed)
    }

    /// A page of objects.
    pub async fn list(
        &self,
        served: &Served,
        namespace: Option<&str>,
        limit: u32,
        next: Option<&str>,
    ) -> Result<Page, ApiError> {
        let limit = limit.to_string();
        let token = next.map(|next| ("continue", next));
        let query = query([("limit", limit.as_str())].into_iter().chain(token));
        let path = format!("{}?{query}", served.path(namespace)?);
        let answer = self.ask(Method::GET, &path, Vec::new()).await?;
        Ok(Page {
            bytes: whole(answer).await?,
        })
    }

    /// Changes after `resource_version`, for `seconds` at most.
    pub async fn watch(
        &self,
        served: &Served,
        namespace: Option<&str>,
        resource_version: &str,
        seconds: u64,
    ) -> Result<Lines<impl Stream<Item = Result<Bytes, ApiError>> + Unpin + use<>>, ApiError> {
        let query = query([
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", resource_version),
            ("timeoutSeconds", &seconds.to_string()),
        ]);
        let path = format!("{}?{query}", served.path(namespace)?);
        let answer = self.ask(Method::GET, &path, Vec::new()).await?;
        let pieces = answer.into_body().into_data_stream();
        let pieces = pieces.map(|piece| piece.map_err(|error| unreachable(&error)));
        Ok(Lines::new(Box::pin(pieces), ANSWER_BYTES_MAX))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response<Body>, ApiError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::USER_AGENT, crate::USER_AGENT)
            .body(Body::from(body))
            .map_err(|_| ApiError::Malformed)?;
        let answer = tokio::time::timeout(PATIENCE, self.client.send(request))
            .await
            .map_err(|_| ApiError::Slow)?
            .map_err(|error| unreachable(&error))?;
        let code = answer.status();
        if code.is_success() {
            return Ok(answer);
        }
        Err(refusal(answer, code).await)
    }
}

fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).finish()
}

async fn refusal(answer: Response<Body>, code: StatusCode) -> ApiError {
    let after = answer.headers().get(RETRY_AFTER);
    let after = after
        .and_then(|after| after.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let body = whole(answer).await.unwrap_or_default();
    let status: Status = serde_json::from_slice(&body).unwrap_or_default();
    status.error(code.as_u16(), after)
}

/// The whole body, if it comes steadily and is not too large.
async fn whole(answer: Response<Body>) -> Result<Bytes, ApiError> {
    let mut pieces = answer.into_body().into_data_stream();
    let mut body = Vec::new();
    loop {
        let piece = tokio::time::timeout(PATIENCE, pieces.next())
            .await
            .map_err(|_| ApiError::Slow)?;
        match piece {
            None => return Ok(body.into()),
            Some(piece) => {
                let piece = piece.map_err(|error| unreachable(&error))?;
                if body.len() + piece.len() > ANSWER_BYTES_MAX {
                    return Err(ApiError::TooLarge);
                }
                body.extend_from_slice(&piece);
            }
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|_| ApiError::Malformed)
}

/// The innermost cause says most: "Connection refused", "invalid peer certificate".
fn unreachable(error: &(dyn std::error::Error + 'static)) -> ApiError {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ApiError::Unreachable(cause.to_string())
}
