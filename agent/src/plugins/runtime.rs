//! The plugins of one agent: loading them, and exchanging them while it works.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::error::list_refused;
pub use self::error::{RefusedPlugin, RuntimeError};
use super::component::Components;
use super::manifest::{KnownSources, Manifest, PluginSpec};
use super::routes::Routes;
use super::running::{Running, Starter, Version};
use super::shelf::Shelf;
use super::socket::SocketFolder;
use super::supervisor::{Supervisor, Swap};
use super::{PluginHandle, PluginState, PluginView, RuntimeBounds, Shared, SocketError};
use crate::sandbox::SandboxConfig;
use crate::store::Shares;

/// Plugins that are started at once to be checked.
const CHECKS_AT_ONCE: usize = 4;

struct Entry {
    shared: Arc<Shared>,
    swaps: mpsc::Sender<Swap>,
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
    pub sources: KnownSources,
    /// Where it writes down who reads what.
    pub routes: Routes,
    /// Where it writes down which plugins there are, and which fail.
    pub shares: Shares,
    /// Its bounds.
    pub bounds: RuntimeBounds,
    /// How processes are locked up.
    pub sandbox: SandboxConfig,
    /// Where sockets and copies of the plugins go.
    pub data_dir: PathBuf,
    /// Runs the plugins that are components.
    pub components: Arc<Components>,
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
    starter: Arc<Starter>,
    entries: Mutex<BTreeMap<String, Entry>>,
    reloading: tokio::sync::Mutex<()>,
}

/// What a manifest asks for, held against what runs.
#[derive(Default)]
struct Plan {
    /// New, or other than what runs.
    changed: Vec<Version>,
    /// The same, but given up; they get another chance.
    again: Vec<Version>,
    /// Ids that are not in it.
    leaving: Vec<String>,
}

impl Runtime {
    /// A runtime without plugins yet; [`Runtime::load`] loads them.
    ///
    /// # Errors
    /// [`SocketError`] when there is no place for the sockets.
    pub fn new(setup: RuntimeSetup) -> Result<Self, SocketError> {
        let starter = Starter {
            sockets: SocketFolder::make(&setup.data_dir)?,
            shelf: Shelf::new(&setup.data_dir),
            components: Arc::clone(&setup.components),
            bounds: setup.bounds,
            sandbox: setup.sandbox.clone(),
        };
        Ok(Self {
            starter: Arc::new(starter),
            setup,
            entries: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
        })
    }

    /// Reads the manifest at the agent's start and starts its plugins. Nobody waits for them: one that
    /// does not come up is tried again, and shows why.
    ///
    /// # Errors
    /// [`RuntimeError::Manifest`].
    pub async fn load(&self) -> Result<(), RuntimeError> {
        let _one_at_a_time = self.reloading.lock().await;
        let manifest = self.read_manifest().await?;
        self.route(&manifest);
        for spec in manifest.plugins {
            self.supervise(self.version(spec), None);
        }
        self.sweep();
        Ok(())
    }

    /// Reads the manifest anew and makes it so, or changes nothing.
    ///
    /// New and changed plugins are started beside those at work and held against the manifest. Only if
    /// each of them passes does it take over: observations go to the new version from then on, and the
    /// old one finishes what it is at. Plugins that are the same go on undisturbed; deactivated ones get
    /// another chance.
    ///
    /// # Errors
    /// [`RuntimeError`] names every plugin that did not pass.
    pub async fn reload(self: &Arc<Self>) -> Result<(), RuntimeError> {
        let this = Arc::clone(self);
        // In a task of its own: whoever asks may go away in the middle.
        let reload = self
            .setup
            .tasks
            .spawn(async move { this.reload_now().await });
        reload.await.unwrap_or(Err(RuntimeError::Stopping))
    }

