//! The FarmOps contract, as pure Rust: what a proof, a chain, a score and a snapshot are.
//!
//! In scope: the wire forms of `protocol-spec/docs`, their canonical bytes, their signatures and
//! the rules that decide whether a proof extends a chain and what it is worth.
//!
//! Out of scope: any input or output. Clock and randomness are arguments; transports, stores and
//! `ActivityPub` delivery live in the crates that use this one.
//!
//! A proof's way through this crate: bytes → [`proof::ParsedProof::parse`] (size, canonical form,
//! schema) → [`proof::ParsedProof::verify`] (strict Ed25519) → [`chain::extend`] (one successor
//! for each proof) → [`scoring::RuleSet::score`].

pub mod canonical;
pub mod chain;
pub mod chain_reset;
pub mod checkpoint;
pub mod departure;
pub mod digest;
pub mod enrolment;
pub mod field;
pub mod int;
pub mod integrity;
pub mod key;
pub mod league;
pub mod limits;
pub mod log;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod proof;
pub mod registration;
pub mod rotation;
pub mod scoring;
mod signed_request;
pub mod snapshot;
pub mod streak;
pub mod time;
pub mod wire;

/// The protocol version this crate speaks, as it stands in `schema_version`.
pub const PROTOCOL_VERSION: &str = "1";
