//! Hosts whose farmers and villages are shown nowhere.

use farmops_federation::Timestamp;
use sqlx::{Row as _, SqliteConnection};

use super::{Store, StoreError, peers, projection, time};

/// A blocked host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedHost {
    /// Its name, with a port in development.
    pub host: String,
    /// Since when.
    pub blocked_at: Timestamp,
}

impl Store {
    /// Blocks a host: its village's peering ends and every farm of its farmers leaves the boards,
    /// in one transaction.
    pub async fn block_host(&self, host: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO blocked_host (host, blocked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(host)
        .bind(now.second())
        .execute(&mut *tx)
        .await?;
        settle(&mut tx, host, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lifts a block.
    pub async fn unblock_host(&self, host: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM blocked_host WHERE host = $1")
            .bind(host)
            .execute(&mut *tx)
            .await?;
        settle(&mut tx, host, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Every blocked host, in order.
    pub async fn blocked_hosts(&self) -> Result<Vec<BlockedHost>, StoreError> {
        let rows = sqlx::query("SELECT * FROM blocked_host ORDER BY host")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(BlockedHost {
                    host: row.try_get("host")?,
                    blocked_at: time(row, "blocked_at")?,
                })
            })
            .collect()
    }

    /// Whether any of these hosts is blocked.
    pub async fn any_blocked(&self, hosts: [&str; 2]) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT EXISTS (SELECT 1 FROM blocked_host WHERE host IN ($1, $2)) AS b")
                .bind(hosts[0])
                .bind(hosts[1])
                .fetch_one(&self.pool)
                .await?;
        Ok(row.try_get("b")?)
    }
}

/// Brings the peers at `host` and every farm around them to what the blocks now say. The farms
/// first lose and then regain their way in, so both the old and the new neighbours are looked at.
async fn settle(conn: &mut SqliteConnection, host: &str, now: Timestamp) -> Result<(), StoreError> {
    peers::settle_host(conn, host, now).await?;
    projection::project_around(conn, host).await
}
