//! The farm's layout: one document.

use sqlx::Row;

use super::dialect::{Conn, Pool};
use crate::store::StoreError;

pub(super) async fn write(conn: &mut Conn, document: &[u8]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO layout (id, document) VALUES (1, $1) \
         ON CONFLICT (id) DO UPDATE SET document = excluded.document",
    )
    .bind(document)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn read(pool: &Pool) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query("SELECT document FROM layout")
        .fetch_optional(pool)
        .await?;
    row.map(|row| Ok(row.try_get("document")?)).transpose()
}
