//! For tests: databases of the kind that is tested, every projection as text, and damage.
//!
//! The tests run on SQLite, or, with `TEST_DATABASE=postgres`, on PostgreSQL.
#![allow(clippy::unwrap_used)]

use std::{fmt::Write as _, path::Path};

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, Row, SqliteConnection};

use super::{Database, PROJECTIONS, Projection, Secrets, StoreError, Upkeep};

/// The URL of a new database; a file in `folder` if it is one.
pub(crate) fn fresh(folder: &Path) -> String {
    match std::env::var("TEST_DATABASE").as_deref() {
        Ok("postgres") => farmops_postgres::database().unwrap(),
        _ => format!("sqlite://{}/farm.db", folder.display()),
    }
}

/// What a database says of a row that does not fit.
pub(crate) fn misfit_error() -> StoreError {
    sqlx::Error::Database(Box::new(Misfit)).into()
}

#[derive(Debug, thiserror::Error)]
#[error("UNIQUE constraint failed")]
struct Misfit;

impl sqlx::error::DatabaseError for Misfit {
    fn message(&self) -> &'static str {
        "UNIQUE constraint failed"
    }
    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }
    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }
    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }
    fn kind(&self) -> sqlx::error::ErrorKind {
        sqlx::error::ErrorKind::UniqueViolation
    }
}

/// How SQLite goes about a query.
async fn plan(path: &str, sql: &str) -> String {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(&mut open(path).await)
        .await
        .unwrap();
    let steps = rows.iter().map(|row| row.try_get("detail").unwrap());
    steps.collect::<Vec<String>>().join("; ")
}

#[tokio::test]
async fn lists_of_proofs_find_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("farm.db");
    let path = path.to_str().unwrap();
    drop(Database::open(&format!("sqlite://{path}")).await.unwrap());
    let list = "SELECT p.*, l.body FROM proof_chain p JOIN ledger l ON l.position = p.position \
                WHERE p.position < 9";
    for (of, index) in [
        ("p.category = 'toil'", "proof_chain_by_category"),
        (
            "p.position IN (SELECT position FROM proof_chain WHERE finished_at >= 7)",
            "proof_chain_by_time",
        ),
    ] {
        let plan = plan(
            path,
            &format!("{list} AND {of} ORDER BY p.position DESC LIMIT 5"),
        )
        .await;
        assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
    }
}

impl Database {
    /// A second writing side, behind the back of whoever has the database.
    pub(crate) async fn stranger(&self) -> Box<dyn Upkeep> {
        match self {
            Self::Sqlite(database) => Box::new(database.stranger().await),
            Self::Postgres(database) => Box::new(database.stranger().await),
        }
    }

    /// Every row of every projection, in order.
    pub(crate) async fn dump_projections(&self) -> String {
        let mut dump = String::new();
        for Projection { table, .. } in PROJECTIONS {
            let rows = self.reads();
            let mut rows: Vec<_> = rows.rows(table, &[]).try_collect().await.unwrap();
            rows.sort();
            for row in rows {
                writeln!(dump, "{table}: {row:?}").unwrap();
            }
        }
        dump
    }

    /// Every table that the migrations made, in order.
    pub(crate) async fn tables(&self) -> Vec<String> {
        let rows = match self {
            Self::Sqlite(_) => {
                let sql = "SELECT name FROM sqlite_master WHERE type = 'table' \
                    AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%_migrations' ORDER BY name";
                let file = self.folder().join("farm.db");
                sqlx::query_scalar(sql)
                    .fetch_all(&mut open(&file.display().to_string()).await)
                    .await
            }
            Self::Postgres(database) => {
                let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() \
                    AND tablename NOT LIKE '%_migrations' ORDER BY tablename COLLATE \"C\"";
                sqlx::query_scalar(sql)
                    .fetch_all(&mut database.connect().await)
                    .await
            }
        };
        rows.unwrap()
    }

