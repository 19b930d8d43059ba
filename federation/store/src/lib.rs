//! The federation engine's memory in SQL.
//!
//! In scope: [`farmops_federation::store::Store`] on SQLite and on PostgreSQL, in tables that begin with
//! `fed_`, inside the service's own database, so that a service can append a post in the transaction
//! that makes the thing it tells about.
//!
//! Out of scope: opening the database. A SQLite pool must have a busy timeout and, for a promise that
//! survives a power cut, `synchronous = FULL`; a PostgreSQL one `synchronous_commit = on`.
//!
//! Every statement stands once, under `sql/`. `sqlite.rs` and `postgres.rs` include those files and say
//! what the types in them are: the text that both databases read alike, the types that sqlx checks.
//!
//! Whoever writes in several statements uses `begin`, which lets one writer in at a time: a transaction
//! that reads first and writes later could only fail, or write what is no longer so.
//!
//! To add a thing to remember: 1. a migration for each database, 2. its trait under
//! `federation/src/store`, 3. a file of the same name under `sql/`.
#![expect(
    clippy::duplicate_mod,
    reason = "the statements are compiled for each database"
)]

pub mod postgres;
pub mod sqlite;

pub use self::sqlite::{SqliteStore, append_post, migrate, save_relation};
