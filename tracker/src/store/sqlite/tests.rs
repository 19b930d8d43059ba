//! For tests: every projection as text.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Row};

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