    /// The copies that were made before migrations.
    pub(crate) async fn snapshots(&self) -> Vec<String> {
        match self {
            Self::Sqlite(_) => std::fs::read_dir(self.folder())
                .unwrap()
                .map(|entry| entry.unwrap().path().display().to_string())
                .filter(|name| name.contains(".before-"))
                .collect(),
            Self::Postgres(database) => sqlx::query_scalar(
                "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'before%'",
            )
            .fetch_all(&mut database.connect().await)
            .await
            .unwrap(),
        }
    }

    /// How many secrets such a copy holds.
    pub(crate) async fn keys_in(&self, snapshot: &str) -> i64 {
        match self {
            Self::Sqlite(_) => sqlx::query_scalar("SELECT COUNT(*) FROM secret")
                .fetch_one(&mut open(snapshot).await)
                .await
                .unwrap(),
            Self::Postgres(database) => {
                let sql = format!("SELECT COUNT(*) FROM {snapshot}.secret");
                sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_one(&mut database.connect().await)
                    .await
                    .unwrap()
            }
        }
    }

    /// Keeps the farm's key and secret as if they had been made here.
    pub(crate) async fn keep_secrets(&self, [key, secret]: [[u8; 32]; 2]) {
        let secrets = Secrets {
            farm_key: farmops_protocol::key::SecretKey::from_bytes(key),
            farm_secret: secret.to_vec(),
        };
        self.stranger().await.secrets(&secrets).await.unwrap();
    }
}

/// A column of a table, and the damage done to its last row.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    pub(crate) table: &'static str,
    pub(crate) column: String,
}

/// Every column of these tables of the SQLite file at `path` that has a row.
pub(crate) async fn columns(path: &str, tables: &[&'static str]) -> Vec<Damage> {
    let mut file = open(path).await;
    let mut damages = Vec::new();
    for table in tables {
        let any = sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM {table}")))
            .fetch_optional(&mut file)
            .await
            .unwrap();
        let columns = sqlx::query(AssertSqlSafe(format!("PRAGMA table_info({table})")))
            .fetch_all(&mut file)
            .await
            .unwrap();
        let columns = columns.iter().filter(|_| any.is_some());
        damages.extend(columns.map(|column| Damage {
            table,
            column: column.get("name"),
        }));
    }
    damages
}

/// Copies the database at `url` to a SQLite file at `path`, where `sql` changes one row.
pub(crate) async fn changed(url: &str, path: &str, sql: &str) {
    Database::copy(url, Path::new(path)).await.unwrap();
    let mut copy = open(path).await;
    sqlx::query("PRAGMA ignore_check_constraints = ON")
        .execute(&mut copy)
        .await
        .unwrap();
    let changed = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut copy)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1, "{sql}");
    copy.close().await.unwrap();
}

async fn open(path: &str) -> SqliteConnection {
    let url = format!("sqlite://{path}");
    SqliteConnection::connect(&url).await.unwrap()
}

impl Damage {
    /// Changes the last row of a table in one column: a number by one, text and bytes in one byte.
    pub(crate) fn sql(&self) -> String {
        let Self { table, column } = self;
        format!(
            "UPDATE {table} SET {column} = CASE typeof({column}) \
             WHEN 'text' THEN CASE substr({column}, 6, 1) \
               WHEN '5' THEN substr({column}, 1, 5) || '6' || substr({column}, 7) \
               ELSE substr({column}, 1, 5) || '5' || substr({column}, 7) END \
             WHEN 'blob' THEN CAST(CASE length({column}) WHEN 0 THEN '' \
               ELSE substr({column}, 1, length({column}) - 1) END || \
               CASE hex(substr({column}, -1)) WHEN '41' THEN x'42' ELSE x'41' END AS BLOB) \
             WHEN 'null' THEN 1 ELSE {column} + 1 END \
             WHERE rowid = (SELECT MAX(rowid) FROM {table})"
        )
    }
}
