//! Observations between the source that acknowledged them and the plugin that judges them.

use farmops_protocol::time::Timestamp;
use sqlx::{Row as _, Sqlite, Transaction};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::observation::{Intake, Waiting};

/// What became of an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// It is on disk; so many observations were added.
    Kept(usize),
    /// The same delivery was here before.
    Repeated,
    /// There is no room. Nothing was kept.
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
        let added = intake.sightings.len() * plugins.len();
        if !self.has_room(&mut tx, added).await? {
            return Ok(Acceptance::Full);
        }
        for sighting in &intake.sightings {
            for plugin in plugins {
                sqlx::query(
                    "INSERT INTO observations (id, plugin, source, source_type, event, payload, detected_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(Uuid::now_v7().to_string())
                .bind(plugin)
                .bind(&intake.source)
                .bind(intake.source_type.as_str())
                .bind(&sighting.event)
                .bind(sighting.payload.as_slice())
                .bind(now.second())
                .execute(&mut *tx)
                .await?;
            }
        }
        if let Some(state) = &intake.state {
            super::source_states::save(&mut tx, &intake.source, state).await?;
        }
        tx.commit().await?;
        if added > 0 {
            self.queue_changed.send_replace(());
        }
        Ok(Acceptance::Kept(added))
    }

    /// Whether so many more observations may wait.
    pub(super) async fn has_room(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        added: usize,
    ) -> Result<bool, StoreError> {
        if added == 0 {
            return Ok(true);
        }
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM observations")
            .fetch_one(&mut **tx)
            .await?;
        // An intake larger than the whole queue is let in alone, or it could never be.
        let room = self.bounds.observations_max - waiting;
        Ok(waiting == 0 || i64::try_from(added).is_ok_and(|added| added <= room))
    }

    /// The oldest observation that waits for `plugin`.
    pub async fn next_for(&self, plugin: &str) -> Result<Option<Waiting>, StoreError> {
        let row = sqlx::query(
            "SELECT seq, id, source, source_type, event, payload, detected_at FROM observations \
             WHERE plugin = $1 ORDER BY seq LIMIT 1",
        )
        .bind(plugin)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id")?;
        Ok(Some(Waiting {
            seq: row.try_get("seq")?,
            id: id
                .parse()
                .map_err(|_| StoreError::Unreadable("observation id"))?,
            source: row.try_get("source")?,
            source_type: row.try_get("source_type")?,
            event: row.try_get("event")?,
            payload: row.try_get("payload")?,
            detected_at: row.try_get("detected_at")?,
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

    /// How many observations wait.
    pub async fn observations_waiting(&self) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM observations");
        Ok(count.fetch_one(&self.pool).await?)
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
