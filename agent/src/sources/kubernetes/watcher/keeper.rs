//! Brings batches into the store, and waits while there is no room.

use std::time::Duration;

use tokio::time::Instant;

use super::Watcher;
use crate::clock;
use crate::sources::kubernetes::board::WatchState;
use crate::sources::kubernetes::fold::{Entry, Folder, Outcome, Reader};
use crate::store::{Acceptance, Attendance, OpenWatch, Place, StoreError};

/// Between two looks whether there is room again.
const FULL_PAUSE: Duration = Duration::from_secs(1);
/// A version alone, with nothing to keep besides, is written this seldom: hearing a little again is harmless.
const PLACE_INTERVAL: Duration = Duration::from_secs(5);
/// Candidates that count in one transaction.
const DUE_MAX: u32 = 200;

pub(super) struct Keeper<'a> {
    watcher: &'a Watcher,
    folder: Folder,
    readers: Vec<Attendance>,
    watch: OpenWatch,
    /// When the next candidate is due, in seconds since the epoch.
    due_at: Option<i64>,
    placed_at: Option<Instant>,
}

impl<'a> Keeper<'a> {
    pub(super) async fn open(watcher: &'a Watcher) -> Result<Self, StoreError> {
        let subscriptions = watcher.subscriptions.iter();
        let readers: Vec<Attendance> = subscriptions
            .map(|subscription| Attendance {
                plugin: subscription.plugin.clone(),
                fields: subscription.fields.digest().to_string(),
                settle_seconds: subscription.settle_seconds,
            })
            .collect();
        let folder = Folder {
            resource: watcher.key.resource.clone(),
            readers: readers
                .iter()
                .map(|reader| Reader {
                    plugin: reader.plugin.clone(),
                    settle_seconds: reader.settle_seconds,
                })
                .collect(),
        };
        let store = watcher.desk.store();
        let watch = store
            .open_watch(&watcher.key, &readers, clock::now())
            .await?;
        let mut keeper = Self {
            due_at: store.next_due(&watch).await?,
            watcher,
            folder,
            readers,
            watch,
            placed_at: None,
        };
        keeper.count().await?;
        Ok(keeper)
    }

    pub(super) fn resource_version(&self) -> Option<String> {
        self.watch.resource_version.clone()
    }

    pub(super) async fn begin_list(&mut self) -> Result<(), StoreError> {
        let store = self.watcher.desk.store();
        self.watch.epoch = store.begin_list(self.watch.id).await?;
        Ok(())
    }

    /// Keeps what was seen, and where the watch stands after it.
    pub(super) async fn keep(
        &mut self,
        entries: Vec<Entry>,
        place: Place,
    ) -> Result<(), StoreError> {
        let store = self.watcher.desk.store();
        let uids: Vec<&str> = entries.iter().map(Entry::uid).collect();
        let known = store.knowledge_of(&self.watch, &uids).await?;
        let now = clock::now().second();
        let outcome = self.folder.fold(entries, known, self.watch.epoch, now);
        self.commit(&outcome, &place).await
    }

    /// When candidates are due next.
    pub(super) fn due_at(&self) -> Option<i64> {
        self.due_at
    }

    /// Lets candidates count that are due.
    pub(super) async fn ripen(&mut self) -> Result<(), StoreError> {
        let store = self.watcher.desk.store();
        let now = clock::now().second();
        let known = store.knowledge_due(&self.watch, now, DUE_MAX).await?;
        let outcome = self.folder.ripen(known, now);
        self.commit(&outcome, &Place::default()).await?;
        self.due_at = store.next_due(&self.watch).await?;
        Ok(())
    }

    /// Tells the board how many objects there are.
    pub(super) async fn count(&mut self) -> Result<(), StoreError> {
        let objects = self.watcher.desk.store().count_objects(&self.watch).await?;
        self.watcher.board.count(&self.watcher.key, objects);
        Ok(())
    }

    async fn commit(&mut self, outcome: &Outcome, place: &Place) -> Result<(), StoreError> {
        let recent = self
            .placed_at
            .is_some_and(|at| at.elapsed() < PLACE_INTERVAL);
        if outcome.is_empty() && !place.listed && (place.resource_version.is_none() || recent) {
            return Ok(());
        }
        let desk = &self.watcher.desk;
        loop {
            let kept = desk.store().keep_batch(
                &self.watcher.key,
                &self.watch,
                &self.readers,
                outcome,
                place,
                clock::now(),
            );
            match kept.await? {
                Acceptance::Full => {
                    let reason = "the queue of observations is full".to_owned();
                    self.watcher.say(WatchState::Paused, Some(reason));
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Acceptance::Kept(count) => {
                    desk.count_kept(&self.watcher.key.source, count as u64);
                    break;
                }
                Acceptance::Repeated => break,
            }
        }
        if place.resource_version.is_some() {
            self.placed_at = Some(Instant::now());
        }
        if !outcome.moved.is_empty() || !outcome.gone.is_empty() {
            self.due_at = desk.store().next_due(&self.watch).await?;
        }
        if !outcome.objects.is_empty() || !outcome.gone.is_empty() {
            self.count().await?;
        }
        Ok(())
    }
}
