//! Native code of a component: where it may come from, and the one place that hands it to the engine.

use wasmtime::component::Component;

use crate::engine::Engine;

/// Native code that our compiler made: it came out of the child we started just now, or out of the cache
/// under a seal that only this agent can make. There is no other way to make this value.
pub(crate) struct Native(Vec<u8>);

impl Native {
    /// What the compiler program answered.
    pub(crate) const fn from_compiler(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What the cache holds, its seal checked.
    pub(crate) const fn from_cache(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes it callable.
    ///
    /// # Errors
    /// When it was made by another version or with other settings.
    #[allow(unsafe_code)]
    pub(crate) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` runs what it is given, so the bytes must be what `precompile_component`
        // wrote. A `Native` is made in two places only: `compile.rs`, from the standard output of the
        // compiler program that was started for it, and `cache.rs`, after an HMAC-SHA-256 over these
        // bytes, the component's digest and the engine's settings was found right under a key that
        // nobody but this agent has, and that is computed in `cache.rs` only over a `Native`. The bytes
        // are in memory of our own, so that nothing can change them between that check and here.
        unsafe { Component::deserialize(engine.inner(), &self.0) }
    }
}
