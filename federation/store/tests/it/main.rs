//! The engine and its store at their boundary: real servers on the loopback interface, real
//! requests, a database on disk. Tests of published flaws name the row of the list of advisories
//! that they answer, and each checks that nothing was kept.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod cast;
mod deliveries;
mod documents;
mod fetching;
mod flow;
mod forgeries;
mod handles;
mod peer;
mod signatures;
mod villages;
