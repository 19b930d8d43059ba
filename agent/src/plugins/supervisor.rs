//! Keeps one plugin running: probes it, restarts it, exchanges it for another version of itself, goes
//! back to the one before, and in the end leaves it alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farmops_plugin::Description;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::failures::Failures;
use super::routes::granted;
use super::running::{Running, Starter, Version};
use super::view::RolledBack;
use super::{Fault, Live, PluginState, Shared};
use crate::clock;
use crate::store::Shares;

/// What an exchanged version gets beyond its deadline to finish what it is at.
const DRAIN_MARGIN: Duration = Duration::from_secs(1);

pub(super) struct Supervisor {
    pub(super) starter: Arc<Starter>,
    pub(super) shares: Shares,
    pub(super) shared: Arc<Shared>,
    pub(super) faults: mpsc::Receiver<Fault>,
    pub(super) swaps: mpsc::Receiver<Swap>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Another version, started and admitted, to take the place of the one at work.
pub(super) struct Swap {
    pub(super) version: Version,
    pub(super) running: Running,
    /// Told once observations go to it.
    pub(super) done: oneshot::Sender<()>,
}

/// How a run of the plugin ended.
enum End {
    Stopped,
    Failed(String),
    Swapped(Box<Swap>),
}

/// A plugin at work.
struct AtWork {
    running: Running,
    generation: u64,
    /// Ends once nobody asks it any more.
    drained: mpsc::Receiver<()>,
}

impl Supervisor {
    pub(super) async fn run(mut self, first: Option<Running>) {
        let mut failures = Failures::new(self.starter.bounds);
        let mut declared: Option<Description> = None;
        let mut next = first.map(|running| self.publish(running));
        loop {
            let at_work = match next.take() {
                Some(at_work) => Ok(at_work),
                None => self.start(&mut declared).await,
            };
            let end = match at_work {
                Ok(at_work) => {
                    declared.get_or_insert_with(|| at_work.running.description.clone());
                    self.work(at_work, &mut failures).await
                }
                Err(end) => end,
            };
            let end = match end {
                End::Failed(reason) => self.rest(reason, &mut failures, &mut declared).await,
                end => Some(end),
            };
            match end {
                None => {}
                Some(End::Swapped(swap)) => {
                    failures.forget();
                    declared = None;
                    next = Some(self.adopt(*swap));
                }
                Some(_) => return self.say(PluginState::Stopped),
            }
        }
    }

    /// Starts the current version.
    async fn start(&mut self, declared: &mut Option<Description>) -> Result<AtWork, End> {
        self.say(PluginState::Starting);
        let version = self.shared.versions().current.clone();
        let running = tokio::select! {
            () = self.stop.cancelled() => return Err(End::Stopped),
            Some(swap) = self.swaps.recv() => return Err(End::Swapped(Box::new(swap))),
            started = self.starter.start(&version) =>
                started.map_err(|error| End::Failed(error.to_string()))?,
        };
        // Words learnt from observations must not come back as a "declaration".
        let first = declared.get_or_insert_with(|| running.description.clone());
        if *first != running.description {
            running.stop().await;
            let reason = "declares other things than when it was first started";
            return Err(End::Failed(reason.to_owned()));
        }
        Ok(self.publish(running))
    }

    /// From here on observations go to `running`.
    fn publish(&mut self, running: Running) -> AtWork {
        let description = &running.description;
        let granted = {
            let mut versions = self.shared.versions();
            versions.proven = true;
            let (id, version) = (&versions.current.spec.id, &description.version);
            match running.sandbox() {
                Some(sandbox) if !sandbox.seccomp || !sandbox.landlock.starts_with("abi") => {
                    tracing::warn!(
                        plugin = id,
                        version,
                        ?sandbox,
                        "plugin is running, but this kernel cannot lock it up fully"
                    );
                }
                sandbox => tracing::info!(plugin = id, version, ?sandbox, "plugin is running"),
            }
            granted(&versions.current.grants, description)
        };
        let generation = self.shared.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let (in_use, drained) = mpsc::channel(1);
        self.shared.live.send_replace(Some(Live {
            generation,
            client: running.client.clone(),
            wanted: Arc::new(running.wanted.clone()),
            description: Arc::new(description.clone()),
            granted: Arc::new(granted),
            in_use,
            sandbox: running.sandbox().cloned(),
            log_dropped: running.log_dropped(),
        }));
        self.say(PluginState::Running);
        AtWork {
            running,
            generation,
            drained,
        }
    }

