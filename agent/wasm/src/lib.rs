//! Plugins as WebAssembly components: how one is compiled, kept, loaded and called within bounds.
//!
//! In scope: the engine's settings, which the agent and its compiler program share ([`engine`]); the cache
//! of native code and its seal ([`cache`]); the compiler as a child ([`compile`]); what a component may
//! call, which is its log and nothing (`host`); one call in a fresh instance ([`component`]).
//!
//! Out of scope: which plugins run and what they may read. Every call here is synchronous and bounded in
//! time; an asynchronous caller runs it on a blocking thread.
//!
//! Errors come in two kinds. A [`LoadError`] or [`Fault`] of [`VerifyError::Component`] is about the
//! component, which can not be used as it is; [`VerifyError::Observation`] is about one observation, and
//! the next one may fare better.

pub mod bounds;
pub mod cache;
pub mod compile;
pub mod component;
mod convert;
pub mod engine;
pub mod fault;
mod host;
mod native;
pub mod replay;
mod wasi;

pub use bounds::Bounds;
pub use cache::Cache;
pub use compile::{CompileError, Compiler};
pub use component::{Component, Configured, Judged, LoadError, VerifyError};
pub use engine::Engine;
pub use fault::Fault;
pub use replay::Recording;

/// The Rust of `protocol-spec/wit`, host side.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod wit {
    wasmtime::component::bindgen!({
        path: "../../protocol-spec/wit",
        world: "farmops:plugin/plugin",
    });
}
