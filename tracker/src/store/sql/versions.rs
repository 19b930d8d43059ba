//! The migrations that a database has seen.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Row, migrate::Migrator};

use super::dialect::{Conn, HAS_TABLE};
use crate::store::{StoreError, versions::outdated};

/// Whether any of these tables, which hold something, are to be changed.
pub(super) async fn any_outdated(
    conn: &mut Conn,
    tables: &[(&Migrator, &'static str)],
) -> Result<bool, StoreError> {
    let mut any = false;
    for (migrator, list) in tables {
        any |= outdated(&applied(conn, list).await?, migrator)?;
    }
    Ok(any)
}

async fn applied(conn: &mut Conn, list: &'static str) -> Result<BTreeSet<i64>, StoreError> {
    let there = sqlx::query(HAS_TABLE)
        .bind(list)
        .fetch_optional(&mut *conn)
        .await?;
    if there.is_none() {
        return Ok(BTreeSet::new());
    }
    // The names are constants of ours.
    let rows = sqlx::query(AssertSqlSafe(format!("SELECT version FROM {list}")))
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(row.try_get("version")?)).collect()
}
