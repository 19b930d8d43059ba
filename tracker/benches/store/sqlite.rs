//! A connection to a SQLite file as the tracker has it.

use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

pub(crate) type Connection = sqlx::SqliteConnection;

/// How a transaction begins, as the tracker begins it.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

pub(crate) fn placeholder(_: usize) -> String {
    "?".to_owned()
}

pub(crate) async fn connect(url: &str) -> Connection {
    url.parse::<SqliteConnectOptions>()
        .unwrap()
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", "4096")
        .pragma("cache_size", "-32768")
        .connect()
        .await
        .unwrap()
}
