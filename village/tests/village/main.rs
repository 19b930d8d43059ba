//! A village at its boundary: real servers on loopback, real SQLite files, and trackers that are
//! real federation engines with a farm key of their own.
#![allow(clippy::unwrap_used)]

mod boards;
mod crash;
mod doors;
mod federation;
mod leagues;
mod pages;
mod reach;
mod registration;
mod snapshots;
mod store;
mod suspension;
mod tracker;
mod world;
