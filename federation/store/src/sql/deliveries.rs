//! The delivery log, with a cursor and a lane per host.

use async_trait::async_trait;
use farmops_federation::{
    Timestamp,
    delivery::lane::Lane,
    store::{Delivery, DeliveryOutcome, DeliveryStore, LaneRecord, StoreError},
};
use sqlx::Row;

use super::{
    columns::{Out, count, decode, parsed, position, time},
    dialect::{Conn, DbRow, SqlStore},
};

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn waiting_lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        sqlx::query(
            "SELECT w.host AS host, l.lane AS lane \
             FROM (SELECT DISTINCT host FROM fed_deliveries WHERE state = 'waiting') w \
             LEFT JOIN fed_lanes l ON l.host = w.host \
             WHERE w.host NOT IN (SELECT host FROM fed_blocks) ORDER BY w.host",
        )
        .try_map(|row| read_lane(&row))
        .fetch_all(&self.pool)
        .await
        .out()
    }

    async fn due_deliveries(
        &self,
        host: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        sqlx::query(
            "SELECT d.*, p.actor AS actor, p.body AS body \
             FROM fed_deliveries d JOIN fed_posts p ON p.id = d.activity \
             WHERE d.host = $1 AND d.state = 'waiting' AND d.due_at <= $2 \
             AND d.position > COALESCE((SELECT cursor FROM fed_lanes WHERE host = $1), 0) \
             AND NOT EXISTS (SELECT 1 FROM fed_deliveries e WHERE e.host = d.host \
                 AND e.object = d.object AND e.inbox = d.inbox AND e.state = 'waiting' \
                 AND e.position < d.position) \
             ORDER BY d.position LIMIT $3",
        )
        .bind(host)
        .bind(now.second())
        .bind(i64::from(limit))
        .try_map(|row| read(&row))
        .fetch_all(&self.pool)
        .await
        .out()
    }

    async fn next_delivery_due(&self, host: &str) -> Result<Option<Timestamp>, StoreError> {
        // Only the first row of each object and inbox can be sent next.
        let second: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(d.due_at) FROM fed_deliveries d WHERE d.host = $1 \
             AND d.state = 'waiting' AND NOT EXISTS (SELECT 1 FROM fed_deliveries e \
                 WHERE e.host = d.host AND e.object = d.object AND e.inbox = d.inbox \
                 AND e.state = 'waiting' AND e.position < d.position)",
        )
        .bind(host)
        .fetch_one(&self.pool)
        .await
        .out()?;
        Ok(second.and_then(Timestamp::from_second))
    }

    async fn settle_deliveries(
        &self,
        host: &str,
        lane: &Lane,
        outcomes: &[(u64, DeliveryOutcome)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let settled = async {
            let mut tx = self.begin().await?;
            for (at_position, outcome) in outcomes {
                settle(&mut tx, *at_position, outcome, at).await?;
            }
            save_lane(&mut tx, host, lane).await?;
            tx.commit().await
        };
        settled.await.out()
    }

    async fn give_up_deliveries(
        &self,
        host: &str,
        before: Timestamp,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        sqlx::query(
            "UPDATE fed_deliveries SET state = 'dead', settled_at = $3, \
             note = 'out of reach for seven days' \
             WHERE host = $1 AND state = 'waiting' AND appended_at < $2",
        )
        .bind(host)
        .bind(before.second())
        .bind(at.second())
        .execute(&self.pool)
        .await
        .out()
        .map(|done| done.rows_affected())
    }

    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError> {
        sqlx::query("SELECT host, lane FROM fed_lanes ORDER BY host")
            .try_map(|row| read_lane(&row))
            .fetch_all(&self.pool)
            .await
            .out()
    }

    async fn count_waiting_deliveries(&self) -> Result<u64, StoreError> {
        sqlx::query(
            "SELECT (SELECT COUNT(*) FROM fed_deliveries WHERE state = 'waiting') \
             + (SELECT COUNT(*) FROM fed_posts WHERE spread = FALSE) AS n",
        )
        .try_map(|row| count(&row, "n"))
        .fetch_one(&self.pool)
        .await
        .out()
    }

    async fn prune_deliveries(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM fed_deliveries WHERE state <> 'waiting' AND settled_at < $1")
            .bind(before.second())
            .execute(&self.pool)
            .await
            .out()
            .map(drop)
    }
}

async fn settle(
    conn: &mut Conn,
    at_position: u64,
    outcome: &DeliveryOutcome,
    at: Timestamp,
) -> sqlx::Result<()> {
    let (state, note, due, refused) = match outcome {
        DeliveryOutcome::Delivered => ("delivered", None, None, false),
        DeliveryOutcome::Dead(why) => ("dead", Some(why.as_str()), None, false),
        DeliveryOutcome::Retry {
            at,
            refused,
            reason,
        } => (
            "waiting",
            Some(reason.as_str()),
            Some(at.second()),
            *refused,
        ),
    };
    sqlx::query(
        "UPDATE fed_deliveries SET state = $2, note = $3, due_at = COALESCE($4, due_at), \
         refusals = refusals + $5, settled_at = $6 WHERE position = $1 AND state = 'waiting'",
    )
    .bind(position(at_position))
    .bind(state)
    .bind(note)
    .bind(due)
    .bind(i64::from(refused))
    .bind(at.second())
    .execute(conn)
    .await
    .map(drop)
}

async fn save_lane(conn: &mut Conn, host: &str, lane: &Lane) -> sqlx::Result<()> {
    let lane = serde_json::to_string(lane).map_err(|e| decode("lane", e))?;
    sqlx::query(
        "INSERT INTO fed_lanes (host, lane, cursor) VALUES ($1, $2, COALESCE( \
             (SELECT MIN(position) - 1 FROM fed_deliveries WHERE host = $1 AND state = 'waiting'), \
             (SELECT MAX(position) FROM fed_deliveries WHERE host = $1), 0)) \
         ON CONFLICT (host) DO UPDATE SET lane = excluded.lane, \
             cursor = CASE WHEN fed_lanes.cursor > excluded.cursor \
             THEN fed_lanes.cursor ELSE excluded.cursor END",
    )
    .bind(host)
    .bind(lane)
    .execute(conn)
    .await
    .map(drop)
}

fn read(row: &DbRow) -> sqlx::Result<Delivery> {
    let refusals = row.try_get::<i64, _>("refusals")?;
    Ok(Delivery {
        position: count(row, "position")?,
        actor: parsed(row, "actor")?,
        activity: parsed(row, "activity")?,
        object: parsed(row, "object")?,
        inbox: parsed(row, "inbox")?,
        body: row.try_get("body")?,
        appended_at: time(row, "appended_at")?,
        refusals: u32::try_from(refusals).map_err(|e| decode("refusals", e))?,
    })
}

fn read_lane(row: &DbRow) -> sqlx::Result<LaneRecord> {
    let lane: Option<String> = row.try_get("lane")?;
    let lane = match lane {
        Some(text) => serde_json::from_str(&text).map_err(|e| decode("lane", e))?,
        None => Lane::default(),
    };
    Ok(LaneRecord {
        host: row.try_get("host")?,
        lane,
    })
}
