//! The plugin author's kit: a plugin is a pure function from an observation to a verdict.
//!
//! In scope: the types a plugin speaks in, the messages they travel as, and its two forms: [`export!`]
//! makes a [`Plugin`] a WebAssembly component, which runs inside `farmops-agent`, and [`serve`] makes it
//! a process, which the agent starts. One source builds both.
//!
//! Out of scope: reading anything from the outside world. Observations come from the agent's sources;
//! what the agent makes of a verdict (proof, signature, delivery) is the agent's.
//!
//! To write a plugin: 1. implement [`Plugin`]: `describe` declares every sentence and word that may
//! ever leave the machine, `verify` judges one observation; 2. write `farmops_plugin::export!(…)` beside
//! it, and call [`serve`] from `main`; 3. name component or binary in `farmops-plugins.yaml`. `verify` is
//! plain code, so its tests need neither; [`testing`] runs it over recorded observations.
//! `plugins/TUTORIAL.md` goes through all of it.

#[cfg(target_family = "wasm")]
pub mod component;
mod convert;
pub mod description;
mod export;
pub mod handshake;
pub mod kept;
pub mod kubernetes;
pub mod log;
pub mod observation;
pub mod recorded;
pub mod resource;
#[cfg(not(target_family = "wasm"))]
mod serve;
#[cfg(target_family = "wasm")]
#[path = "serve/component.rs"]
mod serve;
pub mod settings;
pub mod template;
pub mod testing;
pub mod verdict;
pub mod wire;

pub use convert::Malformed;
pub use description::{Description, SourceRequirement};
pub use kubernetes::Change;
pub use observation::Observation;
pub use resource::KubernetesResource;
pub use serve::{ServeError, serve};
pub use settings::BadSettings;
pub use template::{Placeholder, Template};
pub use verdict::{Actor, Finding, Hints, Verdict, Who};
pub use wire::v1::{ActionType, ActorType, Category, Complexity, OutcomeStatus};

/// What a plugin author writes.
pub trait Plugin: Send + Sync + 'static {
    /// What the plugin is and every word it may ever say.
    fn describe(&self) -> Description;

    /// Takes over the operator's settings, a JSON object; called once, before the first observation.
    /// [`settings`] reads and describes them.
    ///
    /// # Errors
    /// [`BadSettings`] when it cannot work with them. A plugin without settings refuses any.
    fn configure(&mut self, settings: &serde_json::Value) -> Result<(), BadSettings> {
        match settings.as_object() {
            Some(members) if members.is_empty() => Ok(()),
            _ => Err(BadSettings("this plugin takes no settings".to_owned())),
        }
    }

    /// Judges one observation. The same observation always gets the same verdict.
    fn verify(&self, observation: &Observation) -> Verdict;
}
