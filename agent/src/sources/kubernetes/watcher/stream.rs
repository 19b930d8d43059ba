//! A watch while it is open: events gathered into batches, silence noticed, candidates let count.

use std::time::Duration;

use rand::RngExt as _;
use tokio::time::Instant;

use super::Run;
use super::reader::{Reading, Said};
use crate::clock;
use crate::sources::kubernetes::api::ApiError;
use crate::sources::kubernetes::board::WatchState;
use crate::sources::kubernetes::fold::Entry;
use crate::sources::kubernetes::lines::Line;
use crate::sources::kubernetes::machine::{Failure, Machine, News};
use crate::store::{Place, StoreError};

/// Events in one batch.
const BATCH_EVENTS: usize = 100;
/// Bytes of events in one batch.
const BATCH_BYTES: usize = 1024 * 1024;
/// Longest time an event waits for others.
const BATCH_WAIT: Duration = Duration::from_millis(200);
/// The server ends a watch after about this long.
const WATCH_SECONDS: std::ops::Range<u64> = 270..330;
/// What happened while the watch was closed comes first; so long after it was opened nothing counts yet.
const CATCH_UP: Duration = Duration::from_secs(2);
/// After longer silence the server is asked whether it is there before a candidate counts.
const QUIET: Duration = Duration::from_secs(5);
/// A moment far away.
const NEVER: Duration = Duration::from_hours(24);

/// Events that are not kept yet.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
    resource_version: Option<String>,
    begun_at: Option<Instant>,
}

impl Run<'_> {
    /// Hears of changes until the watch ends, in whatever way.
    pub(super) async fn watch(
        &mut self,
        machine: &mut Machine,
        resource_version: &str,
    ) -> Result<News, StoreError> {
        let watcher = self.watcher;
        let Some(served) = self.served.clone() else {
            return Ok(News::Absent);
        };
        let seconds = rand::rng().random_range(WATCH_SECONDS);
        let asked = watcher
            .api
            .watch(&served, watcher.namespace(), resource_version, seconds);
        let mut lines = match asked.await {
            Ok(lines) => lines,
            Err(error) => return Ok(watcher.failed(&error)),
        };
        let reading = Reading::new(watcher, &served);
        let opened_at = Instant::now();
        let mut heard_at = opened_at;
        let mut batch = Batch::default();
        watcher.board.heard(&watcher.key);
        watcher.say(WatchState::Watching, None);
        loop {
            let due = self.due(opened_at);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(batch.wait_until()) => {
                    self.keep(&mut batch, machine).await?;
                }
                line = lines.next() => {
                    let said = match line {
                        Some(Ok(Line::Whole(line))) => {
                            heard_at = Instant::now();
                            watcher.board.heard(&watcher.key);
                            let fault = batch.take(&reading, &line);
                            fault.map(|fault| watcher.failed(&fault))
                        }
                        Some(Ok(Line::TooLong)) => {
                            reading.skip("one that is too large");
                            None
                        }
                        Some(Err(error)) => Some(watcher.failed(&error)),
                        None if lines.broken_off() => Some(watcher.failed(&ApiError::Malformed)),
                        None => Some(News::Closed(opened_at.elapsed())),
                    };
                    if said.is_some() || batch.is_full() {
                        self.keep(&mut batch, machine).await?;
                    }
                    if let Some(news) = said {
                        return Ok(news);
                    }
                }
                () = tokio::time::sleep_until(due) => {
                    self.keep(&mut batch, machine).await?;
                    if heard_at.elapsed() > QUIET
                        && let Err(error) = watcher.api.list(&served, watcher.namespace(), 1, None).await
                    {
                        return Ok(watcher.failed(&error));
                    }
                    self.keeper.ripen().await?;
                }
                () = tokio::time::sleep_until(heard_at + watcher.idle_max) => {
                    let reason = format!("nothing was heard of {}", watcher.what());
                    watcher.say(WatchState::Failing, Some(reason));
                    self.keep(&mut batch, machine).await?;
                    return Ok(News::Failed(Failure::Silent));
                }
            }
        }
    }

    /// When candidates may count next.
    fn due(&self, opened_at: Instant) -> Instant {
        let Some(due_at) = self.keeper.due_at() else {
            return Instant::now() + NEVER;
        };
        let seconds = u64::try_from(due_at - clock::now().second()).unwrap_or(0);
        // Not before the clock's next second, or a slow clock would be asked without a pause.
        let wait = Duration::from_secs(seconds).max(Duration::from_millis(50));
        (Instant::now() + wait).max(opened_at + CATCH_UP)
    }

    async fn keep(&mut self, batch: &mut Batch, machine: &mut Machine) -> Result<(), StoreError> {
        let Batch {
            entries,
            resource_version,
            ..
        } = std::mem::take(batch);
        if entries.is_empty() && resource_version.is_none() {
            return Ok(());
        }
        let place = Place {
            resource_version: resource_version.clone(),
            listed: false,
        };
        self.keeper.keep(entries, place).await?;
        // It may have been paused meanwhile.
        self.watcher.say(WatchState::Watching, None);
        if let Some(resource_version) = resource_version {
            machine.hear(News::Heard(resource_version), &mut rand::rng());
        }
        Ok(())
    }
}

impl Batch {
    /// Takes in a line; the reason when it ends the watch.
    fn take(&mut self, reading: &Reading<'_>, line: &[u8]) -> Option<ApiError> {
        match reading.line(line) {
            Said::Change(entry, resource_version) => {
                self.entries.extend(entry);
                self.bytes += line.len();
                self.reach(resource_version);
                None
            }
            Said::Bookmark(resource_version) => {
                self.reach(Some(resource_version));
                None
            }
            Said::Error(object) => Some(ApiError::event(&object)),
            Said::Unreadable => Some(ApiError::Malformed),
        }
    }

    fn reach(&mut self, resource_version: Option<String>) {
        self.begun_at.get_or_insert_with(Instant::now);
        if resource_version.is_some() {
            self.resource_version = resource_version;
        }
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    fn wait_until(&self) -> Instant {
        self.begun_at
            .map_or_else(|| Instant::now() + NEVER, |begun| begun + BATCH_WAIT)
    }
}
