//! The agent: notices finished work, and tells the farmer's tracker without telling what it was.
//!
//! In scope: sources, the plugin runtime, the proof generator with its leak guard, the outbox and the
//! way to the tracker, and the agent's own small API.
//!
//! Out of scope: what a proof is and how a chain is checked (`farmops-protocol`), what a plugin author
//! writes (`farmops-plugin`), coins.
//!
//! An observation's way: [`sources`] (authentic? then onto disk, then acknowledged) → [`worker`] →
//! [`plugins`] (verdict) → [`proof`] (may it leave? then signed) → [`store`] (chained, in the same
//! transaction that takes the observation off the queue) → [`uplink`].

pub mod agent;
pub mod backoff;
pub mod cli;
pub mod clock;
pub mod config;
pub mod evidence;
pub mod http;
pub mod identity;
pub mod keys;
pub mod observation;
pub mod plugins;
pub mod proof;
pub mod ready;
pub mod sources;
pub mod standby;
pub mod status;
pub mod store;
pub mod uplink;
pub mod worker;

/// How the agent names itself to servers.
pub const USER_AGENT: &str = concat!("farmops-agent/", env!("CARGO_PKG_VERSION"));
