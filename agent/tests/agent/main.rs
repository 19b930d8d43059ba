//! The agent as a whole: real plugin processes, a tracker that checks chains, crashes.

#![allow(clippy::unwrap_used)]

mod crash;
mod journey;
mod keys;
mod leaks;
mod plugins;
mod programs;
mod reset;
mod rest;
mod standby;
mod tracker;
mod world;
