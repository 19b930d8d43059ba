//! The federation engine's memory in SQL.
//!
//! In scope: [`farmops_federation::store::Store`] on SQLite, in tables that begin with `fed_`,
//! inside the service's own database, so that a service can append a post in the transaction
//! that makes the thing it tells about.
//!
//! Out of scope: opening the database. The pool must have a busy timeout and, for a promise that
//! survives a power cut, `synchronous = FULL`.
//!
//! Whoever writes in several statements begins with `BEGIN IMMEDIATE`: SQLite has one writer, and
//! a transaction that reads first and writes later can only fail.
//!
//! To add a thing to remember: 1. a migration, 2. its trait under `federation/src/store`, 3. a
//! file of the same name under `sqlite/`.

mod sqlite;

pub use self::sqlite::{SqliteStore, append_post, migrate, save_relation};
