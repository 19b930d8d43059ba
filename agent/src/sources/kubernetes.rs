//! The source `kubernetes`: watches the resources that plugins declare, and tells them what has changed.
//!
//! watch → project → discard: an object is looked at once, its declared fields are kept in the store, and
//! the rest is dropped. Memory does not grow with the number of objects.
//!
//! [`machine`] decides when to list, watch and wait, [`project`] what is kept, [`settle`] when a change counts,
//! [`fold`] what a batch leads to: pure code. `watcher` takes their steps against [`api`] and the store.

pub mod access;
pub mod api;
pub mod board;
pub mod connect;
pub mod discovery;
pub mod fold;
pub mod lines;
pub mod machine;
pub mod object;
pub mod project;
pub mod settle;
pub mod subject;
pub mod subscription;
mod watcher;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::api::ApiServer;
use self::board::Board;
use self::subscription::{Subscription, places};
use self::watcher::Watcher;
use super::Desk;
use crate::store::WatchKey;

/// Plugins start one after the other; so long after the last news the watches are arranged.
const CALM: Duration = Duration::from_secs(1);
/// Between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Namespaces that one source may name.
const NAMESPACES_MAX: usize = 64;

/// One cluster to watch.
#[derive(Debug, Clone, Deserialize)]
pub struct KubernetesConfig {
    /// The operator's name for it.
    pub name: String,
    /// A kubeconfig file. Default: the pod's own account, else `$KUBECONFIG`, else `~/.kube/config`.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub kubeconfig: Option<PathBuf>,
    /// A context in it. Default: its current one.
    #[serde(default)]
    pub context: Option<String>,
    /// Namespaces to watch, each by a watch of its own. Default: the whole cluster.
    #[serde(default)]
    pub namespaces: Vec<String>,
}

impl KubernetesConfig {
    /// Key and reason of the first rule that is broken.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let key = format!("sources.kubernetes.{}.namespaces", self.name);
        if self.namespaces.len() > NAMESPACES_MAX {
            let reason =
                format!("at most {NAMESPACES_MAX}; leave it out to watch the whole cluster");
            return Err((key, reason));
        }
        let mut seen = BTreeSet::new();
        for namespace in &self.namespaces {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if !(1..=63).contains(&namespace.len()) || !namespace.bytes().all(plain) {
                let reason = format!("`{namespace}` is not the name of a namespace");
                return Err((key, reason));
            }
            if !seen.insert(namespace) {
                return Err((key, format!("`{namespace}` is there twice")));
            }
        }
        Ok(())
    }
}

/// A watch at work.
struct Running {
    subscriptions: Vec<Subscription>,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

/// All watches of one source.
pub struct Cluster {
    config: KubernetesConfig,
    api: ApiServer,
    desk: Desk,
    board: Board,
    /// One list at a time, so that memory and the server's load stay flat.
    gate: Arc<Semaphore>,
    fields_bytes_max: usize,
    idle_max: Duration,
    tasks: TaskTracker,
    running: BTreeMap<WatchKey, Running>,
}

impl Cluster {
    /// A source that reports to `desk` observations of at most `bytes_max`.
    pub fn new(
        config: KubernetesConfig,
        api: ApiServer,
        desk: Desk,
        bytes_max: usize,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            board: Board::new(&config.name, desk.clone()),
            config,
            api,
            desk,
            gate: Arc::new(Semaphore::new(1)),
            // Before and after, and what is around them.
            fields_bytes_max: (bytes_max / 2).saturating_sub(1024).min(256 * 1024),
            idle_max: board::IDLE_MAX,
            tasks,
            running: BTreeMap::new(),
        }
    }

    /// A watch that is silent for longer is opened anew. Bookmarks come every minute, so less is for tests.
    #[must_use]
    pub fn idle_max(mut self, idle_max: Duration) -> Self {
        self.idle_max = idle_max;
        self
    }

    /// Watches what `subscriptions` ask for until told to stop.
    pub async fn run(
        mut self,
        mut subscriptions: watch::Receiver<Arc<Vec<Subscription>>>,
        stop: CancellationToken,
    ) {
        let mut report = tokio::time::interval(REPORT_INTERVAL);
        let mut arrange_at = Some(tokio::time::Instant::now() + CALM);
        loop {
            let calm = arrange_at.unwrap_or_else(|| tokio::time::Instant::now() + REPORT_INTERVAL);
            tokio::select! {
                () = stop.cancelled() => return,
                changed = subscriptions.changed() => {
                    if changed.is_err() {
                        // The last word stands.
                        stop.cancelled().await;
                        return;
                    }
                    arrange_at = Some(tokio::time::Instant::now() + CALM);
                }
                () = tokio::time::sleep_until(calm), if arrange_at.is_some() => {
                    arrange_at = None;
                    let wanted = Arc::clone(&subscriptions.borrow_and_update());
                    self.arrange(&wanted, &stop).await;
                    self.board.publish();
                }
                _ = report.tick() => if arrange_at.is_none() { self.board.publish() },
            }
        }
    }

    /// Ends watches that are wanted no more or otherwise, and begins those that are new.
    async fn arrange(&mut self, wanted: &[Subscription], stop: &CancellationToken) {
        let mut plan = plan(&self.config, wanted);
        let leaving = self.running.extract_if(.., |key, running| {
            plan.get(key) != Some(&running.subscriptions)
        });
        for (key, running) in leaving.collect::<Vec<_>>() {
            running.stop.cancel();
            // Two watchers of one watch would write the same states.
            let _ = running.ended.await;
            self.board.remove(&key);
        }
        plan.retain(|key, _| !self.running.contains_key(key));
        for (key, subscriptions) in plan {
            let plugins = subscriptions.iter().map(|s| s.plugin.clone()).collect();
            let optional = subscriptions.iter().all(|s| s.optional);
            self.board.add(&key, plugins, optional);
            let watcher = Watcher {
                key: key.clone(),
                subscriptions: subscriptions.clone(),
                api: self.api.clone(),
                desk: self.desk.clone(),
                board: self.board.clone(),
                gate: Arc::clone(&self.gate),
                fields_bytes_max: self.fields_bytes_max,
                idle_max: self.idle_max,
            };
            let stop = stop.child_token();
            let ended = self.tasks.spawn(watcher.run(stop.clone()));
            let running = Running {
                subscriptions,
                stop,
                ended,
            };
            self.running.insert(key, running);
        }
    }
}

/// Which watches serve `wanted`, and who reads each.
fn plan(
    config: &KubernetesConfig,
    wanted: &[Subscription],
) -> BTreeMap<WatchKey, Vec<Subscription>> {
    let mut plan: BTreeMap<WatchKey, Vec<Subscription>> = BTreeMap::new();
    for subscription in wanted.iter().filter(|s| s.source == config.name) {
        for place in places(&config.namespaces, &subscription.namespaces) {
            let key = WatchKey {
                source: config.name.clone(),
                resource: subscription.resource.clone(),
                namespace: place.map(str::to_owned),
            };
            let readers = plan.entry(key).or_default();
            // A resource that a plugin declares twice counts as declared first.
            if readers
                .iter()
                .all(|other| other.plugin != subscription.plugin)
            {
                readers.push(subscription.clone());
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests;
