//! Where a source stands, in its own words; what a poll remembers are words of what it saw, so it is sealed.

use sqlx::{Sqlite, Transaction};

use super::vault::Vault;
use super::{Store, StoreError};

const TABLE: &str = "source_states";

impl Store {
    /// What `source` saved last. A damaged state counts as none, loudly: the source begins anew.
    pub async fn source_state(&self, source: &str) -> Result<Option<String>, StoreError> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT sealed FROM source_states WHERE source = $1")
                .bind(source)
                .fetch_optional(&self.pool)
                .await?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        match self.vault.open(TABLE, source, &sealed) {
            Ok(state) => Ok(String::from_utf8(state).ok()),
            Err(error) => {
                tracing::error!(source, %error, "where a source stood is lost; it begins anew");
                Ok(None)
            }
        }
    }
}

/// Replaces the state of `source` in the transaction that keeps what it saw.
pub(super) async fn save(
    tx: &mut Transaction<'_, Sqlite>,
    vault: &Vault,
    source: &str,
    state: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO source_states (source, sealed) VALUES ($1, $2) \
         ON CONFLICT (source) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(source)
    .bind(vault.seal(TABLE, source, state.as_bytes()))
    .execute(&mut **tx)
    .await?;
    Ok(())
}
