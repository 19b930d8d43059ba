//! The plugin author's kit: a plugin is a pure function from an observation to a verdict.
//!
//! In scope: the types a plugin speaks in, the messages they travel as, and [`serve`], which turns a
//! [`Plugin`] into the process that `farmops-agent` starts.
//!
//! Out of scope: reading anything from the outside world. Observations come from the agent's sources;
//! what the agent makes of a verdict (proof, signature, delivery) is the agent's.
//!
//! To write a plugin: 1. implement [`Plugin`]: `describe` declares every sentence and word that may
//! ever leave the machine, `verify` judges one observation; 2. call [`serve`] from `main`; 3. name the
//! binary in `farmops-plugins.yaml`. `verify` is plain code, so its tests need no process.

mod convert;
pub mod description;
pub mod handshake;
pub mod kept;
pub mod kubernetes;
pub mod observation;
pub mod resource;
mod serve;
pub mod template;
pub mod verdict;
pub mod wire;

pub use convert::Malformed;
pub use description::{Description, SourceRequirement};
pub use kubernetes::Change;
pub use observation::Observation;
pub use resource::KubernetesResource;
pub use serve::{ServeError, serve};
pub use template::{Placeholder, Template};
pub use verdict::{Actor, Finding, Hints, Verdict, Who};
pub use wire::v1::{ActionType, ActorType, Category, Complexity, OutcomeStatus};

/// The operator's settings do not suit the plugin. The text is shown to the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

/// What a plugin author writes.
pub trait Plugin: Send + Sync + 'static {
    /// What the plugin is and every word it may ever say.
    fn describe(&self) -> Description;

    /// Takes over the operator's settings, a JSON object; called once, before the first observation.
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
