//! What arrived, verified, and waits to be processed.

use async_trait::async_trait;
use farmops_federation::{
    Timestamp,
    store::{Enqueued, InboxItem, InboxOutcome, InboxStore, StoreError},
};
use sqlx::Row;
use url::Url;

use super::{
    columns::{Out, count, decode, parsed, position, time},
    dialect::{DbRow, SqlStore},
};

#[async_trait]
impl InboxStore for SqlStore {
    async fn arrived_before(&self, id: &Url, actor: &Url) -> Result<bool, StoreError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT position FROM fed_inbox WHERE id = $1 AND actor = $2")
                .bind(id.as_str())
                .bind(actor.as_str())
                .fetch_optional(&self.pool)
                .await
                .out()?;
        Ok(found.is_some())
    }

    async fn enqueue(&self, item: &InboxItem, waiting_max: u32) -> Result<Enqueued, StoreError> {
        self.enqueue_item(item, waiting_max).await.out()
    }

    async fn due_items(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        sqlx::query(
            "SELECT * FROM fed_inbox WHERE state = 'waiting' AND due_at <= $1 \
             ORDER BY position LIMIT $2",
        )
        .bind(now.second())
        .bind(i64::from(limit))
        .try_map(|row| read(&row))
        .fetch_all(&self.pool)
        .await
        .out()
    }

    async fn next_item_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let second: Option<i64> =
            sqlx::query_scalar("SELECT MIN(due_at) FROM fed_inbox WHERE state = 'waiting'")
                .fetch_one(&self.pool)
                .await
                .out()?;
        Ok(second.and_then(Timestamp::from_second))
    }

    async fn settle_item(
        &self,
        at_position: u64,
        outcome: &InboxOutcome,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let query = match outcome {
            InboxOutcome::Done(_) | InboxOutcome::Dead(_) => sqlx::query(
                "UPDATE fed_inbox SET state = $2, note = $3, settled_at = $4 \
                 WHERE position = $1 AND state = 'waiting'",
            ),
            InboxOutcome::Retry { .. } => sqlx::query(
                "UPDATE fed_inbox SET state = $2, note = $3, due_at = $4, \
                 attempts = attempts + 1 WHERE position = $1 AND state = 'waiting'",
            ),
        };
        let (state, note, second) = match outcome {
            InboxOutcome::Done(what) => ("done", *what, at),
            InboxOutcome::Dead(why) => ("dead", why.as_str(), at),
            InboxOutcome::Retry { at, reason } => ("waiting", reason.as_str(), *at),
        };
        query
            .bind(position(at_position))
            .bind(state)
            .bind(note)
            .bind(second.second())
            .execute(&self.pool)
            .await
            .out()
            .map(drop)
    }

    async fn count_dead_items(&self) -> Result<u64, StoreError> {
        sqlx::query("SELECT COUNT(*) AS n FROM fed_inbox WHERE state = 'dead'")
            .try_map(|row| count(&row, "n"))
            .fetch_one(&self.pool)
            .await
            .out()
    }

    async fn prune_items(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM fed_inbox WHERE state <> 'waiting' AND settled_at < $1")
            .bind(before.second())
            .execute(&self.pool)
            .await
            .out()
            .map(drop)
    }
}

impl SqlStore {
    async fn enqueue_item(&self, item: &InboxItem, waiting_max: u32) -> sqlx::Result<Enqueued> {
        let mut tx = self.begin().await?;
        let waiting: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM fed_inbox WHERE state = 'waiting'")
                .fetch_one(&mut *tx)
                .await?;
        if waiting >= i64::from(waiting_max) {
            return Ok(Enqueued::Full);
        }
        let done = sqlx::query(
            "INSERT INTO fed_inbox (id, actor, body, received_at, due_at) \
             VALUES ($1, $2, $3, $4, $4) ON CONFLICT (id, actor) DO NOTHING",
        )
        .bind(item.id.as_str())
        .bind(item.actor.as_str())
        .bind(&item.body)
        .bind(item.received_at.second())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(if done.rows_affected() > 0 {
            Enqueued::New
        } else {
            Enqueued::Duplicate
        })
    }
}

fn read(row: &DbRow) -> sqlx::Result<InboxItem> {
    let attempts = row.try_get::<i64, _>("attempts")?;
    Ok(InboxItem {
        position: count(row, "position")?,
        id: parsed(row, "id")?,
        actor: parsed(row, "actor")?,
        body: row.try_get("body")?,
        received_at: time(row, "received_at")?,
        attempts: u32::try_from(attempts).map_err(|e| decode("attempts", e))?,
    })
}
