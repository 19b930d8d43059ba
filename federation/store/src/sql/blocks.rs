//! Hosts that are not talked to.

use async_trait::async_trait;
use farmops_federation::{
    Timestamp,
    store::{BlockStore, StoreError},
};

use super::{columns::Out, dialect::SqlStore};

#[async_trait]
impl BlockStore for SqlStore {
    async fn any_blocked(&self, hosts: &[String]) -> Result<bool, StoreError> {
        for host in hosts {
            let found: Option<i64> =
                sqlx::query_scalar("SELECT blocked_at FROM fed_blocks WHERE host = $1")
                    .bind(host)
                    .fetch_optional(&self.pool)
                    .await
                    .out()?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn block(&self, host: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO fed_blocks (host, blocked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(host)
        .bind(at.second())
        .execute(&self.pool)
        .await
        .out()
        .map(drop)
    }

    async fn unblock(&self, host: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM fed_blocks WHERE host = $1")
            .bind(host)
            .execute(&self.pool)
            .await
            .out()
            .map(drop)
    }

    async fn blocked(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT host FROM fed_blocks ORDER BY host")
            .fetch_all(&self.pool)
            .await
            .out()
    }
}
