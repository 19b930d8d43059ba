//! The agent as a whole: real plugin processes, a tracker that checks chains, crashes.

#![allow(clippy::unwrap_used)]

mod components;
mod crash;
mod journey;
mod keys;
mod leaks;
mod plugins;
mod process;
mod programs;
mod ready;
mod reset;
mod rest;
mod standby;
mod tracker;
mod vectors;
mod world;
