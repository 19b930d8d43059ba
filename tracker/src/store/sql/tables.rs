//! Whole tables, for moving what a database holds into one of the other kind.

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::{AssertSqlSafe, Row};

use super::{
    dialect::{COLUMNS, COUNTERS, Conn, HAS_TABLE, OVERRIDING, SET_COUNTER, bind, placeholder},
    inspect::raw,
};
use crate::store::{
    RawRow, StoreError,
    transfer::{OUR_TABLES, Source, Target},
};

#[async_trait]
impl Source for Conn {
    async fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let mut there = Vec::new();
        for table in OUR_TABLES {
            let found = sqlx::query(HAS_TABLE)
                .bind(*table)
                .fetch_optional(&mut *self)
                .await?;
            there.extend(found.map(|_| (*table).to_owned()));
        }
        Ok(there)
    }

    fn rows<'a>(&'a mut self, table: &str) -> BoxStream<'a, Result<RawRow, StoreError>> {
        // The names are constants of ours.
        sqlx::query(AssertSqlSafe(format!("SELECT * FROM \"{table}\"")))
            .fetch(self)
            .map_err(StoreError::from)
            .and_then(async |row| raw(&row))
            .boxed()
    }

    async fn counters(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut counters = Vec::new();
        for table in self.tables().await? {
            let rows = sqlx::query(COUNTERS)
                .bind(&table)
                .fetch_all(&mut *self)
                .await?;
            for row in rows {
                counters.push((table.clone(), row.try_get("last")?));
            }
        }
        Ok(counters)
    }
}

#[async_trait]
impl Target for Conn {
    async fn names(&mut self) -> Result<Vec<String>, StoreError> {
        self.tables().await
    }

    async fn is_empty(&mut self, table: &str) -> Result<bool, StoreError> {
        // The names are constants of ours.
        let row = sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM \"{table}\" LIMIT 1")))
            .fetch_optional(self)
            .await?;
        Ok(row.is_none())
    }

    async fn insert(&mut self, table: &str, rows: &[RawRow]) -> Result<(), StoreError> {
        let columns = sqlx::query(COLUMNS)
            .bind(table)
            .fetch_all(&mut *self)
            .await?;
        let columns: Vec<(String, String)> = columns
            .iter()
            .map(|row| Ok((row.try_get("name")?, row.try_get("kind")?)))
            .collect::<Result<_, sqlx::Error>>()?;
        let names: Vec<String> = columns.iter().map(|(n, _)| format!("\"{n}\"")).collect();
        let lines = (0..rows.len()).map(|row| {
            let first = row * columns.len() + 1;
            let marks = (first..first + columns.len()).map(placeholder);
            format!("({})", marks.collect::<Vec<_>>().join(","))
        });
        let sql = format!(
            "INSERT INTO \"{table}\" ({}) {OVERRIDING} VALUES {}",
            names.join(","),
            lines.collect::<Vec<_>>().join(",")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in rows {
            if row.len() != columns.len() {
                return Err(StoreError::OtherTables(table.to_owned()));
            }
            for (name, kind) in &columns {
                let cell = row.get(name);
                let cell = cell.ok_or_else(|| StoreError::OtherTables(table.to_owned()))?;
                query = bind(query, kind, cell)
                    .ok_or_else(|| StoreError::OtherTables(table.to_owned()))?;
            }
        }
        query.execute(self).await?;
        Ok(())
    }

    async fn set_counter(&mut self, table: &str, last: i64) -> Result<(), StoreError> {
        for sql in SET_COUNTER {
            sqlx::query(*sql)
                .bind(table)
                .bind(last)
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }
}
