//! How every process of the workspace is configured, observed, health-checked and stopped, and the one
//! place that builds an outbound HTTP client.
//!
//! In scope: what an operator sees the same way in every program (configuration layers, log
//! format, metrics, health, shutdown, error documents, secret files) and the guards that must
//! exist once (outbound address rules, inbound limits).
//!
//! Out of scope: anything that knows what a proof, a farm or a village is.

pub mod config;
pub mod health;
pub mod idempotency;
pub mod metrics;
pub mod outbound;
pub mod probes;
pub mod problem;
pub mod rate_limit;
pub mod secret_file;
pub mod server;
pub mod stop;
pub mod storage_guard;
pub mod telemetry;
pub mod tls;
pub mod token;