    async fn reload_now(&self) -> Result<(), RuntimeError> {
        let _one_at_a_time = self.reloading.lock().await;
        let manifest = self.read_manifest().await?;
        let plan = self.plan(&manifest);
        let checked = self.check(plan.changed).await?;
        self.note_grants(&manifest);
        for (version, running) in checked {
            self.exchange(version, running).await;
        }
        for version in plan.again {
            self.end(&version.spec.id).await;
            self.supervise(version, None);
        }
        for id in plan.leaving {
            self.end(&id).await;
        }
        // Last: what is granted anew is kept for a plugin only once it knows of the grant.
        self.route(&manifest);
        self.sweep();
        Ok(())
    }

    /// Exchanges a plugin for the version before.
    ///
    /// # Errors
    /// [`RuntimeError`] when there is none, or it does not pass any more.
    pub async fn roll_back(self: &Arc<Self>, id: &str) -> Result<(), RuntimeError> {
        let (this, id) = (Arc::clone(self), id.to_owned());
        let exchange = self.setup.tasks.spawn(async move {
            let _one_at_a_time = this.reloading.lock().await;
            let previous = {
                let entries = this.entries();
                let entry = entries.get(&id);
                let entry = entry.ok_or_else(|| RuntimeError::NoSuchPlugin(id.clone()))?;
                let versions = entry.shared.versions();
                let previous = versions.previous.clone();
                previous.map(|previous| previous.within(&versions.manifest))
            };
            let previous = previous.ok_or(RuntimeError::NoPrevious(id))?;
            for (version, running) in this.check(vec![previous]).await? {
                this.exchange(version, running).await;
            }
            Ok(())
        });
        exchange.await.unwrap_or(Err(RuntimeError::Stopping))
    }

    async fn read_manifest(&self) -> Result<Manifest, RuntimeError> {
        let (file, sources) = (self.setup.manifest.clone(), self.setup.sources.clone());
        let read = tokio::task::spawn_blocking(move || Manifest::load(&file, &sources));
        Ok(read.await.map_err(|_| RuntimeError::Stopping)??)
    }

    fn plan(&self, manifest: &Manifest) -> Plan {
        let mut plan = Plan::default();
        let entries = self.entries();
        for spec in &manifest.plugins {
            let version = self.version(spec.clone());
            let Some(entry) = entries.get(&spec.id) else {
                plan.changed.push(version);
                continue;
            };
            let state = entry.shared.state.borrow().clone();
            if entry.shared.versions().current.spec != *spec {
                plan.changed.push(version);
            } else if matches!(state, PluginState::Deactivated { .. }) {
                plan.again.push(version);
            }
        }
        let listed: BTreeSet<&String> = manifest.plugins.iter().map(|spec| &spec.id).collect();
        let leaving = entries.keys().filter(|id| !listed.contains(id));
        plan.leaving = leaving.cloned().collect();
        plan
    }

    /// Starts every version beside what runs. Gives all of them, or none.
    async fn check(&self, versions: Vec<Version>) -> Result<Vec<(Version, Running)>, RuntimeError> {
        let starts = versions.into_iter().map(|version| async {
            let started = self.starter.start(&version).await;
            (version, started)
        });
        let started: Vec<_> = futures::stream::iter(starts)
            .buffer_unordered(CHECKS_AT_ONCE)
            .collect()
            .await;
        let (mut passed, mut refused) = (Vec::new(), Vec::new());
        for (version, started) in started {
            match started {
                Ok(running) => passed.push((version, running)),
                Err(error) => refused.push(RefusedPlugin {
                    plugin: version.spec.id,
                    reason: error.to_string(),
                }),
            }
        }
        if refused.is_empty() {
            return Ok(passed);
        }
        futures::future::join_all(passed.into_iter().map(|(_, running)| running.stop())).await;
        refused.sort_by(|a, b| a.plugin.cmp(&b.plugin));
        Err(RuntimeError::Refused(refused))
    }

