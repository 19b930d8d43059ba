//! Keeps one plugin running: probes it, restarts it, and in the end leaves it alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farmops_plugin::Description;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::manifest::PluginSpec;
use super::running::{Launch, Running};
use super::socket::SocketFolder;
use super::subscription::{self, Routes};
use super::{Fault, Live, PluginState, RuntimeBounds, Shared};
use crate::backoff::Backoff;
use crate::clock;
use crate::observation::SourceType;

pub(super) struct Supervisor {
    pub(super) spec: PluginSpec,
    pub(super) granted: Vec<(String, SourceType)>,
    pub(super) bounds: RuntimeBounds,
    pub(super) sockets: Arc<SocketFolder>,
    pub(super) routes: Routes,
    pub(super) shared: Arc<Shared>,
    pub(super) faults: mpsc::Receiver<Fault>,
    pub(super) stop: CancellationToken,
}

/// How a run of the process ended.
enum End {
    Stopped,
    Failed(String),
}

impl Supervisor {
    pub(super) async fn run(mut self) {
        let mut failures = Failures::new(self.bounds);
        let mut declared: Option<Description> = None;
        loop {
            self.say(PluginState::Starting);
            let reason = match self.run_once(&mut declared, &mut failures).await {
                End::Stopped => return self.say(PluginState::Stopped),
                End::Failed(reason) => reason,
            };
            let id = &self.spec.id;
            metrics::counter!("farmops_agent_plugin_failures_total", "plugin" => id.clone())
                .increment(1);
            let Some(delay) = failures.next(Instant::now()) else {
                tracing::error!(
                    plugin = id,
                    reason,
                    "plugin failed too often and is deactivated"
                );
                self.say(PluginState::Deactivated { reason });
                self.stop.cancelled().await;
                return;
            };
            tracing::warn!(
                plugin = id,
                reason,
                ?delay,
                "plugin failed and will be restarted"
            );
            let seconds = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            self.say(PluginState::Waiting {
                reason,
                retry_at: clock::now().saturating_add(seconds),
            });
            tokio::select! {
                () = self.stop.cancelled() => return self.say(PluginState::Stopped),
                () = tokio::time::sleep(delay) => {}
            }
            self.shared.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn run_once(
        &mut self,
        declared: &mut Option<Description>,
        failures: &mut Failures,
    ) -> End {
        let start = Running::start(Launch {
            spec: &self.spec,
            granted: &self.granted,
            socket: self.sockets.fresh_path(),
            deadline: self.bounds.verify_deadline,
        });
        let start = tokio::time::timeout(self.bounds.start_deadline, start);
        let plugin = tokio::select! {
            () = self.stop.cancelled() => return End::Stopped,
            started = start => match started {
                Ok(Ok(plugin)) => plugin,
                Ok(Err(error)) => return End::Failed(error.to_string()),
                Err(_) => return End::Failed(format!("not ready within {:?}", self.bounds.start_deadline)),
            },
        };
        // Words learnt from observations must not come back as a "declaration".
        let first = declared.get_or_insert_with(|| plugin.description.clone());
        if *first != plugin.description {
            plugin.stop().await;
            return End::Failed("declares other things than when it was first started".to_owned());
        }
        tracing::info!(
            plugin = self.spec.id,
            version = plugin.description.version,
            "plugin is running"
        );
        let subscriptions = subscription::granted(&self.spec, &plugin.description);
        self.routes.subscribe(&self.spec.id, subscriptions);
        self.shared.live.send_replace(Some(Live {
            generation: self.generation(),
            client: plugin.client.clone(),
            wanted: Arc::new(plugin.wanted.clone()),
            description: Arc::new(plugin.description.clone()),
        }));
        self.say(PluginState::Running);
        let (end, plugin) = self.watch(plugin, failures).await;
        self.shared.live.send_replace(None);
        plugin.stop().await;
        end
    }

    async fn watch(&mut self, mut plugin: Running, failures: &mut Failures) -> (End, Running) {
        let begin = Instant::now();
        let generation = self.generation();
        let mut probe = tokio::time::interval(self.bounds.probe_interval);
        probe.tick().await;
        let end = loop {
            tokio::select! {
                () = self.stop.cancelled() => break End::Stopped,
                how = plugin.ended() => break End::Failed(how),
                Some(fault) = self.faults.recv() => if fault.generation == generation {
                    break End::Failed(fault.reason);
                },
                _ = probe.tick() => match plugin.client.describe().await {
                    Ok(description) if description == plugin.description => {}
                    Ok(_) => break End::Failed("changed its declaration while running".to_owned()),
                    Err(error) => break End::Failed(error.to_string()),
                },
            }
            if begin.elapsed() > self.bounds.failure_window {
                failures.forget();
            }
        };
        (end, plugin)
    }

    fn generation(&self) -> u64 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    fn say(&self, state: PluginState) {
        self.shared.state.send_replace(state);
    }
}

/// Counts failures in a sliding window.
struct Failures {
    at: VecDeque<Instant>,
    max: usize,
    window: Duration,
    backoff: Backoff,
}

impl Failures {
    fn new(bounds: RuntimeBounds) -> Self {
        Self {
            at: VecDeque::new(),
            max: bounds.failures_max,
            window: bounds.failure_window,
            backoff: Backoff::new(bounds.restart_delay, bounds.restart_delay_max),
        }
    }

    /// One more failure: the delay before the next try, or `None` when there were too many.
    fn next(&mut self, now: Instant) -> Option<Duration> {
        while self
            .at
            .front()
            .is_some_and(|at| now.duration_since(*at) > self.window)
        {
            self.at.pop_front();
        }
        self.at.push_back(now);
        (self.at.len() < self.max).then(|| self.backoff.next(&mut rand::rng()))
    }

    fn forget(&mut self) {
        self.at.clear();
        self.backoff.reset();
    }
}
