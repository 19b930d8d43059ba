//! What is made once, at the first start: the farm's key and secret.

use farmops_protocol::key::SecretKey;
use sqlx::Row;

use super::dialect::{Conn, SqlJournal};
use crate::store::{Secrets, StoreError};

pub(super) const FARM_KEY: &str = "farm_key";
pub(super) const FARM_SECRET: &str = "farm_secret";

impl SqlJournal {
    pub(super) async fn keep_secrets(&mut self, fresh: &Secrets) -> Result<Secrets, StoreError> {
        let key = self.kept(FARM_KEY, &fresh.farm_key.to_bytes()).await?;
        let secret = self.kept(FARM_SECRET, &fresh.farm_secret).await?;
        Ok(Secrets {
            farm_key: SecretKey::from_bytes(key),
            farm_secret: secret.to_vec(),
        })
    }

    /// The secret of that name; `fresh` becomes it if there is none.
    async fn kept(&mut self, name: &'static str, fresh: &[u8]) -> Result<[u8; 32], StoreError> {
        sqlx::query(
            "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(fresh)
        .execute(&mut self.conn)
        .await?;
        let row = sqlx::query("SELECT value FROM secret WHERE name = $1")
            .bind(name)
            .fetch_one(&mut self.conn)
            .await?;
        let value: Vec<u8> = row.try_get("value")?;
        value.try_into().map_err(|_| StoreError::Unreadable {
            column: "value",
            reason: format!("the secret `{name}` does not have 32 bytes"),
        })
    }
}

/// The secret of that name; nothing if it is missing or is none.
pub(super) async fn read(
    conn: &mut Conn,
    name: &'static str,
) -> Result<Option<[u8; 32]>, StoreError> {
    let row = sqlx::query("SELECT value FROM secret WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?;
    let value: Option<Vec<u8>> = row.map(|row| row.try_get("value")).transpose()?;
    Ok(value.and_then(|value| value.try_into().ok()))
}
