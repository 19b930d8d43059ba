//! The source `http-poll`: asks Alertmanager's API v2 at an interval which alerts fire.

use std::time::Duration;

use farmops_service::config::Secret;
use farmops_service::outbound::{Bounds, Outbound, OutboundError};
use serde::Deserialize;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Desk;
use super::alertmanager::{ALERTS_MAX, GettableAlert, Memory};
use crate::clock;
use crate::observation::{Intake, SourceType};
use crate::store::{Acceptance, StoreError};

/// Longest time one question may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// One Alertmanager to ask.
#[derive(Debug, Clone, Deserialize)]
pub struct PollConfig {
    /// The operator's name for it.
    pub name: String,
    /// Its base URL, for example `http://127.0.0.1:9093`. Ask one instance, not a balancer in front
    /// of several: they start at different times, and then nothing counts as ended.
    pub url: Url,
    /// Seconds between two questions. Default 15.
    #[serde(default = "interval_seconds")]
    pub interval_seconds: u64,
    /// A bearer token, if it wants one.
    #[serde(default)]
    pub token: Option<Secret>,
}

const fn interval_seconds() -> u64 {
    15
}

/// Why a poll came to nothing.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error(transparent)]
    Exchange(#[from] OutboundError),
    #[error("Alertmanager answered {0}")]
    Status(http::StatusCode),
    #[error("Alertmanager's answer is not what its API v2 says")]
    Answer,
    #[error("more than {ALERTS_MAX} alerts fire")]
    TooMany,
    #[error("the queue of observations is full")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks one Alertmanager.
pub struct Poller {
    config: PollConfig,
    desk: Desk,
    outbound: Outbound,
    bytes_max: usize,
}

#[derive(Deserialize)]
struct Status {
    /// When the process started.
    uptime: String,
}

impl Poller {
    /// A poller that reports to `desk`.
    pub fn new(config: PollConfig, desk: Desk, outbound: Outbound, bytes_max: usize) -> Self {
        Self {
            config,
            desk,
            outbound,
            bytes_max,
        }
    }

    /// Polls until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(Duration::from_secs(self.config.interval_seconds));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            match self.poll().await {
                Ok(()) => self.desk.up(&self.config.name),
                Err(error) => self.desk.down(&self.config.name, &error.to_string()),
            }
        }
    }

    async fn poll(&self) -> Result<(), PollError> {
        let name = &self.config.name;
        let saved = self.desk.state_of(name).await?;
        let mut memory: Memory = saved
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let query = "api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true";
        let answer: Vec<GettableAlert> = self.ask(query).await?;
        if answer.len() > ALERTS_MAX {
            return Err(PollError::TooMany);
        }
        // Asked second: see `Memory::take_in`.
        let status: Status = self.ask("api/v2/status").await?;
        let before = memory.clone();
        let ended = memory.take_in(&status.uptime, &answer, clock::now());
        if memory == before && ended.is_empty() {
            return Ok(());
        }
        let intake = Intake {
            source: name.clone(),
            source_type: SourceType::Alertmanager,
            sightings: ended
                .iter()
                .map(super::alertmanager::EndedAlert::sighting)
                .collect(),
            delivery: None,
            state: serde_json::to_string(&memory).ok(),
        };
        match self.desk.hand_over(&intake).await? {
            // Nothing was saved, so the next poll finds the same ends again.
            Acceptance::Full => Err(PollError::Full),
            Acceptance::Kept(_) | Acceptance::Repeated => Ok(()),
        }
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, PollError> {
        let mut base = self.config.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let url = base.join(path).map_err(|_| PollError::Answer)?;
        let mut request = self.outbound.request(http::Method::GET, url);
        if let Some(token) = &self.config.token {
            request = request.bearer_auth(token.expose());
        }
        let request = request.build().map_err(OutboundError::Request)?;
        let bounds = Bounds {
            deadline: DEADLINE,
            body_bytes_max: self.bytes_max.max(4 * 1024 * 1024),
        };
        let answer = self.outbound.execute(request, bounds).await?;
        if !answer.status.is_success() {
            return Err(PollError::Status(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|_| PollError::Answer)
    }
}
