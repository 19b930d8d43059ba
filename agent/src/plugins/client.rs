//! How a running plugin is asked, whatever form it runs in.

use farmops_plugin::{Description, Observation, Verdict};

use super::component::ComponentClient;
pub use super::process::ProcessClient;
use crate::observation::SourceType;

/// Asks a running plugin.
#[derive(Debug, Clone)]
pub enum Client {
    /// A process beside the agent.
    Process(ProcessClient),
    /// A component inside the agent.
    Component(ComponentClient),
}

/// Why an observation got no verdict.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The plugin is gone, hangs, or does not speak the contract: it should be restarted.
    #[error("{0}")]
    Plugin(String),
    /// The plugin lives, but could not judge this observation.
    #[error("{0}")]
    Observation(String),
}

/// A question that a plugin did not answer.
#[derive(Debug, thiserror::Error)]
#[error("does not answer {call}: {message}")]
pub struct CallError {
    /// What it was asked.
    pub call: &'static str,
    /// What it said, or that it said nothing.
    pub message: String,
}

impl Client {
    /// Has one observation judged, within the deadline.
    ///
    /// # Errors
    /// [`VerifyError`] tells whether the plugin or this observation is to blame.
    pub async fn verify(&self, observation: Observation) -> Result<Verdict, VerifyError> {
        match self {
            Self::Process(client) => client.verify(observation).await,
            Self::Component(client) => client.verify(observation).await,
        }
    }

    /// What the plugin says of itself.
    pub(super) async fn describe(&self) -> Result<Description, CallError> {
        match self {
            Self::Process(client) => client.describe().await,
            Self::Component(client) => client.describe().await,
        }
    }

    /// Hands over grants and settings; gives the names of the sources that the plugin wants.
    pub(super) async fn configure(
        &self,
        granted: &[(String, SourceType)],
        settings_json: Vec<u8>,
    ) -> Result<Vec<String>, CallError> {
        match self {
            Self::Process(client) => client.configure(granted, settings_json).await,
            Self::Component(client) => client.configure(granted, settings_json).await,
        }
    }
}
