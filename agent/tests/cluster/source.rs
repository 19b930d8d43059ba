//! The agent's Kubernetes source on its own: what it tells, and how it says it is doing.

use std::path::Path;
use std::time::Duration;

use farmops_agent::observation::Waiting;
use farmops_agent::plugins::Routes;
use farmops_agent::sources::kubernetes::board::IDLE_MAX;
use farmops_agent::sources::kubernetes::subscription::{Roll, Subscription};
use farmops_agent::sources::kubernetes::{Cluster, KubernetesConfig, connect};
use farmops_agent::sources::{Desk, SourceHealth, SourcesConfig};
use farmops_agent::store::{Bounds, Store};
use farmops_plugin::KubernetesResource;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The source's name.
pub(crate) const CLUSTER: &str = "cluster";
/// Longest time that anything may take to happen; a resource that is absent is looked for every minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// A source at work.
pub(crate) struct Source {
    store: Store,
    desk: Desk,
    roll: Roll,
    stop: CancellationToken,
    tasks: TaskTracker,
    run: JoinHandle<()>,
}

impl Source {
    /// Starts one with its memory in `folder`; `readers` are plugins and what they declare.
    pub(crate) async fn start(
        folder: &Path,
        kubeconfig: &Path,
        namespaces: &[&str],
        readers: &[(&str, Vec<KubernetesResource>)],
    ) -> Self {
        let bounds = (100_000, IDLE_MAX);
        Self::start_with(folder, kubeconfig, namespaces, readers, bounds).await
    }

    /// The same with room for so many observations, and so much patience with a silent watch.
    pub(crate) async fn start_with(
        folder: &Path,
        kubeconfig: &Path,
        namespaces: &[&str],
        readers: &[(&str, Vec<KubernetesResource>)],
        (observations_max, idle_max): (i64, Duration),
    ) -> Self {
        farmops_service::tls::init();
        let bounds = Bounds {
            observations_max,
            proofs_kept_max: 10,
            ..Bounds::default()
        };
        let store = Store::open(folder, bounds).await.unwrap();
        let config = KubernetesConfig {
            name: CLUSTER.to_owned(),
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
        };
        let sources = SourcesConfig {
            kubernetes: vec![config.clone()],
            ..SourcesConfig::default()
        };
        let desk = Desk::new(store.clone(), Routes::default(), &sources);
        let roll = Roll::new(sources.clusters());
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let api = connect::connect(&config).await.unwrap();
        let cluster =
            Cluster::new(config, api, desk.clone(), 1024 * 1024, tasks.clone()).idle_max(idle_max);
        let source = Self {
            run: tokio::spawn(cluster.run(roll.subscribe(), stop.clone())),
            store,
            desk,
            roll,
            stop,
            tasks,
        };
        for (plugin, resources) in readers {
            source.enrol(plugin, resources);
        }
        source
    }

    /// `plugin` reads `resources` from now on.
    pub(crate) fn enrol(&self, plugin: &str, resources: &[KubernetesResource]) {
        let subscriptions = resources
            .iter()
            .map(|resource| Subscription::new(CLUSTER, plugin, resource, &[]).unwrap());
        self.roll.enrol(plugin, subscriptions.collect());
    }

    /// Ends it wherever it is, as a signal would.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.run.await.unwrap();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }

    pub(crate) fn health(&self) -> SourceHealth {
        self.desk.health().remove(CLUSTER).unwrap()
    }

    /// Waits until the source says so of itself.
    pub(crate) async fn until(&self, holds: impl Fn(&SourceHealth) -> bool) -> SourceHealth {
        let begin = tokio::time::Instant::now();
        loop {
            let health = self.health();
            if holds(&health) {
                return health;
            }
            assert!(begin.elapsed() < PATIENCE, "{health:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until every watch is up, at least one being there.
    pub(crate) async fn until_up(&self) -> SourceHealth {
        self.until(|health| health.up && !health.watches.is_empty())
            .await
    }

    /// Takes what waits for `plugin`, in order.
    pub(crate) async fn take(&self, plugin: &str) -> Vec<Value> {
        let mut taken = Vec::new();
        while let Some(waiting) = self.store.next_for(plugin).await.unwrap() {
            assert_eq!(waiting.event, "changed");
            assert_eq!(waiting.source, CLUSTER);
            taken.push(serde_json::from_slice(&waiting.payload).unwrap());
            self.store.drop_observation(waiting.seq).await.unwrap();
        }
        taken
    }

    /// Waits for the next thing that `plugin` is told.
    pub(crate) async fn next(&self, plugin: &str) -> Value {
        serde_json::from_slice(&self.next_waiting(plugin).await.payload).unwrap()
    }

    /// The same as it stands in the queue.
    pub(crate) async fn next_waiting(&self, plugin: &str) -> Waiting {
        let mut queue = self.store.watch_queue();
        let next = async {
            loop {
                queue.mark_unchanged();
                if let Some(waiting) = self.store.next_for(plugin).await.unwrap() {
                    self.store.drop_observation(waiting.seq).await.unwrap();
                    return waiting;
                }
                queue.changed().await.unwrap();
            }
        };
        let next = tokio::time::timeout(PATIENCE, next).await;
        next.unwrap_or_else(|_| panic!("{plugin} is told nothing; {:#?}", self.health()))
    }
}

/// What `f` gives, computed beside the runtime: `kubectl` takes its time.
pub(crate) async fn beside<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(f).await.unwrap()
}
