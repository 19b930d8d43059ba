//! What is known of clusters: watches, who reads them, objects, and the values that count.
//!
//! What a batch of events leads to is one transaction: states, observations and the version after which
//! the watch goes on. A crash anywhere repeats the batch or does not, and neither is told twice.
//!
//! A subscription that is away for a while (its plugin did not start) falls behind; when it is back its
//! watch lists anew and finds what changed. With other paths it starts from nothing.

mod knowledge;
#[cfg(test)]
mod tests;

use farmops_protocol::time::Timestamp;
use sqlx::{QueryBuilder, Row as _, Sqlite, Transaction};
use uuid::Uuid;

use super::queue;
use super::shares::Coming;
use super::vault::Vault;
use super::{Acceptance, Store, StoreError};
use crate::observation::{Origin, Sighting, SourceType};
use crate::sources::kubernetes::fold::{Moved, Outcome, Told};
use crate::sources::kubernetes::settle::Values;

/// After so long nobody remembers a subscription or a watch that is away.
const AWAY_SECONDS_MAX: i64 = 30 * 24 * 3600;
/// What happened, in the words of the contract.
const EVENT: &str = "changed";

/// Which watch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchKey {
    /// The operator's name for the source.
    pub source: String,
    /// As declared: `deployments.apps`.
    pub resource: String,
    /// One namespace, or all.
    pub namespace: Option<String>,
}

/// A subscription that reads a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    /// The plugin.
    pub plugin: String,
    /// Names its set of paths.
    pub fields: String,
    /// How long new values must stay.
    pub settle_seconds: i64,
}

/// A watch as it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWatch {
    /// Its row.
    pub id: i64,
    /// The rows of its subscriptions, in the order they were given.
    pub subscriptions: Vec<i64>,
    /// After which version it goes on; `None`: it begins with a list.
    pub resource_version: Option<String>,
    /// The newest list.
    pub epoch: i64,
}

/// Where a watch stands after a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// It goes on after this version; `None`: as before.
    pub resource_version: Option<String>,
    /// It was the last page of a list: what was not in it is gone.
    pub listed: bool,
}

