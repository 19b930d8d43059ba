//! The RSA private keys of local actors.

use async_trait::async_trait;
use farmops_federation::store::{KeyStore, StoreError};

use super::{columns::Out, dialect::SqlStore};

#[async_trait]
impl KeyStore for SqlStore {
    async fn key(&self, name: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT pem FROM fed_keys WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .out()
    }

    async fn keep_key(&self, name: &str, pem: &str) -> Result<String, StoreError> {
        let kept = async {
            let mut tx = self.begin().await?;
            sqlx::query("INSERT INTO fed_keys (name, pem) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(name)
                .bind(pem)
                .execute(&mut *tx)
                .await?;
            let kept = sqlx::query_scalar("SELECT pem FROM fed_keys WHERE name = $1")
                .bind(name)
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(kept)
        };
        let kept: sqlx::Result<String> = kept.await;
        kept.out()
    }
}
