//! A connection to PostgreSQL as the tracker has it.

use sqlx::Connection as _;

pub(crate) type Connection = sqlx::PgConnection;

/// How a transaction begins, as the tracker begins it.
pub(crate) const BEGIN: &str = "BEGIN";

pub(crate) fn placeholder(number: usize) -> String {
    format!("${number}")
}

pub(crate) async fn connect(url: &str) -> Connection {
    Connection::connect(url).await.unwrap()
}
