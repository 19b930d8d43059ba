//! For tests: every projection as text.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Connection as _, Row};

use super::Database;
use crate::store::PROJECTIONS;

impl Database {
    /// Every row of every projection, as SQL literals, in order.
    pub(crate) async fn dump_projections(&self) -> String {
        let mut dump = String::new();
        for table in PROJECTIONS.map(|projection| projection.table) {
            let columns = sqlx::query(AssertSqlSafe(format!("PRAGMA table_info({table})")))
                .fetch_all(&self.pool)
                .await
                .unwrap();
            let quoted: Vec<String> = columns
                .iter()
                .map(|column| format!("quote({})", column.get::<String, _>("name")))
                .collect();
            let sql = format!(
                "SELECT {} AS line FROM {table} ORDER BY 1",
                quoted.join("||','||")
            );
            for row in sqlx::query(AssertSqlSafe(sql))
                .fetch_all(&self.pool)
                .await
                .unwrap()
            {
                let line: String = row.get("line");
                writeln!(dump, "{table}: {line}").unwrap();
            }
        }
        dump
    }
}

impl Database {
    /// Keeps the farm's key and secret as if they had been made here.
    pub(crate) async fn keep_secrets(&self, secrets: [[u8; 32]; 2]) {
        for (name, value) in ["farm_key", "farm_secret"].into_iter().zip(secrets) {
            sqlx::query("INSERT INTO secret (name, value) VALUES ($1, $2)")
                .bind(name)
                .bind(value.to_vec())
                .execute(&self.pool)
                .await
                .unwrap();
        }
    }
}

/// A column of a table, and the damage done to its last row.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    pub(crate) table: &'static str,
    pub(crate) column: String,
}

impl Database {
    /// Every column of these tables that has a row.
    pub(crate) async fn columns(&self, tables: &[&'static str]) -> Vec<Damage> {
        let mut damages = Vec::new();
        for table in tables {
            let any = sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM {table}")))
                .fetch_optional(&self.pool)
                .await
                .unwrap();
            let columns = sqlx::query(AssertSqlSafe(format!("PRAGMA table_info({table})")))
                .fetch_all(&self.pool)
                .await
                .unwrap();
            damages.extend(
                columns
                    .iter()
                    .filter(|_| any.is_some())
                    .map(|column| Damage {
                        table,
                        column: column.get("name"),
                    }),
            );
        }
        damages
    }

    /// Copies the database to `path`, where `sql` changes one row.
    pub(crate) async fn changed(&self, path: &str, sql: &str) {
        sqlx::query("VACUUM INTO $1")
            .bind(path)
            .execute(&self.pool)
            .await
            .unwrap();
        let mut copy = sqlx::SqliteConnection::connect(&format!("sqlite://{path}"))
            .await
            .unwrap();
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
