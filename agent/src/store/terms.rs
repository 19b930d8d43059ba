//! What a replica may go on from when it leads again.
//!
//! What another replica has proven in between, this one does not know: it would see the same changes from where
//! it stood, and prove them a second time. So it begins with a first sight, and what was not judged is dropped.

use super::{Store, StoreError};
use crate::standby::{Succession, Term};
use crate::status::Count;

impl Store {
    /// This replica leads. Unless nobody can have led since it did last, it forgets its queue, what it knew of
    /// clusters, and where `sources` stood. Gives how many observations were dropped.
    pub async fn begin_term(
        &self,
        succession: &Succession,
        sources: &[String],
    ) -> Result<u64, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let led: Option<String> = sqlx::query_scalar("SELECT led FROM chain")
            .fetch_one(&mut *tx)
            .await?;
        let last: Option<Term> = led
            .as_deref()
            .and_then(|led| serde_json::from_str(led).ok());
        let unbroken = succession.is_unbroken(last.as_ref());
        let mut dropped = 0;
        if !unbroken {
            dropped = sqlx::query("DELETE FROM observations")
                .execute(&mut *tx)
                .await?
                .rows_affected();
            // With subscriptions, objects and states.
            sqlx::query("DELETE FROM kubernetes_watches")
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM source_states WHERE source IN (SELECT value FROM json_each($1))",
            )
            .bind(serde_json::json!(sources).to_string())
            .execute(&mut *tx)
            .await?;
        }
        let now = serde_json::to_string(&succession.now);
        sqlx::query("UPDATE chain SET led = $1")
            .bind(now.map_err(|_| StoreError::Unreadable("term"))?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        if dropped > 0 {
            self.status.count(Count::Dropped(dropped));
        }
        if !unbroken && (last.is_some() || dropped > 0) {
            tracing::warn!(
                dropped,
                "another replica may have led since this one did; its sources begin anew"
            );
        }
        Ok(dropped)
    }
}
