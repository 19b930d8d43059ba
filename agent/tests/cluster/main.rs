//! The Kubernetes source against a real API server.

#![allow(clippy::unwrap_used)]

mod account;
mod changes;
mod churn;
mod definitions;
mod grants;
mod judge;
#[allow(dead_code)]
#[path = "../agent/programs.rs"]
mod programs;
mod refused;
mod source;
#[allow(dead_code)]
#[path = "../agent/tracker.rs"]
mod tracker;
mod workloads;
