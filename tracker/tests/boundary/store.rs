//! What the tests do to a database behind the tracker's back.

use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// Runs one statement on a database.
pub async fn damage(url: &str, statement: &'static str) {
    if url.starts_with("postgres") {
        let server = PgPool::connect(url).await.unwrap();
        sqlx::query(statement).execute(&server).await.unwrap();
        return;
    }
    let file = SqlitePool::connect(url).await.unwrap();
    sqlx::query(statement).execute(&file).await.unwrap();
    file.close().await;
}

/// Empties a table of a PostgreSQL database.
pub async fn empty(url: &str, table: &str) {
    let server = PgPool::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}")))
        .execute(&server)
        .await
        .unwrap();
}

/// Another application's table in a PostgreSQL database.
pub struct Invoices(PgPool);

impl Invoices {
    /// Makes it, with one row.
    pub async fn make(url: &str) -> Self {
        let server = PgPool::connect(url).await.unwrap();
        for statement in [
            "CREATE TABLE invoice (id BIGINT GENERATED ALWAYS AS IDENTITY, sum BIGINT)",
            "INSERT INTO invoice (sum) VALUES (42)",
        ] {
            sqlx::query(statement).execute(&server).await.unwrap();
        }
        Self(server)
    }

    pub async fn count(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM invoice");
        count.fetch_one(&self.0).await.unwrap()
    }
}
