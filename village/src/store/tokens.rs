//! Bearer tokens, hashed.

use farmops_federation::Timestamp;
use farmops_service::token::TokenHash;

use super::{Store, StoreError, parsed};

impl Store {
    /// The hash of the token for `purpose`, if one was made.
    pub async fn token_hash(&self, purpose: &str) -> Result<Option<TokenHash>, StoreError> {
        let row = sqlx::query("SELECT token_hash FROM token WHERE purpose = $1")
            .bind(purpose)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(parsed(&row, "token_hash")?)).transpose()
    }

    /// Keeps the hash of the token for `purpose`, in place of an earlier one.
    pub async fn keep_token(
        &self,
        purpose: &str,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO token (token_hash, purpose, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (purpose) DO UPDATE SET token_hash = $1, created_at = $3",
        )
        .bind(hash.to_string())
        .bind(purpose)
        .bind(now.second())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
