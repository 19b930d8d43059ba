//! The plugin runtime: which plugins run, what they may read, and how they are doing.
//!
//! A plugin is a process of its own that speaks gRPC over a Unix socket. It is started with an empty
//! environment, must say that it is who the manifest says, is probed, restarted with growing delays,
//! and visibly deactivated when it keeps failing.

mod admission;
mod client;
pub mod manifest;
mod process;
mod running;
mod socket;
mod subscription;
mod supervisor;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farmops_plugin::Description;
use farmops_protocol::time::Timestamp;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::admission::Refusal;
pub use self::client::{CallError, Client, ProcessClient, VerifyError};
use self::manifest::{Grant, Manifest, ManifestError, PluginSpec};
pub use self::process::ProcessError;
pub use self::running::StartError;
pub use self::socket::SocketError;
use self::socket::SocketFolder;
pub use self::subscription::{Routes, Subscription};
use crate::observation::SourceType;

/// Where a plugin is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PluginState {
    /// Being started.
    Starting,
    /// Judging observations.
    Running,
    /// Failed; tried again at `retry_at`.
    Waiting {
        /// What happened.
        reason: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// Failed too often. A reload tries again.
    Deactivated {
        /// What happened last.
        reason: String,
    },
    /// Asked to stop.
    Stopped,
}

/// A plugin that can be asked.
#[derive(Debug, Clone)]
pub struct Live {
    /// Which start of the process this is.
    pub generation: u64,
    /// How to ask it.
    pub client: Client,
    /// Names of the sources it wants to read, of those granted.
    pub wanted: Arc<Vec<String>>,
    /// What it declared.
    pub description: Arc<Description>,
}

/// A plugin as its worker sees it.
#[derive(Debug, Clone)]
pub struct PluginHandle {
    /// Its id.
    pub id: String,
    /// The living process, if there is one.
    pub live: watch::Receiver<Option<Live>>,
    /// Takes the news that the process does not answer as it should.
    pub faults: mpsc::Sender<Fault>,
}

/// The news that a process does not answer as it should.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which start of the process; what an earlier one did is no fault of this one.
    pub generation: u64,
    /// What it did.
    pub reason: String,
}

/// A plugin as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PluginView {
    /// Its id.
    pub id: String,
    /// Where its code comes from: `component`, `binary` or `oci`.
    pub source: &'static str,
    /// What is granted to it.
    pub grants: Vec<Grant>,
    /// Its version, once it has told.
    pub version: Option<String>,
    /// What it says of itself.
    pub description: Option<String>,
    /// Times it was started again.
    pub restarts: u64,
    /// Where it is in its life.
    #[serde(flatten)]
    pub state: PluginState,
}

/// Bounds of the runtime.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeBounds {
    /// From the start of the process to its readiness.
    pub start_deadline: Duration,
    /// Between two probes.
    pub probe_interval: Duration,
    /// Time for one observation, and for one probe.
    pub verify_deadline: Duration,
    /// Failures within [`RuntimeBounds::failure_window`] that deactivate.
    pub failures_max: usize,
    /// See above.
    pub failure_window: Duration,
    /// First delay before a restart; it doubles.
    pub restart_delay: Duration,
    /// Last delay before a restart.
    pub restart_delay_max: Duration,
}

impl Default for RuntimeBounds {
    fn default() -> Self {
        Self {
            start_deadline: Duration::from_secs(10),
            probe_interval: Duration::from_secs(10),
            verify_deadline: Duration::from_secs(5),
            failures_max: 5,
            failure_window: Duration::from_mins(10),
            restart_delay: Duration::from_millis(500),
            restart_delay_max: Duration::from_secs(30),
        }
    }
}

/// Why the plugins cannot be (re)loaded.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no place for the sockets.
    #[error(transparent)]
    Socket(#[from] SocketError),
}

/// What each plugin's supervisor shares with the rest.
#[derive(Debug)]
struct Shared {
    state: watch::Sender<PluginState>,
    live: watch::Sender<Option<Live>>,
    restarts: std::sync::atomic::AtomicU64,
}

