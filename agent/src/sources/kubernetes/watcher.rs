//! One watch at work: takes the machine's steps, and brings what was seen into the store.

mod keeper;
mod reader;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::keeper::Keeper;
use self::reader::Reading;
use super::api::{ApiError, ApiServer};
use super::board::{Board, WatchState};
use super::discovery::{self, Served};
use super::machine::{Failure, Machine, News, Step};
use super::subscription::Subscription;
use crate::sources::Desk;
use crate::store::{Place, StoreError, WatchKey};

/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// One watch of one resource.
pub(super) struct Watcher {
    pub(super) key: WatchKey,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) api: ApiServer,
    pub(super) desk: Desk,
    pub(super) board: Board,
    /// Lets one list at a time through.
    pub(super) gate: Arc<Semaphore>,
    pub(super) fields_bytes_max: usize,
    pub(super) idle_max: Duration,
}

/// What is known while the machine runs.
struct Run<'a> {
    watcher: &'a Watcher,
    keeper: Keeper<'a>,
    served: Option<Served>,
    /// Held while a list is read.
    turn: Option<OwnedSemaphorePermit>,
}

impl Watcher {
    /// Watches until told to stop. What is in flight then is neither lost nor doubled.
    pub(super) async fn run(self, stop: CancellationToken) {
        let work = async {
            loop {
                let Err(error) = self.work().await;
                tracing::error!(source = self.key.source, resource = self.key.resource, %error, "a watch cannot be kept");
                let reason = format!("{} cannot be kept: {error}", self.key.resource);
                self.say(WatchState::Failing, Some(reason));
                tokio::time::sleep(STORE_PAUSE).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// From what was saved last on; ends only when the store fails.
    async fn work(&self) -> Result<std::convert::Infallible, StoreError> {
        let keeper = Keeper::open(self).await?;
        let mut machine = Machine::new(keeper.resource_version());
        let mut run = Run {
            watcher: self,
            keeper,
            served: None,
            turn: None,
        };
        loop {
            let news = match machine.step().clone() {
                Step::Discover => run.discover().await,
                Step::Review => run.review().await,
                Step::List { limit, next } => run.list(limit, next.as_deref()).await?,
                Step::Watch { resource_version } => {
                    run.watch(&mut machine, &resource_version).await?
                }
                Step::Wait(pause) => {
                    run.turn = None;
                    tokio::time::sleep(pause).await;
                    News::Waited
                }
            };
            machine.hear(news, &mut rand::rng());
        }
    }

    fn say(&self, state: WatchState, reason: Option<String>) {
        self.board.say(&self.key, state, reason);
    }

    /// `pods`, or `pods in shop`.
    fn what(&self) -> String {
        match &self.key.namespace {
            Some(namespace) => format!("{} in {namespace}", self.key.resource),
            None => self.key.resource.clone(),
        }
    }

    fn namespace(&self) -> Option<&str> {
        self.key.namespace.as_deref()
    }

    fn count(&self, metric: &'static str) {
        metrics::counter!(metric, "resource" => self.key.resource.clone()).increment(1);
    }

    fn failed(&self, error: &ApiError) -> News {
        let failure = error.failure();
        if failure == Failure::Gone {
            // Servers forget; a list follows.
            return News::Failed(failure);
        }
        self.count("farmops_agent_kubernetes_errors_total");
        let reason = format!("{} cannot be watched: {error}", self.what());
        self.say(WatchState::Failing, Some(reason));
        News::Failed(failure)
    }
}

impl Run<'_> {
    async fn discover(&mut self) -> News {
        let watcher = self.watcher;
        match discovery::find(&watcher.api, &watcher.key.resource).await {
            Ok(Some(served)) if watcher.namespace().is_some() && !served.namespaced => {
                let reason = format!(
                    "{} stand in no namespace, and this source is limited to some",
                    watcher.key.resource
                );
                watcher.say(WatchState::Denied, Some(reason));
                News::Absent
            }
            Ok(Some(served)) => {
                self.served = Some(served);
                News::Found
            }
            Ok(None) => {
                let reason = format!("the cluster has no {}", watcher.key.resource);
                watcher.say(WatchState::Absent, Some(reason));
                News::Absent
            }
            // No such path is an answer that `find` gives; from here it is a server that is not ready.
            Err(error) => watcher.failed(&error),
        }
    }

    async fn review(&mut self) -> News {
        let watcher = self.watcher;
        let Some(served) = &self.served else {
            return News::Absent;
        };
        for (verb, done) in [("list", "listed"), ("watch", "watched")] {
            match watcher
                .api
                .may(verb, &served.group, &served.plural, watcher.namespace())
                .await
            {
                Ok(false) => {
                    let reason = format!("{} may not be {done}", watcher.what());
                    watcher.say(WatchState::Denied, Some(reason));
                    return News::Denied;
                }
                // Who may not even ask finds out by trying.
                Ok(true)
                | Err(ApiError::Status {
                    code: 403 | 404, ..
                }) => {}
                Err(error) => return watcher.failed(&error),
            }
        }
        News::Allowed
    }

    /// Reads one page and keeps it.
    async fn list(&mut self, limit: u32, next: Option<&str>) -> Result<News, StoreError> {
        let watcher = self.watcher;
        let Some(served) = self.served.clone() else {
            return Ok(News::Absent);
        };
        if self.turn.is_none() {
            self.turn = Arc::clone(&watcher.gate).acquire_owned().await.ok();
        }
        if next.is_none() {
            watcher.say(WatchState::Listing, None);
            watcher.count("farmops_agent_kubernetes_lists_total");
            self.keeper.begin_list().await?;
        }
        let asked = watcher
            .api
            .list(&served, watcher.namespace(), limit, next)
            .await;
        let page = match asked {
            Ok(page) => page,
            Err(error) => return Ok(watcher.failed(&error)),
        };
        let items = match page.read() {
            Ok(items) => items,
            Err(error) => return Ok(watcher.failed(&error)),
        };
        let reading = Reading::new(watcher, &served);
        let entries = items
            .items
            .iter()
            .filter_map(|item| reading.item(item.get()));
        let entries = entries.collect();
        let next = items.metadata.next.filter(|next| !next.is_empty());
        let resource_version = items.metadata.resource_version;
        let place = Place {
            listed: next.is_none(),
            resource_version: next.is_none().then(|| resource_version.clone()),
        };
        self.keeper.keep(entries, place).await?;
        watcher.board.heard(&watcher.key);
        if next.is_none() {
            self.keeper.count().await?;
            self.turn = None;
        }
        Ok(News::Page {
            resource_version,
            next,
        })
    }
}
