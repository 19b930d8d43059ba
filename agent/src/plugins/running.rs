//! A plugin that has been started and admitted, whatever form it runs in.

use std::path::PathBuf;
use std::time::Duration;

use farmops_plugin::Description;

use super::admission::{self, Refusal};
use super::client::{CallError, Client};
use super::manifest::{PluginSource, PluginSpec};
use super::process::{Process, ProcessError};
use crate::observation::SourceType;

/// Why a plugin does not run. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// It does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It is not the plugin that the manifest asks for.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// A form that this agent cannot run.
    #[error("`source.{0}`: this agent runs programs only")]
    Form(&'static str),
}

/// What a start needs.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) spec: &'a PluginSpec,
    /// Names and types of the sources granted.
    pub(super) granted: &'a [(String, SourceType)],
    /// Where a process listens.
    pub(super) socket: PathBuf,
    /// For one question.
    pub(super) deadline: Duration,
}

/// A running plugin.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) client: Client,
    pub(super) description: Description,
    /// Names of the granted sources that it wants.
    pub(super) wanted: Vec<String>,
    body: Body,
}

/// What must be watched and ended.
#[derive(Debug)]
enum Body {
    Process(Process),
}

impl Running {
    /// Starts the plugin, asks who it is, holds that against the manifest and hands over its settings.
    pub(super) async fn start(launch: Launch<'_>) -> Result<Self, StartError> {
        let (spec, granted) = (launch.spec, launch.granted);
        let (body, client) = match &spec.source {
            PluginSource::Binary { file, .. } => {
                let (process, client) = Process::start(&launch, file).await?;
                (Body::Process(process), Client::Process(client))
            }
            source => return Err(StartError::Form(source.kind())),
        };
        let description = client.describe().await?;
        admission::check(spec, granted, &description)?;
        let settings = serde_json::to_vec(&spec.config).unwrap_or_else(|_| b"{}".to_vec());
        let wanted = client.configure(granted, settings).await?;
        Ok(Self {
            client,
            description,
            wanted,
            body,
        })
    }

    /// Waits for the plugin to end by itself; says how.
    pub(super) async fn ended(&mut self) -> String {
        match &mut self.body {
            Body::Process(process) => process.ended().await,
        }
    }

    /// Ends the plugin.
    pub(super) async fn stop(self) {
        match self.body {
            Body::Process(process) => process.stop().await,
        }
    }
}