impl Store {
    /// Takes up the watch `key` for `readers`.
    pub async fn open_watch(
        &self,
        key: &WatchKey,
        readers: &[Attendance],
        now: Timestamp,
    ) -> Result<OpenWatch, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO kubernetes_watches (source, resource, namespace, seen_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (source, resource, namespace) DO UPDATE SET seen_at = excluded.seen_at RETURNING id",
        )
        .bind(&key.source)
        .bind(&key.resource)
        .bind(key.namespace.as_deref().unwrap_or_default())
        .bind(now.second())
        .fetch_one(&mut *tx)
        .await?;
        let long_ago = now.second() - AWAY_SECONDS_MAX;
        sqlx::query("DELETE FROM kubernetes_watches WHERE source = $1 AND seen_at < $2")
            .bind(&key.source)
            .bind(long_ago)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "UPDATE kubernetes_subscriptions SET absent_since = coalesce(absent_since, $2) WHERE watch = $1 \
             AND plugin NOT IN (SELECT value FROM json_each($3))",
        )
        .bind(id)
        .bind(now.second())
        .bind(plugins(readers))
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM kubernetes_subscriptions WHERE watch = $1 AND absent_since < $2")
            .bind(id)
            .bind(long_ago)
            .execute(&mut *tx)
            .await?;
        // Nothing of theirs comes due meanwhile.
        sqlx::query(
            "UPDATE kubernetes_states SET due_at = NULL WHERE due_at IS NOT NULL AND subscription IN \
             (SELECT id FROM kubernetes_subscriptions WHERE watch = $1 AND absent_since IS NOT NULL)",
        )
        .bind(id)
        .execute(&mut *tx)
        .await?;
        let mut subscriptions = Vec::new();
        let mut behind = false;
        for reader in readers {
            let (subscription, is_behind) = attend(&mut tx, id, reader).await?;
            subscriptions.push(subscription);
            behind |= is_behind;
        }
        if behind {
            sqlx::query("UPDATE kubernetes_watches SET resource_version = NULL WHERE id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
        }
        let row =
            sqlx::query("SELECT resource_version, epoch FROM kubernetes_watches WHERE id = $1")
                .bind(id)
                .fetch_one(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(OpenWatch {
            id,
            subscriptions,
            resource_version: row.try_get("resource_version")?,
            epoch: row.try_get("epoch")?,
        })
    }

    /// A list begins; gives its number. Until it is through, a restart begins it again.
    pub async fn begin_list(&self, watch: i64) -> Result<i64, StoreError> {
        let epoch = sqlx::query_scalar(
            "UPDATE kubernetes_watches SET resource_version = NULL, epoch = epoch + 1 WHERE id = $1 RETURNING epoch",
        )
        .bind(watch)
        .fetch_one(&self.pool)
        .await?;
        Ok(epoch)
    }

    /// Keeps all that a batch led to, or nothing while a plugin at work has too much to do already.
    pub async fn keep_batch(
        &self,
        key: &WatchKey,
        watch: &OpenWatch,
        readers: &[Attendance],
        outcome: &Outcome,
        place: &Place,
        now: Timestamp,
    ) -> Result<Acceptance, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let told: Vec<(Origin, Sighting)> = outcome
            .told
            .iter()
            .map(|told| observation(key, readers, told, now))
            .filter(|(origin, _)| self.shares.has(&origin.plugin))
            .collect();
        let mut coming = Coming::default();
        for (origin, sighting) in &told {
            coming.add(&origin.plugin, 1, queue::size(sighting));
        }
        let Some(room) = self.make_room(&mut tx, &coming).await? else {
            return Ok(Acceptance::Full);
        };
        forget(&mut tx, watch.id, &outcome.gone).await?;
        remember(&mut tx, &self.vault, watch.id, outcome).await?;
        write_states(&mut tx, &self.vault, watch, &outcome.moved).await?;
        for (origin, sighting) in &told {
            queue::keep(&mut tx, &self.vault, origin, sighting).await?;
        }
        if place.listed {
            sqlx::query("DELETE FROM kubernetes_objects WHERE watch = $1 AND epoch < $2")
                .bind(watch.id)
                .bind(watch.epoch)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(resource_version) = &place.resource_version {
            sqlx::query(
                "UPDATE kubernetes_watches SET resource_version = $2, seen_at = $3 WHERE id = $1",
            )
            .bind(watch.id)
            .bind(resource_version)
            .bind(now.second())
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.note_room(room);
        if !told.is_empty() {
            self.queue_changed.send_replace(());
        }
        Ok(Acceptance::Kept(told.len()))
    }
}

fn plugins(readers: &[Attendance]) -> String {
    let plugins: Vec<&str> = readers
        .iter()
        .map(|reader| reader.plugin.as_str())
        .collect();
    serde_json::json!(plugins).to_string()
}

/// The row of a subscription, and whether its states are not up to date.
async fn attend(
    tx: &mut Transaction<'_, Sqlite>,
    watch: i64,
    reader: &Attendance,
) -> Result<(i64, bool), StoreError> {
    let row = sqlx::query(
        "SELECT id, fields, absent_since FROM kubernetes_subscriptions WHERE watch = $1 AND plugin = $2",
    )
    .bind(watch)
    .bind(&reader.plugin)
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(row) = row {
        let id: i64 = row.try_get("id")?;
        let fields: String = row.try_get("fields")?;
        let absent_since: Option<i64> = row.try_get("absent_since")?;
        if fields == reader.fields {
            come_back(tx, id, reader).await?;
            return Ok((id, absent_since.is_some()));
        }
        sqlx::query("DELETE FROM kubernetes_subscriptions WHERE id = $1")
            .bind(id)
            .execute(&mut **tx)
            .await?;
    }
    let id = sqlx::query_scalar(
        "INSERT INTO kubernetes_subscriptions (watch, plugin, fields) VALUES ($1, $2, $3) RETURNING id",
    )
    .bind(watch)
    .bind(&reader.plugin)
    .bind(&reader.fields)
    .fetch_one(&mut **tx)
    .await?;
    Ok((id, true))
}

/// The subscription is there, perhaps with another patience than before.
async fn come_back(
    tx: &mut Transaction<'_, Sqlite>,
    id: i64,
    reader: &Attendance,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE kubernetes_subscriptions SET absent_since = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    // As `settle::State::due_at`.
    let wait = reader.settle_seconds + i64::from(reader.settle_seconds > 0);
    sqlx::query(
        "UPDATE kubernetes_states SET due_at = candidate_since + $2 WHERE subscription = $1 AND candidate_since IS NOT NULL",
    )
    .bind(id)
    .bind(wait)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn forget(
    tx: &mut Transaction<'_, Sqlite>,
    watch: i64,
    gone: &[String],
) -> Result<(), StoreError> {
    if gone.is_empty() {
        return Ok(());
    }
    let mut delete = QueryBuilder::new("DELETE FROM kubernetes_objects WHERE watch = ");
    delete.push_bind(watch).push(" AND uid IN (");
    let mut list = delete.separated(", ");
    for uid in gone {
        list.push_bind(uid);
    }
    delete.push(")").build().execute(&mut **tx).await?;
    Ok(())
}

async fn remember(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    watch: i64,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    if outcome.objects.is_empty() {
        return Ok(());
    }
    let mut insert = QueryBuilder::new(
        "INSERT INTO kubernetes_objects (watch, uid, epoch, sealed, api_version, created) ",
    );
    insert.push_values(&outcome.objects, |mut row, (about, epoch)| {
        row.push_bind(watch)
            .push_bind(&about.uid)
            .push_bind(epoch)
            .push_bind(knowledge::seal_names(vault, watch, about))
            .push_bind(&about.api_version)
            .push_bind(about.created);
    });
    insert.push(
        " ON CONFLICT (watch, uid) DO UPDATE SET epoch = excluded.epoch, sealed = excluded.sealed, \
         api_version = excluded.api_version, created = excluded.created",
    );
    insert.build().execute(&mut **tx).await?;
    Ok(())
}

async fn write_states(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    watch: &OpenWatch,
    moved: &[Moved],
) -> Result<(), StoreError> {
    // SQLite takes 32,766 values in a statement.
    for moved in moved.chunks(1000) {
        let mut insert = QueryBuilder::new(
            "INSERT INTO kubernetes_states (watch, uid, subscription, fields, since, candidate, candidate_since, due_at) ",
        );
        insert.push_values(moved, |mut row, moved| {
            let candidate = moved.state.candidate.as_ref();
            let subscription = watch.subscriptions[moved.reader];
            let seal = |values: &Values| {
                knowledge::seal_values(vault, watch.id, &moved.uid, subscription, values)
            };
            row.push_bind(watch.id)
                .push_bind(&moved.uid)
                .push_bind(subscription)
                .push_bind(seal(&moved.state.settled))
                .push_bind(moved.state.settled.since)
                .push_bind(candidate.map(seal))
                .push_bind(candidate.map(|values| values.since))
                .push_bind(moved.due_at);
        });
        insert.push(
            " ON CONFLICT (watch, uid, subscription) DO UPDATE SET fields = excluded.fields, since = excluded.since, \
             candidate = excluded.candidate, candidate_since = excluded.candidate_since, due_at = excluded.due_at",
        );
        insert.build().execute(&mut **tx).await?;
    }
    Ok(())
}

/// A change as it waits for its plugin.
fn observation(
    key: &WatchKey,
    readers: &[Attendance],
    told: &Told,
    now: Timestamp,
) -> (Origin, Sighting) {
    let origin = Origin {
        id: Uuid::now_v7(),
        plugin: readers[told.reader].plugin.clone(),
        source: key.source.clone(),
        source_type: SourceType::Kubernetes.as_str().to_owned(),
        detected_at: now.second(),
    };
    let sighting = Sighting {
        event: EVENT.to_owned(),
        payload: told.payload.clone(),
    };
    (origin, sighting)
}
