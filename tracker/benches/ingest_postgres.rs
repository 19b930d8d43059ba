//! `ingest-postgres-grpc`, `ingest-postgres-rest`: proofs per second into a durable ledger in PostgreSQL, beside
//! the bare database (see `ingest/run.rs`).
//!
//! The server is one of this program's own, on a Unix socket, with PostgreSQL's own settings: every commit is
//! flushed.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/boundary/cast.rs"]
mod cast;
#[path = "store/postgres.rs"]
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
    run::all("ingest-postgres", |_| farmops_postgres::database().unwrap()).await;
}
