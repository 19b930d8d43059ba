//! The source `webhook`: takes signed deliveries of GitHub, Gitea and Alertmanager.
//!
//! A sender hears 2xx only after its delivery is on disk. When there is no room it hears 503 with
//! `Retry-After`, and tries again by its own rules.

pub mod signature;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use farmops_protocol::digest::{Digest, sha256};
use farmops_service::config::Secret;
use farmops_service::problem::Problem;
use farmops_service::server::{self, Limits};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alertmanager::Notification;
use super::{Desk, SourcesError};
use crate::observation::{Intake, Sighting, SourceType};
use crate::store::Acceptance;

/// Seconds after which a sender should try again when the queue is full.
const RETRY_SECONDS: u64 = 30;
/// Longest name of an event or delivery that is taken from a header.
const HEADER_CHARS_MAX: usize = 200;

/// The listener and its hooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct WebhookConfig {
    /// Address to listen on. Default `127.0.0.1:9095`.
    pub listen: SocketAddr,
    /// Each is a source of its own, at `/hooks/<name>`.
    pub hooks: Vec<HookConfig>,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9095)),
            hooks: Vec::new(),
        }
    }
}

/// One sender.
#[derive(Debug, Clone, Deserialize)]
pub struct HookConfig {
    /// The operator's name for it.
    pub name: String,
    /// Who sends.
    pub provider: Provider,
    /// The signing secret, or for Alertmanager the bearer token. Better: `secret_file`.
    pub secret: Secret,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub: `X-Hub-Signature-256`.
    Github,
    /// Gitea and Forgejo: `X-Gitea-Signature`.
    Gitea,
    /// Alertmanager: `Authorization: Bearer`.
    Alertmanager,
}

impl Provider {
    /// The type of source it is.
    pub const fn source_type(self) -> SourceType {
        match self {
            Self::Github => SourceType::Github,
            Self::Gitea => SourceType::Gitea,
            Self::Alertmanager => SourceType::Alertmanager,
        }
    }
}

#[derive(Clone)]
struct Hooks {
    by_name: Arc<HashMap<String, HookConfig>>,
    desk: Desk,
    bytes_max: usize,
}

/// Listens until told to stop; gives the bound address.
pub(super) async fn start(
    config: &WebhookConfig,
    desk: &Desk,
    bytes_max: usize,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<SocketAddr, SourcesError> {
    let address = config.listen;
    let failed = |source| SourcesError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let limits = Limits {
        body_bytes_max: bytes_max,
        ..Limits::default()
    };
    let router = server::harden(router(config, desk, bytes_max), &limits);
    let stop = stop.clone();
    tasks.spawn(async move { server::serve(listener, router, limits, stop).await });
    for hook in &config.hooks {
        desk.up(&hook.name);
    }
    Ok(bound)
}

/// `POST /hooks/{name}`.
pub fn router(config: &WebhookConfig, desk: &Desk, bytes_max: usize) -> Router {
    let hooks = config.hooks.iter();
    let by_name = hooks
        .map(|hook| (hook.name.clone(), hook.clone()))
        .collect();
    Router::new()
        .route("/hooks/{name}", post(receive))
        .with_state(Hooks {
            by_name: Arc::new(by_name),
            desk: desk.clone(),
            bytes_max,
        })
}

async fn receive(
    State(hooks): State<Hooks>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let hook = hooks.by_name.get(&name).ok_or(Problem::not_found("hook"))?;
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, hooks.bytes_max)
        .await
        .map_err(|_| Problem::too_large(hooks.bytes_max))?;
    if !signature::is_genuine(hook.provider, &hook.secret, &parts.headers, &body) {
        metrics::counter!("farmops_agent_webhooks_forged_total", "source" => name).increment(1);
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "bad-signature")
            .detail("the delivery is not signed with this hook's secret"));
    }
    let (delivery, sightings) = read(hook.provider, &parts.headers, &body)?;
    let intake = Intake {
        source: hook.name.clone(),
        source_type: hook.provider.source_type(),
        sightings,
        delivery: Some(delivery),
        state: None,
    };
    match hooks.desk.hand_over(&intake).await {
        Ok(Acceptance::Kept(count)) => {
            let kept = Json(json!({ "observations": count }));
            Ok((StatusCode::ACCEPTED, kept).into_response())
        }
        Ok(Acceptance::Repeated) => Ok(Json(json!({ "repeated": true })).into_response()),
        Ok(Acceptance::Full) => {
            Err(Problem::unavailable(RETRY_SECONDS).detail("the queue of observations is full"))
        }
        Err(error) => {
            // The sender still has the delivery, so it should try again.
            tracing::error!(source = name, %error, "a delivery could not be kept");
            Err(Problem::unavailable(RETRY_SECONDS))
        }
    }
}

/// Names the delivery and takes out what it tells.
fn read(
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Digest, Vec<Sighting>), Problem> {
    let (event, delivery) = match provider {
        Provider::Github => ("x-github-event", "x-github-delivery"),
        Provider::Gitea => ("x-gitea-event", "x-gitea-delivery"),
        Provider::Alertmanager => {
            let notification: Notification = serde_json::from_slice(body)
                .map_err(|error| Problem::bad_request("", error.to_string()))?;
            let ended = notification.ended();
            let sightings = ended.iter().map(super::alertmanager::EndedAlert::sighting);
            // Alertmanager does not number its notifications; a repeated one has the same bytes.
            return Ok((sha256(body), sightings.collect()));
        }
    };
    let event = header(headers, event)?;
    let delivery = sha256(header(headers, delivery)?.as_bytes());
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| {
        Problem::bad_request(
            "",
            format!("{error}; set the hook's content type to application/json"),
        )
    })?;
    let sighting = Sighting {
        event: event.to_owned(),
        payload: body.to_vec(),
    };
    Ok((delivery, vec![sighting]))
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Problem> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| (1..=HEADER_CHARS_MAX).contains(&value.len()))
        .ok_or_else(|| Problem::bad_request(name, "this header is missing or unusable"))
}
