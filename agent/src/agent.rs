//! The whole agent: puts the parts together, runs them, and stops them in order.

mod folder;
mod upkeep;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use farmops_service::health::Health;
use farmops_service::outbound::{Outbound, OutboundError, Reach};
use farmops_service::probes::Probes;
use farmops_service::server;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::folder::LOCK_PATIENCE;
pub(crate) use self::folder::{Locked, take_folder};
use crate::clock;
use crate::config::AgentConfig;
use crate::http::{self, Shown};
use crate::identity::mounted::{self, MountedError};
use crate::identity::{Identity, IdentityError};
use crate::plugins::{
    Components, PluginHandle, Routes, Runtime, RuntimeBounds, RuntimeError, RuntimeSetup,
};
use crate::proof::Generator;
use crate::sources::kubernetes::subscription::Roll;
use crate::sources::{self, Desk, SourcesError};
use crate::standby::{Leadership, Mandate, Standby, StandbyConfig, StandbyError};
use crate::status::Status;
use crate::store::{Bounds, Store, StoreError};
use crate::uplink::{Patience, TrackerAddress, Uplink};
use crate::worker::Workshop;

/// Why the agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("cannot use the data folder {path}")]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Two agents on one data folder would fork the chain.
    #[error("another agent runs on the data folder {0}")]
    AlreadyRunning(PathBuf),
    /// Without them the tracker's certificate could never be believed.
    #[error("`tracker_ca_file`: {0}")]
    TrackerCa(OutboundError),
    /// No identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The mounted identity cannot be taken over.
    #[error(transparent)]
    Mounted(#[from] MountedError),
    /// No lease to wait for.
    #[error(transparent)]
    Standby(#[from] StandbyError),
    /// No memory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No plugins.
    #[error(transparent)]
    Plugins(#[from] RuntimeError),
    /// No sources.
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// The API's address cannot be listened on.
    #[error("cannot listen on {address} for the agent's API")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// An agent at work.
pub struct Agent {
    /// Where its API answers.
    pub api: SocketAddr,
    /// Where its webhooks answer, if it has any.
    pub webhooks: Option<SocketAddr>,
    /// Whether it can do its work.
    pub health: Health,
    tasks: TaskTracker,
    stop: CancellationToken,
    store: Store,
    _lock: Locked,
}

impl Agent {
    /// Starts every part. Returns once both listeners answer; plugins may still be starting.
    pub async fn start(config: AgentConfig, stop: CancellationToken) -> Result<Self, StartError> {
        Self::start_leading(config, None, stop).await
    }

    /// As [`Self::start`], for a replica that leads: it signs only while it does.
    pub async fn start_leading(
        config: AgentConfig,
        mandate: Option<Mandate>,
        stop: CancellationToken,
    ) -> Result<Self, StartError> {
        farmops_service::tls::init();
        if let Some(file) = &config.tracker_ca_file {
            Outbound::with_ca_file(Reach::Loopback, crate::USER_AGENT, file)
                .map_err(StartError::TrackerCa)?;
        }
        let lock = take_folder(&config.data_dir, LOCK_PATIENCE)?;
        let (identity, store) = open(&config, mandate.as_ref()).await?;
        let status = store.status().clone();
        let tasks = TaskTracker::new();
        let routes = Routes::default();

        let generator = Generator::new(
            identity.clone(),
            config.farmer.clone(),
            config.cluster_alias.clone(),
        );
        let undelivered_max = config.limits.proofs_undelivered_max;
        let workshop = Workshop::new(
            store.clone(),
            generator,
            identity.key.clone(),
            status.clone(),
            undelivered_max,
            Box::new(move || mandate.as_ref().is_none_or(Mandate::holds)),
        );
        let roll = Roll::new(config.sources.clusters());
        if !config.farmer.on_call && !config.sources.kubernetes.is_empty() {
            tracing::warn!(
                "`farmer.on_call` is false: what a cluster tells names nobody, so none of it counts as the farmer's"
            );
        }
        let (follower_roll, follower_stop) = (roll.clone(), stop.clone());
        let worker_tasks = tasks.clone();
        let plugins = Arc::new(
            Runtime::new(RuntimeSetup {
                manifest: config.plugins.clone(),
                sources: config.sources.known(),
                routes: routes.clone(),
                shares: store.shares().clone(),
                bounds: RuntimeBounds {
                    verify_deadline: Duration::from_secs(config.limits.verify_seconds_max),
                    failures_max: config.limits.plugin_failures_max,
                    ..RuntimeBounds::default()
                },
                sandbox: config.sandbox.clone(),
                data_dir: config.data_dir.clone(),
                components: Components::new(&config.data_dir, &identity.farm_secret, None),
                tasks: tasks.clone(),
                stop: stop.clone(),
                start_worker: Box::new(move |plugin: PluginHandle, stop| {
                    let follow = follower_roll.clone().follow(
                        plugin.clone(),
                        stop.clone(),
                        follower_stop.clone(),
                    );
                    worker_tasks.spawn(follow);
                    worker_tasks.spawn(Arc::clone(&workshop).work_for(plugin, stop));
                }),
            })
            .map_err(RuntimeError::Socket)?,
        );
        plugins.load().await?;
        tasks.spawn(reload_on_hangup(Arc::clone(&plugins), stop.clone()));

        let desk = Desk::new(store.clone(), routes, &config.sources);
        let bytes_max = config.limits.observation_bytes_max;
        let webhooks =
            sources::start(&config.sources, &desk, &roll, bytes_max, &tasks, &stop).await?;
        let uplink = uplink(&config, identity.clone(), store.clone(), status.clone());
        tasks.spawn(uplink.run(stop.clone()));
        let days = (config.limits.observation_days_max, config.evidence.days_max);
        tasks.spawn(upkeep::sweep(store.clone(), days, stop.clone()));
        tasks.spawn(upkeep::follow_manifest(store.clone(), stop.clone()));

        let shown = Arc::new(Shown {
            store: store.clone(),
            plugins,
            desk,
            status,
            identity,
            cluster_alias: config.cluster_alias,
            tracker_url: config.tracker_url,
            limits: config.limits,
            evidence_days_max: config.evidence.days_max,
            started_at: clock::now(),
        });
        let health = http::health(&shown);
        let api = serve_api(config.listen, shown, &tasks, &stop).await?;
        Ok(Self {
            api,
            webhooks,
            health,
            tasks,
            stop,
            store,
            _lock: lock,
        })
    }

    /// Works until the token is cancelled, then waits until every part has ended.
    pub async fn run(self) {
        self.stop.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
        tracing::info!("stopped");
    }
}

/// Who the agent is, and its memory.
async fn open(
    config: &AgentConfig,
    mandate: Option<&Mandate>,
) -> Result<(Identity, Store), StartError> {
    if let Some(mounted) = &config.identity_dir
        && mounted::adopt(mounted, &config.data_dir)?
    {
        tracing::info!(identity_dir = %mounted.display(), "the mounted identity was taken over");
    }
    let (identity, fresh) =
        Identity::load_or_make(&config.data_dir, &mut rand::rng(), Uuid::now_v7())?;
    if fresh {
        tracing::info!(data_dir = %config.data_dir.display(), "a new agent: its identity was made");
    }
    tracing::info!(
        agent_id = %identity.agent_id,
        fingerprint = %identity.key.current().public().fingerprint(),
        "the owner approves this agent by its fingerprint"
    );
    let key_file = config.evidence.key_file.as_deref();
    let store = Store::open_sealed(&config.data_dir, key_file, bounds(config)).await?;
    if let Some(mandate) = mandate {
        // A file stays where it was read to: read from its start, all of it would be proven again.
        let polls = config.sources.http_poll.iter();
        let polls: Vec<String> = polls.map(|poll| poll.name.clone()).collect();
        store.begin_term(&mandate.succession, &polls).await?;
    }
    let behind = config.standby.is_some() || store.chain_head().await?.is_none();
    if !fresh && behind {
        // The tracker may know more of this key's chain than we do: ask before the first signature.
        identity.key.close_now();
        tracing::info!(
            "the tracker may know more of this chain; nothing is signed until it is heard of"
        );
    }
    Ok((identity, store))
}

/// Waits until this replica leads, answering meanwhile at the API's address; `None` when it was told to stop.
///
/// # Errors
/// A [`StartError`] where there is no API server or no address.
pub async fn stand_by(
    config: &AgentConfig,
    standby: &StandbyConfig,
    probes: &Probes,
    stop: &CancellationToken,
) -> Result<Option<Leadership>, StartError> {
    farmops_service::tls::init();
    let standby = Standby::connect(standby).await?;
    let takes_webhooks = !config.sources.webhook.hooks.is_empty();
    let health = http::passive_health(&standby.view(), takes_webhooks);
    probes.answer_with(health.clone());
    let router = http::passive_router(&standby.view(), health);
    let (tasks, passive) = (TaskTracker::new(), stop.child_token());
    let address = serve(config.listen, router, &tasks, &passive).await?;
    tracing::info!(api = %address, "this replica stands by");
    let leadership = standby.lead(stop.clone()).await;
    passive.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(leadership)
}

/// How much the memory keeps.
pub(crate) fn bounds(config: &AgentConfig) -> Bounds {
    Bounds {
        observations_max: config.limits.observations_max,
        observations_bytes_max: config.limits.observations_bytes_max,
        proofs_kept_max: config.limits.proofs_kept_max,
        evidence_bytes_max: config.evidence.bytes_max,
    }
}

/// The way to the configured tracker.
pub(crate) fn uplink(
    config: &AgentConfig,
    identity: Identity,
    store: Store,
    status: Status,
) -> Uplink {
    Uplink {
        tracker: TrackerAddress {
            url: config.tracker_url.clone(),
            ca_file: config.tracker_ca_file.clone(),
            client_pair: config
                .tracker_client_cert_file
                .clone()
                .zip(config.tracker_client_key_file.clone()),
        },
        identity,
        cluster_alias: config.cluster_alias.clone(),
        store,
        status,
        patience: Patience::default(),
    }
}

/// Reloads the plugins whenever the process gets SIGHUP.
async fn reload_on_hangup(plugins: Arc<Runtime>, stop: CancellationToken) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => {
            tracing::error!(%error, "SIGHUP cannot be heard; the API reloads the plugins, too");
            return;
        }
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            heard = hangups.recv() => if heard.is_none() { return },
        }
        match plugins.reload().await {
            Ok(()) => tracing::info!("the plugins were reloaded"),
            Err(error) => tracing::error!(%error, "the plugins could not be reloaded"),
        }
    }
}

async fn serve_api(
    address: SocketAddr,
    shown: Arc<Shown>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<SocketAddr, StartError> {
    let router = http::router(shown, address.ip().is_loopback());
    serve(address, router, tasks, stop).await
}

async fn serve(
    address: SocketAddr,
    router: Router,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<SocketAddr, StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let limits = server::Limits::default();
    let router = server::harden(router, &limits);
    let stop = stop.clone();
    tasks.spawn(async move { server::serve(listener, router, limits, stop).await });
    Ok(bound)
}