struct Entry {
    spec: PluginSpec,
    shared: Arc<Shared>,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

/// Starts what works for a plugin: called once per plugin that is loaded.
pub type StartWorker = dyn Fn(PluginHandle, CancellationToken) + Send + Sync;

/// What a runtime works with.
pub struct RuntimeSetup {
    /// The manifest.
    pub manifest: PathBuf,
    /// The agent's sources by name.
    pub sources: BTreeMap<String, SourceType>,
    /// Where it writes down who reads what.
    pub routes: Routes,
    /// Its bounds.
    pub bounds: RuntimeBounds,
    /// Where the sockets go.
    pub data_dir: PathBuf,
    /// Where its tasks are counted.
    pub tasks: TaskTracker,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Starts what works for a plugin.
    pub start_worker: Box<StartWorker>,
}

/// The plugins of one agent.
pub struct Runtime {
    setup: RuntimeSetup,
    sockets: Arc<SocketFolder>,
    entries: Mutex<BTreeMap<String, Entry>>,
    reloading: tokio::sync::Mutex<()>,
}

impl Runtime {
    /// A runtime without plugins yet; [`Runtime::reload`] loads them.
    pub fn new(setup: RuntimeSetup) -> Result<Self, SocketError> {
        Ok(Self {
            sockets: Arc::new(SocketFolder::make(&setup.data_dir)?),
            setup,
            entries: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
        })
    }

    /// Reads the manifest and makes it so: new and changed plugins are started, missing ones stopped,
    /// deactivated ones get another chance, the rest is left alone. A wrong manifest changes nothing.
    pub async fn reload(&self) -> Result<(), RuntimeError> {
        let _one_at_a_time = self.reloading.lock().await;
        let manifest = Manifest::load(&self.setup.manifest, &self.setup.sources)?;
        let mut leaving = Vec::new();
        {
            let mut entries = self.entries();
            let stale: Vec<String> = entries
                .values()
                .filter(|entry| {
                    let deactivated = matches!(
                        *entry.shared.state.borrow(),
                        PluginState::Deactivated { .. }
                    );
                    deactivated || !manifest.plugins.contains(&entry.spec)
                })
                .map(|entry| entry.spec.id.clone())
                .collect();
            leaving.extend(stale.iter().filter_map(|id| entries.remove(id)));
        }
        for entry in leaving {
            entry.stop.cancel();
            // The supervisor ends its process first, so two of one plugin never run.
            let _ = entry.ended.await;
        }
        let routes = manifest.routes();
        for source in self
            .setup
            .sources
            .keys()
            .filter(|s| !routes.contains_key(*s))
        {
            tracing::warn!(
                source,
                "no plugin reads this source; what it sees is dropped"
            );
        }
        self.setup.routes.replace(routes, &manifest.plugins);
        for spec in manifest.plugins {
            if !self.entries().contains_key(&spec.id) {
                self.start(spec);
            }
        }
        Ok(())
    }

    fn start(&self, spec: PluginSpec) {
        let (faults, fault_reports) = mpsc::channel(8);
        let shared = Arc::new(Shared {
            state: watch::Sender::new(PluginState::Starting),
            live: watch::Sender::new(None),
            restarts: std::sync::atomic::AtomicU64::new(0),
        });
        let stop = self.setup.stop.child_token();
        let handle = PluginHandle {
            id: spec.id.clone(),
            live: shared.live.subscribe(),
            faults,
        };
        let granted = spec
            .grants
            .iter()
            .map(|grant| &grant.source)
            .filter_map(|name| Some((name.clone(), *self.setup.sources.get(name)?)))
            .collect();
        let supervisor = supervisor::Supervisor {
            spec: spec.clone(),
            granted,
            bounds: self.setup.bounds,
            sockets: Arc::clone(&self.sockets),
            routes: self.setup.routes.clone(),
            shared: Arc::clone(&shared),
            faults: fault_reports,
            stop: stop.clone(),
        };
        let ended = self.setup.tasks.spawn(supervisor.run());
        (self.setup.start_worker)(handle, stop.clone());
        let entry = Entry {
            spec,
            shared,
            stop,
            ended,
        };
        self.entries().insert(entry.spec.id.clone(), entry);
    }

    /// Every plugin and how it is doing.
    pub fn views(&self) -> Vec<PluginView> {
        self.entries().values().map(Entry::view).collect()
    }

    /// Why the plugins are not ready, if they are not.
    pub fn unready(&self) -> Option<String> {
        let views = self.views();
        let view = views
            .iter()
            .find(|view| view.state != PluginState::Running)?;
        Some(format!("{} is not running", view.id))
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn view(&self) -> PluginView {
        let live = self.shared.live.borrow();
        let description = live.as_ref().map(|live| &live.description);
        PluginView {
            id: self.spec.id.clone(),
            source: self.spec.source.kind(),
            grants: self.spec.grants.clone(),
            version: description.map(|d| d.version.clone()),
            description: description.map(|d| d.description.clone()),
            restarts: self
                .shared
                .restarts
                .load(std::sync::atomic::Ordering::Relaxed),
            state: self.shared.state.borrow().clone(),
        }
    }
}
