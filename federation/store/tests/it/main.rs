//! The engine and its store at their boundary: real servers on the loopback interface, real
//! requests, a real database. Tests of published flaws name the row of the list of advisories
//! that they answer, and each checks that nothing was kept.
//! Each test runs on every database: the files are included once for each.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]
#![expect(clippy::duplicate_mod, reason = "each test runs on every database")]

mod postgres;
mod sqlite;
