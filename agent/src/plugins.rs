//! The plugin runtime: which plugins run, what they may read, and how they are doing.
//!
//! A plugin is started from the agent's own copy of its code, must say that it is who the manifest
//! says, and takes settings that fit its own schema. It is probed, restarted with growing delays,
//! exchanged for a new version while the agent works, and when it keeps failing it goes back to the
//! version before, or is visibly deactivated. A process speaks gRPC over a Unix socket, is started with
//! an empty environment and locked up (`sandbox.rs`).

mod admission;
mod client;
mod component;
pub mod explain;
mod failures;
pub mod inspect;
mod log;
pub mod manifest;
mod oci;
mod process;
pub mod replay;
mod routes;
mod running;
mod runtime;
mod shelf;
mod socket;
mod supervisor;
mod view;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farmops_plugin::Description;
use tokio::sync::{mpsc, watch};

pub use self::admission::Refusal;
pub use self::client::{CallError, Client, ProcessClient, VerifyError};
pub use self::component::{ComponentClient, ComponentError, Components};
use self::manifest::Grant;
pub use self::manifest::ManifestError;
pub use self::oci::{Key, NotAKey, OciError};
pub use self::process::ProcessError;
pub(crate) use self::routes::lies_within;
pub use self::routes::{GrantedResource, Routes};
pub use self::running::StartError;
use self::running::Version;
pub(crate) use self::runtime::list_refused;
pub use self::runtime::{RefusedPlugin, Runtime, RuntimeError, RuntimeSetup, StartWorker};
pub use self::shelf::ShelfError;
pub use self::socket::SocketError;
pub use self::view::{PluginState, PluginView, RolledBack};
use crate::observation::{SourceType, Waiting};
use crate::sandbox::Sandbox;
use crate::sources::kubernetes::subject::Subject;

/// A plugin that can be asked.
#[derive(Debug, Clone)]
pub struct Live {
    /// Which start of the plugin this is.
    pub generation: u64,
    /// How to ask it.
    pub client: Client,
    /// Names of the sources it wants to read, of those granted.
    pub wanted: Arc<Vec<String>>,
    /// What it declared.
    pub description: Arc<Description>,
    /// What of Kubernetes it may read; [`Live::may_read`] asks.
    pub granted: Arc<Vec<GrantedResource>>,
    /// Held by whoever may still ask it; a version that was exchanged ends once nobody does.
    pub in_use: mpsc::Sender<()>,
    /// What it is locked up with, if it is a process.
    pub sandbox: Option<Sandbox>,
    /// Lines of it that were not logged.
    pub log_dropped: Arc<AtomicU64>,
}

impl Live {
    /// Whether the plugin may read `waiting` now. It was allowed to when the observation was kept, but grants
    /// change, and so does what the plugin declares (PLUGIN-CAP-001).
    pub fn may_read(&self, waiting: &Waiting) -> bool {
        if !self.wanted.contains(&waiting.source) {
            return false;
        }
        if waiting.source_type != SourceType::Kubernetes.as_str() {
            return true;
        }
        // What does not say what it is of was granted to nobody.
        Subject::read(&waiting.payload).is_some_and(|subject| {
            let mut granted = self.granted.iter();
            granted.any(|granted| granted.covers(&waiting.source, &subject))
        })
    }
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

/// What each plugin's supervisor shares with the rest.
#[derive(Debug)]
struct Shared {
    state: watch::Sender<PluginState>,
    live: watch::Sender<Option<Live>>,
    restarts: AtomicU64,
    generation: AtomicU64,
    versions: Mutex<Versions>,
}

/// The version at work, and what is known of others.
#[derive(Debug)]
struct Versions {
    current: Version,
    /// Whether it ever worked.
    proven: bool,
    previous: Option<Version>,
    /// What the manifest grants, whichever version is at work.
    manifest: Vec<Grant>,
    rolled_back: Option<RolledBack>,
}

impl Shared {
    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> PluginView {
        let live = self.live.borrow();
        let description = live.as_ref().map(|live| &live.description);
        let versions = self.versions();
        let spec = &versions.current.spec;
        let previous = versions.previous.as_ref();
        PluginView {
            id: spec.id.clone(),
            source: spec.source.kind(),
            digest: spec.source.digest(),
            grants: spec.grants.clone(),
            version: description.map(|d| d.version.clone()),
            description: description.map(|d| d.description.clone()),
            restarts: self.restarts.load(Ordering::Relaxed),
            sandbox: live.as_ref().and_then(|live| live.sandbox.clone()),
            log_dropped: live
                .as_ref()
                .map_or(0, |live| live.log_dropped.load(Ordering::Relaxed)),
            previous: previous.map(|version| version.spec.source.digest()),
            rolled_back: versions.rolled_back.clone(),
            state: self.state.borrow().clone(),
        }
    }
}
