//! The tracker: the farmer's own server, which checks her agents' proofs, keeps the ledger, and
//! tells villages how her farm is doing.
//!
//! In scope: intake over gRPC and REST, the ledger and its projections, scoring, snapshots, the
//! farmer's actor, the owner's API, page and command line.
//!
//! Out of scope: what a proof is (`farmops-protocol`), what the ledger says (`farmops-ledger`), how a
//! farm is drawn (`farmops-farm`), how activities travel (`farmops-federation`).
//!
//! A proof's way: `grpc.rs` or `http/proofs.rs` → [`intake`] (form, agent's key, signature) →
//! [`writer`] (one task: chain, score, one commit for many) → the ledger and the projections of
//! [`store`] → [`publisher`] (snapshot, signed, into the delivery log).

pub mod app;
pub mod archive;
pub mod audit;
pub mod cli;
pub mod config;
pub mod desk;
pub mod domain;
pub mod grpc;
pub mod host;
pub mod http;
pub mod intake;
pub mod keyring;
pub mod leagues;
pub mod log;
pub mod past;
pub mod publisher;
pub mod serve;
pub mod session;
pub mod site;
pub mod store;
pub mod villages;
pub mod writer;

#[cfg(test)]
#[path = "../tests/boundary/cast.rs"]
#[allow(clippy::unwrap_used, missing_docs)]
mod cast;

/// Where the source of this program is offered.
pub const SOURCE_URL: &str = "https://github.com/farmops/farmops";
