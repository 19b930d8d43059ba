//! Where observations come from. A source belongs to the agent; plugins only judge what it saw.
//!
//! To add a source: 1. its section in [`SourcesConfig`]; 2. a file here with a `run` that hands
//! [`Intake`]s to [`Desk::hand_over`] and saves its state with them; 3. a line in [`start`].

pub mod alertmanager;
pub mod file;
pub mod kubernetes;
pub mod poll;
pub mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use farmops_service::outbound::{Outbound, OutboundError, Reach};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::kubernetes::board::WatchHealth;
use self::kubernetes::subscription::Roll;
use crate::clock;
use crate::observation::{Intake, SourceType};
use crate::plugins::Routes;
use crate::plugins::manifest::KnownSources;
use crate::store::{Acceptance, Store, StoreError};

/// Every source the operator configured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SourcesConfig {
    /// Things that call us.
    pub webhook: webhook::WebhookConfig,
    /// Things we ask.
    pub http_poll: Vec<poll::PollConfig>,
    /// Files that grow.
    pub file: Vec<file::FileConfig>,
    /// Clusters that are watched.
    pub kubernetes: Vec<kubernetes::KubernetesConfig>,
}

impl SourcesConfig {
    /// Name and type of each source.
    pub fn names(&self) -> Vec<(String, SourceType)> {
        let hooks = self.webhook.hooks.iter();
        let hooks = hooks.map(|hook| (hook.name.clone(), hook.provider.source_type()));
        let polls = self.http_poll.iter();
        let polls = polls.map(|poll| (poll.name.clone(), SourceType::Alertmanager));
        let files = self.file.iter();
        let files = files.map(|file| (file.name.clone(), file.source_type));
        let clusters = self.kubernetes.iter();
        let clusters = clusters.map(|cluster| (cluster.name.clone(), SourceType::Kubernetes));
        hooks.chain(polls).chain(files).chain(clusters).collect()
    }

    /// Each source as far as grants go.
    pub fn known(&self) -> KnownSources {
        let types = self.names().into_iter();
        let mut known: KnownSources = types.map(|(name, kind)| (name, kind.into())).collect();
        for cluster in &self.kubernetes {
            if let Some(source) = known.get_mut(&cluster.name) {
                source.namespaces.clone_from(&cluster.namespaces);
            }
        }
        known
    }

    /// Names of the clusters.
    pub fn clusters(&self) -> BTreeSet<String> {
        let clusters = self.kubernetes.iter();
        clusters.map(|cluster| cluster.name.clone()).collect()
    }

    /// Key and reason of the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), (String, String)> {
        let mut seen = BTreeSet::new();
        for (name, _) in self.names() {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if name.is_empty() || !name.bytes().all(plain) {
                let reason = format!("the source name `{name}` is not letters, digits, - and _");
                return Err(("sources".to_owned(), reason));
            }
            if !seen.insert(name.clone()) {
                return Err((
                    "sources".to_owned(),
                    format!("two sources are named `{name}`"),
                ));
            }
        }
        for hook in &self.webhook.hooks {
            if hook.secret.expose().is_empty() {
                let key = format!("sources.webhook.hooks.{}.secret", hook.name);
                return Err((
                    key,
                    "a hook without a secret would believe anyone".to_owned(),
                ));
            }
        }
        for poll in &self.http_poll {
            if poll.interval_seconds == 0 {
                let key = format!("sources.http_poll.{}.interval_seconds", poll.name);
                return Err((key, "at least 1".to_owned()));
            }
        }
        self.kubernetes
            .iter()
            .try_for_each(kubernetes::KubernetesConfig::check)
    }
}

/// How a source is doing, for the status page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SourceHealth {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it works.
    pub up: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Observations kept since the start.
    pub kept: u64,
    /// What is watched in a cluster, and how that goes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watches: Vec<WatchHealth>,
}

/// Where sources hand over what they saw.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    routes: Routes,
    health: Arc<Mutex<BTreeMap<String, SourceHealth>>>,
}

