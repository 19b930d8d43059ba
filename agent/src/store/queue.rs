//! Observations between the source that acknowledged them and the plugin that judges them.

use farmops_protocol::time::Timestamp;
use sqlx::{Row as _, Sqlite, Transaction};
use uuid::Uuid;

use super::evidence::Level;
use super::shares::Coming;
use super::vault::{Unopened, Vault};
use super::{Store, StoreError};
use crate::observation::{Intake, Origin, Sighting, Waiting};

/// What became of an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is on disk; so many observations were added.
    Kept(usize),
    /// The same delivery was here before.
    Repeated,
    /// A plugin at work has too much to do already. Nothing was kept.
    Full,
}

impl Store {
    /// Keeps all of `intake` for each of `plugins`, together with the source's new state.
    pub async fn accept(
        &self,
        intake: &Intake,
        plugins: &[String],
        now: Timestamp,
    ) -> Result<Acceptance, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if let Some(delivery) = intake.delivery {
            let inserted = sqlx::query(
                "INSERT INTO deliveries (source, key, seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(&intake.source)
            .bind(delivery.to_string())
            .bind(now.second())
            .execute(&mut *tx)
            .await?;
            if inserted.rows_affected() == 0 {
                return Ok(Acceptance::Repeated);
            }
        }
        let plugins: Vec<&String> = plugins.iter().filter(|id| self.shares.has(id)).collect();
        let added = intake.sightings.len() * plugins.len();
        let bytes = intake.sightings.iter().map(size).sum::<usize>();
        let mut coming = Coming::default();
        for plugin in &plugins {
            coming.add(plugin, intake.sightings.len(), bytes);
        }
        let Some(room) = self.make_room(&mut tx, &coming).await? else {
            return Ok(Acceptance::Full);
        };
        for sighting in &intake.sightings {
            for plugin in &plugins {
                let origin = Origin {
                    id: Uuid::now_v7(),
                    plugin: (*plugin).clone(),
                    source: intake.source.clone(),
                    source_type: intake.source_type.as_str().to_owned(),
                    detected_at: now.second(),
                };
                keep(&mut tx, &self.vault, &origin, sighting).await?;
            }
        }
        if let Some(state) = &intake.state {
            super::source_states::save(&mut tx, &self.vault, &intake.source, state).await?;
        }
        tx.commit().await?;
        self.note_room(room);
        if added > 0 {
            self.queue_changed.send_replace(());
        }
        Ok(Acceptance::Kept(added))
    }

    /// The oldest observation that waits for `plugin`.
    pub async fn next_for(&self, plugin: &str) -> Result<Option<Waiting>, StoreError> {
        let row = sqlx::query(
            "SELECT seq, id, source, source_type, sealed, detected_at FROM observations \
             WHERE plugin = $1 ORDER BY seq LIMIT 1",
        )
        .bind(plugin)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id")?;
        let seq: i64 = row.try_get("seq")?;
        let unopened = |reason| StoreError::Unopened {
            what: "observation",
            row: seq,
            reason,
        };
        let origin = Origin {
            id: id.parse().map_err(|_| unopened(Unopened::Damaged))?,
            plugin: plugin.to_owned(),
            source: row.try_get("source")?,
            source_type: row.try_get("source_type")?,
            detected_at: row.try_get("detected_at")?,
        };
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let Sighting { event, payload } = open(&self.vault, &origin, &sealed).map_err(unopened)?;
        Ok(Some(Waiting {
            seq,
            id: origin.id,
            source: origin.source,
            source_type: origin.source_type,
            event,
            payload,
            detected_at: origin.detected_at,
        }))
    }

    /// Notes that judging an observation failed; gives how often it has failed by now.
    pub async fn note_failed_attempt(&self, seq: i64) -> Result<i64, StoreError> {
        let attempts = sqlx::query_scalar(
            "UPDATE observations SET attempts = attempts + 1 WHERE seq = $1 RETURNING attempts",
        )
        .bind(seq)
        .fetch_optional(&self.pool)
        .await?;
        Ok(attempts.unwrap_or(0))
    }

    /// Forgets an observation that came to nothing.
    pub async fn drop_observation(&self, seq: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM observations WHERE seq = $1")
            .bind(seq)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many observations wait, and how large they are.
    pub async fn observations_waiting(&self) -> Result<Level, StoreError> {
        super::evidence::level(&self.pool, "observations").await
    }

    /// Forgets observations detected before `observations_before` (no plugin took them in time) and
    /// deliveries and finished work older than their own terms. Gives the observations lost.
    pub async fn expire(
        &self,
        observations_before: Timestamp,
        deliveries_before: Timestamp,
        work_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let lost = sqlx::query("DELETE FROM observations WHERE detected_at < $1")
            .bind(observations_before.second())
            .execute(&self.pool)
            .await?;
        sqlx::query("DELETE FROM deliveries WHERE seen_at < $1")
            .bind(deliveries_before.second())
            .execute(&self.pool)
            .await?;
        sqlx::query("DELETE FROM finished_work WHERE done_at < $1")
            .bind(work_before.second())
            .execute(&self.pool)
            .await?;
        Ok(lost.rows_affected())
    }
}

/// Puts one observation into the queue, sealed.
pub(super) async fn keep(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    origin: &Origin,
    sighting: &Sighting,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO observations (id, plugin, source, source_type, detected_at, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(origin.id.to_string())
    .bind(&origin.plugin)
    .bind(&origin.source)
    .bind(&origin.source_type)
    .bind(origin.detected_at)
    .bind(seal(vault, origin, sighting))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an observation is sealed for: its id, and all that decides who judges it as what.
fn row(origin: &Origin) -> String {
    let Origin {
        id,
        plugin,
        source,
        source_type,
        detected_at,
    } = origin;
    format!("{id}\0{plugin}\0{source}\0{source_type}\0{detected_at}")
}

pub(super) fn seal(vault: &Vault, origin: &Origin, sighting: &Sighting) -> Vec<u8> {
    let clear = super::evidence::join(sighting.event.as_bytes(), &sighting.payload);
    vault.seal("observations", &row(origin), &clear)
}

pub(super) fn open(vault: &Vault, origin: &Origin, sealed: &[u8]) -> Result<Sighting, Unopened> {
    let clear = vault.open("observations", &row(origin), sealed)?;
    let (event, payload) = super::evidence::split(&clear).ok_or(Unopened::Damaged)?;
    Ok(Sighting {
        event: String::from_utf8(event.to_vec()).map_err(|_| Unopened::Damaged)?,
        payload: payload.to_vec(),
    })
}

/// Bytes of a sealed observation.
pub(super) fn size(sighting: &Sighting) -> usize {
    const AROUND: usize = 4 + super::vault::OVERHEAD_BYTES;
    AROUND + sighting.event.len() + sighting.payload.len()
}
