//! The tracker at its boundary: a real server, a real database, real sockets.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod bad_input;
mod cast;
mod cli;
mod contrast;
mod crash;
mod damaged;
mod described;
mod doors;
mod forging;
mod grpc;
mod json;
mod keeping;
mod leagues;
mod log;
mod owner;
mod owning;
mod pages;
mod parts;
mod past;
mod postgres;
mod pruning;
mod publishing;
mod rate_limits;
mod rest;
mod server;
mod starting;
mod store;
mod tls;
mod tokens;
mod villages;
