//! Rows as they are, whatever they say.

use async_trait::async_trait;
use farmops_protocol::key::SecretKey;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::{AssertSqlSafe, Column as _, Row};

use super::{
    dialect::{DbRow, SqlReads, cell},
    glance, secrets,
};
use crate::store::{Inspect, RawRow, Secrets, StoreError};

#[async_trait]
impl Inspect for SqlReads {
    fn rows<'a>(
        &'a self,
        table: &'static str,
        order: &'static [&'static str],
    ) -> BoxStream<'a, Result<RawRow, StoreError>> {
        // The names are constants of this crate.
        let mut sql = format!("SELECT * FROM {table}");
        if !order.is_empty() {
            sql = format!("{sql} ORDER BY {}", order.join(", "));
        }
        sqlx::query(AssertSqlSafe(sql))
            .fetch(&self.pool)
            .map_err(StoreError::from)
            .and_then(async |row| raw(&row))
            .boxed()
    }

    async fn secrets(&self) -> Result<Option<Secrets>, StoreError> {
        let mut conn = self.pool.acquire().await?;
        let key = secrets::read(&mut conn, secrets::FARM_KEY).await?;
        let secret = secrets::read(&mut conn, secrets::FARM_SECRET).await?;
        Ok(key.zip(secret).map(|(key, secret)| Secrets {
            farm_key: SecretKey::from_bytes(key),
            farm_secret: secret.to_vec(),
        }))
    }

    async fn glance(&self) -> Result<Option<u64>, StoreError> {
        glance::entries(&mut *self.pool.acquire().await?).await
    }
}

pub(super) fn raw(row: &DbRow) -> Result<RawRow, StoreError> {
    let cells = row
        .columns()
        .iter()
        .map(|column| Ok((column.name().to_owned(), cell(row, column.ordinal())?)));
    cells.collect()
}
