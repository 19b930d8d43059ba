//! `ingest-sqlite-grpc`, `ingest-sqlite-rest`: proofs per second into a durable ledger in SQLite, beside the
//! bare database (see `ingest/run.rs`).

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/boundary/cast.rs"]
mod cast;
#[path = "store/sqlite.rs"]
mod dialect;
#[path = "store/rows.rs"]
mod rows;
#[path = "ingest/run.rs"]
mod run;
#[path = "farm/served.rs"]
#[allow(dead_code)]
mod served;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    run::all("ingest-sqlite", place).await;
}
