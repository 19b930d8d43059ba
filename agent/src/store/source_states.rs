//! Where a source stands, in its own words.

use sqlx::{Sqlite, Transaction};

use super::{Store, StoreError};

impl Store {
    /// What `source` saved last.
    pub async fn source_state(&self, source: &str) -> Result<Option<String>, StoreError> {
        let state = sqlx::query_scalar("SELECT state FROM source_states WHERE source = $1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await?;
        Ok(state)
    }
}

/// Replaces the state of `source` in the transaction that keeps what it saw.
pub(super) async fn save(
    tx: &mut Transaction<'_, Sqlite>,
    source: &str,
    state: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_states (source, state) VALUES ($1, $2) \
         ON CONFLICT (source) DO UPDATE SET state = excluded.state",
    )
    .bind(source)
    .bind(state)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
