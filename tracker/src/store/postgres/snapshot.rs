//! A copy of all tables, in a schema of its own, before they are changed.

use farmops_federation_store::postgres::VERSIONS;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::store::{
    StoreError,
    transfer::OUR_TABLES,
    versions::{OURS, SNAPSHOTS_KEPT},
};

/// What the schemas' names begin with.
const PREFIX: &str = "before_";

/// Copies every table of ours in the schema that the tracker works in. The copies have no indexes: they are for
/// bringing back what a migration lost, by hand.
pub(super) async fn take(conn: &mut PgConnection, version: i64) -> Result<(), StoreError> {
    let mut tx = conn.begin().await?;
    let row =
        sqlx::query("SELECT extract(epoch FROM now())::int8 AS second, current_schema() AS home")
            .fetch_one(&mut *tx)
            .await?;
    let (second, home): (i64, String) = (row.try_get("second")?, row.try_get("home")?);
    let schema = format!("{PREFIX}{version}_{second}");
    // Names of ours and of the catalogue's, quoted.
    run(&mut tx, format!("CREATE SCHEMA {}", quoted(&schema))).await?;
    let tables = sqlx::query("SELECT tablename::text AS name FROM pg_tables WHERE schemaname = $1")
        .bind(&home)
        .fetch_all(&mut *tx)
        .await?;
    for table in tables {
        let name: &str = table.try_get("name")?;
        if !OUR_TABLES.contains(&name) && ![OURS, VERSIONS].contains(&name) {
            continue;
        }
        let name = quoted(name);
        let copy = format!("{}.{name}", quoted(&schema));
        let original = format!("{}.{name}", quoted(&home));
        run(&mut tx, format!("CREATE TABLE {copy} AS TABLE {original}")).await?;
    }
    for old in earlier(&mut tx).await? {
        run(&mut tx, format!("DROP SCHEMA {} CASCADE", quoted(&old))).await?;
    }
    tx.commit().await?;
    tracing::info!(schema, "the tables were copied before they are changed");
    Ok(())
}

/// Those that are no longer kept.
async fn earlier(conn: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let schemas = sqlx::query(
        "SELECT nspname::text AS name FROM pg_namespace WHERE nspname ~ $1 ORDER BY nspname DESC OFFSET $2",
    )
    .bind(format!("^{PREFIX}[0-9]+_[0-9]+$"))
    .bind(i64::from(SNAPSHOTS_KEPT))
    .fetch_all(conn)
    .await?;
    schemas.iter().map(|row| Ok(row.try_get("name")?)).collect()
}

async fn run(conn: &mut PgConnection, sql: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
