//! Whole tables, for moving what a database holds into one of the other kind.

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use sqlx::{AssertSqlSafe, Row};

use super::{
    dialect::{COLUMNS, COUNTERS, Conn, OVERRIDING, SET_COUNTER, TABLE_NAMES, bind, placeholder},
    inspect::raw,
};
use crate::store::{
    RawRow, StoreError,
    transfer::{Source, Target},
};

#[async_trait]
impl Source for Conn {
    async fn tables(&mut self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(TABLE_NAMES).fetch_all(self).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }

    fn rows<'a>(&'a mut self, table: &str) -> BoxStream<'a, Result<RawRow, StoreError>> {
        // The names come from the database's own list.
        sqlx::query(AssertSqlSafe(format!("SELECT * FROM \"{table}\"")))
            .fetch(self)
            .map_err(StoreError::from)
            .and_then(async |row| raw(&row))
            .boxed()
    }

    async fn counters(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query(COUNTERS).fetch_all(self).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("name")?, row.try_get("last")?)))
            .collect()
    }
}

#[async_trait]
impl Target for Conn {
    async fn names(&mut self) -> Result<Vec<String>, StoreError> {
        self.tables().await
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

    async fn clear(&mut self) -> Result<(), StoreError> {
        for table in self.tables().await? {
            sqlx::query(AssertSqlSafe(format!("DELETE FROM \"{table}\"")))
                .execute(&mut *self)
                .await?;
        }
        Ok(())
    }
}
