//! How much of the queue each plugin may fill, so that none fills it for all.
//!
//! The plugins of the manifest have equal shares. One at work whose share is full holds up the sources that
//! it reads; they try again, and nothing is lost. One that fails again and again holds up nobody until it has
//! judged an observation: its own oldest observations go, and are counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{Row as _, Sqlite, Transaction};
use tokio::sync::watch;

use super::evidence::Level;
use super::{Bounds, Store, StoreError};
use crate::status::Count;

/// Which plugins there are, and which of them have failed. Clones share it.
#[derive(Debug, Clone)]
pub struct Shares {
    /// The ids in the manifest; before it was read nobody is told from anybody.
    plugins: watch::Sender<Option<BTreeSet<String>>>,
    /// Those that have failed, and whether it was said that they lose observations.
    failed: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            plugins: watch::Sender::new(None),
            failed: Arc::default(),
        }
    }
}

impl Shares {
    /// The manifest has these plugins and no others.
    pub fn set(&self, plugins: BTreeSet<String>) {
        self.failed().retain(|id, _| plugins.contains(id));
        self.plugins.send_replace(Some(plugins));
    }

    /// The ids in the manifest, whenever it is read.
    pub fn plugins(&self) -> watch::Receiver<Option<BTreeSet<String>>> {
        self.plugins.subscribe()
    }

    /// `plugin` keeps failing; until it has judged an observation, it holds up nobody.
    pub fn note_failure(&self, plugin: &str) {
        self.failed().entry(plugin.to_owned()).or_default();
    }

    /// `plugin` has judged an observation.
    pub fn note_verdict(&self, plugin: &str) {
        self.failed().remove(plugin);
    }

    /// Whether `plugin` has failed and not judged anything since.
    pub fn has_failed(&self, plugin: &str) -> bool {
        self.failed().contains_key(plugin)
    }

    /// Whether anything is kept for `plugin`.
    pub(super) fn has(&self, plugin: &str) -> bool {
        let plugins = self.plugins.borrow();
        plugins.as_ref().is_none_or(|all| all.contains(plugin))
    }

    /// One plugin's share of `bounds`.
    pub(super) fn each(&self, bounds: Bounds) -> Level {
        let plugins = self.plugins.borrow().as_ref().map_or(1, BTreeSet::len);
        let plugins = i64::try_from(plugins).unwrap_or(i64::MAX).max(1);
        Level {
            count: (bounds.observations_max / plugins).max(1),
            bytes: (bounds.observations_bytes_max / plugins).max(1),
        }
    }

    /// Whether nobody has said yet that `plugin` loses observations.
    fn is_news(&self, plugin: &str) -> bool {
        let mut failed = self.failed();
        let said = failed.get_mut(plugin);
        said.is_some_and(|said| !std::mem::replace(said, true))
    }

    fn failed(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is added to the queue, by plugin.
#[derive(Default)]
pub(super) struct Coming<'a>(BTreeMap<&'a str, Level>);

impl<'a> Coming<'a> {
    pub(super) fn add(&mut self, plugin: &'a str, count: usize, bytes: usize) {
        let more = |to: &mut i64, more: usize| {
            *to = to.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        };
        if count > 0 {
            let level = self.0.entry(plugin).or_default();
            more(&mut level.count, count);
            more(&mut level.bytes, bytes);
        }
    }
}

/// Room was made: how many observations of which plugins went for it.
#[must_use]
pub(super) struct Room(Vec<(String, u64)>);

impl Store {
    /// Makes room for what is coming; `None` when a plugin at work has too much to do already.
    pub(super) async fn make_room(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        coming: &Coming<'_>,
    ) -> Result<Option<Room>, StoreError> {
        let share = self.shares.each(self.bounds);
        let mut over = Vec::new();
        for (plugin, more) in &coming.0 {
            if fits(waiting_for(tx, plugin).await?, *more, share) {
                continue;
            }
            if !self.shares.has_failed(plugin) {
                return Ok(None);
            }
            over.push((*plugin, *more));
        }
        let mut gone = Vec::new();
        for (plugin, more) in over {
            let oldest = drop_oldest(tx, plugin, more, share).await?;
            gone.push((plugin.to_owned(), oldest));
        }
        Ok(Some(Room(gone)))
    }

    /// What went for a room is gone for good.
    pub(super) fn note_room(&self, room: Room) {
        for (plugin, lost) in room.0 {
            if lost == 0 {
                continue;
            }
            self.status.count(Count::Dropped(lost));
            if self.shares.is_news(&plugin) {
                tracing::warn!(
                    plugin,
                    "a plugin that has failed has its share of the queue full; its oldest observations go"
                );
            }
        }
    }

    /// How much waits for each plugin.
    pub async fn waiting_by_plugin(&self) -> Result<BTreeMap<String, Level>, StoreError> {
        let rows = sqlx::query("SELECT plugin, count, bytes FROM waiting");
        let rows = rows.fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let (count, bytes) = (row.try_get("count")?, row.try_get("bytes")?);
                Ok((row.try_get("plugin")?, Level { count, bytes }))
            })
            .collect()
    }

    /// Forgets what waits for plugins that are not among `plugins`; gives how many observations that were.
    pub async fn forget_others(&self, plugins: &BTreeSet<String>) -> Result<u64, StoreError> {
        let gone = sqlx::query(
            "DELETE FROM observations WHERE plugin NOT IN (SELECT value FROM json_each($1))",
        )
        .bind(serde_json::json!(plugins).to_string())
        .execute(&self.pool)
        .await?
        .rows_affected();
        if gone > 0 {
            tracing::warn!(
                gone,
                "observations of plugins that are not in the manifest were dropped"
            );
            self.status.count(Count::Dropped(gone));
        }
        Ok(gone)
    }
}

/// What is larger than a whole share is let in alone, or it could never be.
fn fits(has: Level, more: Level, share: Level) -> bool {
    has.count == 0
        || (has.count.saturating_add(more.count) <= share.count
            && has.bytes.saturating_add(more.bytes) <= share.bytes)
}

async fn waiting_for(tx: &mut Transaction<'_, Sqlite>, plugin: &str) -> Result<Level, StoreError> {
    let row = sqlx::query("SELECT count, bytes FROM waiting WHERE plugin = $1")
        .bind(plugin)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(row) = row else {
        return Ok(Level::default());
    };
    Ok(Level {
        count: row.try_get("count")?,
        bytes: row.try_get("bytes")?,
    })
}

/// Drops what waits longest for `plugin` until `more` fits. The first stays: the plugin may be at it.
async fn drop_oldest(
    tx: &mut Transaction<'_, Sqlite>,
    plugin: &str,
    more: Level,
    share: Level,
) -> Result<u64, StoreError> {
    let mut gone = 0;
    loop {
        let has = waiting_for(tx, plugin).await?;
        if fits(has, more, share) {
            return Ok(gone);
        }
        let beyond = has.count.saturating_add(more.count) - share.count;
        let oldest = sqlx::query(
            "DELETE FROM observations WHERE seq IN \
             (SELECT seq FROM observations WHERE plugin = $1 ORDER BY seq LIMIT $2 OFFSET 1)",
        )
        .bind(plugin)
        .bind(beyond.max(1))
        .execute(&mut **tx)
        .await?
        .rows_affected();
        if oldest == 0 {
            return Ok(gone);
        }
        gone += oldest;
    }
}

#[cfg(test)]
mod tests;