impl Desk {
    /// A desk in front of `store`; `routes` says who reads what.
    pub fn new(store: Store, routes: Routes, config: &SourcesConfig) -> Self {
        let health = config.names().into_iter().map(|(name, source_type)| {
            let health = SourceHealth {
                kind: source_type.as_str(),
                ..SourceHealth::default()
            };
            (name, health)
        });
        Self {
            store,
            routes,
            health: Arc::new(Mutex::new(health.collect())),
        }
    }

    /// Keeps an intake for every plugin that reads its source. When this returns `Kept`, it is on disk.
    pub async fn hand_over(&self, intake: &Intake) -> Result<Acceptance, StoreError> {
        let plugins = self.routes.readers_of(&intake.source);
        let acceptance = self.store.accept(intake, &plugins, clock::now()).await?;
        if let Acceptance::Kept(count @ 1..) = acceptance {
            self.count_kept(&intake.source, count as u64);
        }
        Ok(acceptance)
    }

    /// `source` had so many observations kept.
    pub(crate) fn count_kept(&self, source: &str, count: u64) {
        if count > 0 {
            metrics::counter!("farmops_agent_observations_total", "source" => source.to_owned())
                .increment(count);
            self.note(source, |health| health.kept += count);
        }
    }

    /// How the watches of `source` are doing.
    pub(crate) fn note_watches(&self, source: &str, watches: Vec<WatchHealth>) {
        self.note(source, |health| health.watches = watches);
    }

    /// The memory, for a source that keeps more than an intake can say.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What `source` saved with its last intake.
    pub async fn state_of(&self, source: &str) -> Result<Option<String>, StoreError> {
        self.store.source_state(source).await
    }

    /// The source works.
    pub fn up(&self, source: &str) {
        self.note(source, |health| {
            if !health.up {
                tracing::info!(source, "source is up");
            }
            health.up = true;
            health.reason = None;
        });
    }

    /// The source does not work.
    pub fn down(&self, source: &str, reason: &str) {
        self.note(source, |health| {
            if health.up || health.reason.as_deref() != Some(reason) {
                tracing::warn!(source, reason, "source is down");
            }
            health.up = false;
            health.reason = Some(reason.to_owned());
        });
    }

    /// The source has begun, and cannot be relied on yet. This is how every start goes, and no trouble.
    pub fn not_yet(&self, source: &str, reason: &str) {
        self.note(source, |health| {
            tracing::debug!(source, reason, "source is not up yet");
            health.up = false;
            health.reason = Some(reason.to_owned());
        });
    }

    /// How all sources are doing.
    pub fn health(&self) -> BTreeMap<String, SourceHealth> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.clone()
    }

    fn note(&self, source: &str, change: impl FnOnce(&mut SourceHealth)) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        change(health.entry(source.to_owned()).or_default());
    }
}

/// Why the sources cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SourcesError {
    /// The address for webhooks cannot be listened on.
    #[error("cannot listen on {address} for webhooks")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] OutboundError),
    /// No way to a cluster.
    #[error(transparent)]
    Cluster(#[from] kubernetes::connect::ConnectError),
}

/// Starts every source; gives the address at which webhooks are taken, if any are.
pub async fn start(
    config: &SourcesConfig,
    desk: &Desk,
    roll: &Roll,
    bytes_max: usize,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Option<SocketAddr>, SourcesError> {
    for cluster in &config.kubernetes {
        let api = kubernetes::connect::connect(cluster).await?;
        let (cluster, desk) = (cluster.clone(), desk.clone());
        let cluster = kubernetes::Cluster::new(cluster, api, desk, bytes_max, tasks.clone());
        tasks.spawn(cluster.run(roll.subscribe(), stop.clone()));
    }
    for file in &config.file {
        let follower = file::Follower::new(file.clone(), desk.clone(), bytes_max);
        tasks.spawn(follower.run(stop.clone()));
    }
    if !config.http_poll.is_empty() {
        let outbound = Outbound::new(Reach::Operator, crate::USER_AGENT)?;
        for poll in &config.http_poll {
            let poller = poll::Poller::new(poll.clone(), desk.clone(), outbound.clone(), bytes_max);
            tasks.spawn(poller.run(stop.clone()));
        }
    }
    if config.webhook.hooks.is_empty() {
        return Ok(None);
    }
    webhook::start(&config.webhook, desk, bytes_max, tasks, stop)
        .await
        .map(Some)
}