    /// Watches the plugin until something happens.
    async fn work(&mut self, mut at_work: AtWork, failures: &mut Failures) -> End {
        let bounds = self.starter.bounds;
        let begin = Instant::now();
        let mut probe = tokio::time::interval(bounds.probe_interval);
        probe.tick().await;
        let running = &mut at_work.running;
        let end = loop {
            tokio::select! {
                () = self.stop.cancelled() => break End::Stopped,
                Some(swap) = self.swaps.recv() => {
                    self.retire(at_work);
                    return End::Swapped(Box::new(swap));
                }
                how = running.ended() => break End::Failed(how),
                Some(fault) = self.faults.recv() => if fault.generation == at_work.generation {
                    break End::Failed(fault.reason);
                },
                _ = probe.tick() => match running.client.describe().await {
                    Ok(description) if description == running.description => {}
                    Ok(_) => break End::Failed("changed its declaration while running".to_owned()),
                    Err(error) => break End::Failed(error.to_string()),
                },
            }
            if begin.elapsed() > bounds.failure_window {
                failures.forget();
            }
        };
        self.shared.live.send_replace(None);
        at_work.running.stop().await;
        end
    }

    /// Lets the version that was exchanged finish what it is at, and ends it.
    fn retire(&self, mut at_work: AtWork) {
        let patience = self.starter.bounds.verify_deadline + DRAIN_MARGIN;
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // Nothing is ever sent: this ends when the last one who could ask is done.
                _ = tokio::time::timeout(patience, at_work.drained.recv()) => {}
            }
            at_work.running.stop().await;
        });
    }

    /// The new version takes over, and the old one is kept to go back to if it ever worked.
    fn adopt(&mut self, swap: Swap) -> AtWork {
        {
            let mut versions = self.shared.versions();
            let old = std::mem::replace(&mut versions.current, swap.version);
            if std::mem::take(&mut versions.proven) {
                versions.previous = Some(old);
            }
            versions.rolled_back = None;
        }
        let at_work = self.publish(swap.running);
        // Whoever asked for it may be gone.
        let _ = swap.done.send(());
        at_work
    }

    /// After a failure: waits, goes back to the version before, or gives up. `None` is another try.
    async fn rest(
        &mut self,
        reason: String,
        failures: &mut Failures,
        declared: &mut Option<Description>,
    ) -> Option<End> {
        let id = self.shared.versions().current.spec.id.clone();
        metrics::counter!("farmops_agent_plugin_failures_total", "plugin" => id.clone())
            .increment(1);
        let delay = failures.next(Instant::now());
        // Once is an accident, and what waits meanwhile is not worth losing.
        if delay.is_none() || failures.is_repeated() {
            self.shares.note_failure(&id);
        }
        let pause = match delay {
            Some(delay) => {
                tracing::warn!(
                    plugin = id,
                    reason,
                    ?delay,
                    "plugin failed and will be restarted"
                );
                let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
                let retry_at = clock::now().saturating_add(seconds);
                self.say(PluginState::Waiting { reason, retry_at });
                Some(delay)
            }
            None if self.roll_back(&reason) => {
                failures.forget();
                *declared = None;
                return None;
            }
            None => {
                tracing::error!(
                    plugin = id,
                    reason,
                    "plugin failed too often and is deactivated"
                );
                self.say(PluginState::Deactivated { reason });
                None
            }
        };
        let over = async move {
            match pause {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => Some(End::Stopped),
            Some(swap) = self.swaps.recv() => Some(End::Swapped(Box::new(swap))),
            () = over => {
                self.shared.restarts.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Goes back to the version before, if there is one.
    fn roll_back(&self, reason: &str) -> bool {
        let mut versions = self.shared.versions();
        let Some(previous) = versions.previous.take() else {
            return false;
        };
        let previous = previous.within(&versions.manifest);
        let failed = std::mem::replace(&mut versions.current, previous);
        let (id, from) = (&failed.spec.id, failed.spec.source.digest());
        let to = versions.current.spec.source.digest();
        tracing::error!(plugin = id, reason, %from, %to, "plugin failed too often; going back to the version before");
        metrics::counter!("farmops_agent_plugin_rollbacks_total", "plugin" => id.clone())
            .increment(1);
        versions.rolled_back = Some(RolledBack {
            from,
            reason: reason.to_owned(),
            at: clock::now(),
        });
        true
    }

    fn say(&self, state: PluginState) {
        self.shared.state.send_replace(state);
    }
}