    /// A version that passed takes over, or is the first of its plugin.
    async fn exchange(&self, version: Version, running: Running) {
        let swaps = {
            let entries = self.entries();
            entries
                .get(&version.spec.id)
                .map(|entry| entry.swaps.clone())
        };
        let Some(swaps) = swaps else {
            return self.supervise(version, Some(running));
        };
        let (done, taken) = oneshot::channel();
        let swap = Swap {
            version,
            running,
            done,
        };
        // A supervisor that is gone was told to stop, and so was everything else.
        if swaps.send(swap).await.is_ok() {
            let _ = taken.await;
        }
    }

    async fn end(&self, id: &str) {
        let entry = self.entries().remove(id);
        if let Some(entry) = entry {
            entry.stop.cancel();
            // The supervisor ends its plugin first, so two of one plugin never run.
            let _ = entry.ended.await;
        }
    }

    fn supervise(&self, version: Version, running: Option<Running>) {
        let id = version.spec.id.clone();
        let (faults, fault_reports) = mpsc::channel(8);
        let (swaps, swap_orders) = mpsc::channel(1);
        let shared = Arc::new(Shared::new(version));
        let stop = self.setup.stop.child_token();
        let handle = PluginHandle {
            id: id.clone(),
            live: shared.live.subscribe(),
            faults,
        };
        let supervisor = Supervisor {
            starter: Arc::clone(&self.starter),
            shares: self.setup.shares.clone(),
            shared: Arc::clone(&shared),
            faults: fault_reports,
            swaps: swap_orders,
            tasks: self.setup.tasks.clone(),
            stop: stop.clone(),
        };
        let ended = self.setup.tasks.spawn(supervisor.run(running));
        (self.setup.start_worker)(handle, stop.clone());
        let entry = Entry {
            shared,
            swaps,
            stop,
            ended,
        };
        self.entries().insert(id, entry);
    }

    /// From here on no version of a plugin gets more than `manifest` grants it.
    fn note_grants(&self, manifest: &Manifest) {
        let entries = self.entries();
        for spec in &manifest.plugins {
            if let Some(entry) = entries.get(&spec.id) {
                let mut versions = entry.shared.versions();
                versions.manifest.clone_from(&spec.grants);
            }
        }
    }

    fn version(&self, spec: PluginSpec) -> Version {
        Version::new(spec, &self.setup.sources)
    }

    fn route(&self, manifest: &Manifest) {
        let routes = manifest.routes();
        let sources = self.setup.sources.keys();
        for source in sources.filter(|source| !routes.contains_key(*source)) {
            tracing::warn!(
                source,
                "no plugin reads this source; what it sees is dropped"
            );
        }
        self.setup.routes.replace(routes);
        let plugins = manifest.plugins.iter().map(|spec| spec.id.clone());
        self.setup.shares.set(plugins.collect());
    }

    /// Copies that are neither at work nor kept to go back to are removed.
    fn sweep(&self) {
        let mut used = BTreeSet::new();
        for entry in self.entries().values() {
            let versions = entry.shared.versions();
            let kept = std::iter::once(&versions.current).chain(&versions.previous);
            used.extend(kept.map(|version| version.spec.source.digest()));
        }
        self.starter.shelf.sweep(&used);
    }

    /// Every plugin and how it is doing.
    pub fn views(&self) -> Vec<PluginView> {
        self.entries()
            .values()
            .map(|entry| entry.shared.view())
            .collect()
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

impl Shared {
    fn new(version: Version) -> Self {
        Self {
            state: watch::Sender::new(PluginState::Starting),
            live: watch::Sender::new(None),
            restarts: std::sync::atomic::AtomicU64::new(0),
            generation: std::sync::atomic::AtomicU64::new(0),
            versions: Mutex::new(super::Versions {
                manifest: version.spec.grants.clone(),
                current: version,
                proven: false,
                previous: None,
                rolled_back: None,
            }),
        }
    }
}
