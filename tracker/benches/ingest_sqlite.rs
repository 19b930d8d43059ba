//! `ingest-sqlite-grpc`, `ingest-sqlite-rest`: proofs per second into a durable ledger in SQLite, beside the
//! bare database (see `ingest/run.rs`).

#![allow(missing_docs, clippy::unwrap_used)]

use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

#[path = "../tests/boundary/cast.rs"]
#[allow(dead_code)]
mod cast;
#[path = "ingest/rows.rs"]
mod rows;
#[path = "ingest/run.rs"]
mod run;
#[path = "farm/served.rs"]
#[allow(dead_code)]
mod served;

type Connection = sqlx::SqliteConnection;

/// How a transaction begins, as the tracker begins it.
const BEGIN: &str = "BEGIN IMMEDIATE";

fn placeholder(_: usize) -> String {
    "?".to_owned()
}

/// A connection with the tracker's settings.
async fn connect(url: &str) -> Connection {
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

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    run::all("ingest-sqlite", place).await;
}
