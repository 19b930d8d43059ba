//! The agent as a whole: real plugin processes, a tracker that checks chains, crashes.

#![allow(clippy::unwrap_used)]

mod bench;
mod chart;
mod commands;
mod components;
mod crash;
mod journey;
mod keys;
mod leaks;
mod plugins;
mod press;
mod process;
mod programs;
mod ready;
mod reload;
mod reset;
mod rest;
mod sandbox;
#[path = "../kubernetes/script.rs"]
mod script;
mod shares;
mod standby;
mod tracker;
mod vectors;
mod world;
