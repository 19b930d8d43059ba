//! A plugin that has been started and admitted, whatever form it runs in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use farmops_plugin::Description;
use farmops_protocol::digest::Digest;

use super::RuntimeBounds;
use super::admission::{self, Refusal};
use super::client::{CallError, Client};
use super::component::{ComponentClient, ComponentError, Components};
use super::manifest::{PluginSource, PluginSpec};
use super::process::{Process, ProcessError};
use super::shelf::{Shelf, ShelfError};
use super::socket::SocketFolder;
use crate::observation::SourceType;

/// Why a plugin does not run. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its code.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// It took too long.
    #[error("not ready within {0:?}")]
    Late(Duration),
    /// The agent ends.
    #[error("the agent is stopping")]
    Stopping,
    /// Its process.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Its component.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// It does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It is not the plugin that the manifest asks for.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// A form that this agent cannot run.
    #[error("`source.{0}`: this agent cannot fetch artifacts")]
    Form(&'static str),
}

/// One version of a plugin: its code, its grants and its settings.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) spec: PluginSpec,
    /// Names and types of the sources granted.
    pub(super) granted: Vec<(String, SourceType)>,
}

/// Starts plugins.
#[derive(Debug)]
pub(super) struct Starter {
    pub(super) sockets: SocketFolder,
    pub(super) shelf: Shelf,
    pub(super) components: Arc<Components>,
    pub(super) bounds: RuntimeBounds,
}

/// What a process needs to start.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) spec: &'a PluginSpec,
    /// The agent's copy of the program.
    pub(super) program: PathBuf,
    /// Where it listens.
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
    /// A component runs only while it is asked.
    Component,
}

impl Starter {
    /// Starts a version, asks who it is, holds that against the manifest and hands over its settings.
    pub(super) async fn start(&self, version: &Version) -> Result<Running, StartError> {
        let deadline = self.bounds.start_deadline;
        // A component that is new is compiled first, which has a deadline of its own.
        let component = self.component(&version.spec).await?;
        let started = self.start_and_admit(version, component);
        let started = tokio::time::timeout(deadline, started).await;
        started.unwrap_or(Err(StartError::Late(deadline)))
    }

    /// The component of a plugin that is one.
    async fn component(&self, spec: &PluginSpec) -> Result<Option<ComponentClient>, StartError> {
        let PluginSource::Component { file, digest } = &spec.source else {
            return Ok(None);
        };
        let copy = self.copy_of(file, *digest).await?;
        let deadline = self.bounds.verify_deadline;
        Ok(Some(self.components.load(spec, copy, deadline).await?))
    }

    async fn copy_of(&self, file: &Path, digest: Digest) -> Result<PathBuf, StartError> {
        let (shelf, file) = (self.shelf.clone(), file.to_owned());
        let copy = tokio::task::spawn_blocking(move || shelf.copy_of(&file, digest));
        Ok(copy.await.map_err(|_| StartError::Stopping)??)
    }

    async fn start_and_admit(
        &self,
        version: &Version,
        component: Option<ComponentClient>,
    ) -> Result<Running, StartError> {
        let (spec, granted) = (&version.spec, &version.granted);
        let (body, client) = match (&spec.source, component) {
            (_, Some(component)) => (Body::Component, Client::Component(component)),
            (PluginSource::Binary { file, digest }, None) => {
                let launch = Launch {
                    spec,
                    program: self.copy_of(file, *digest).await?,
                    socket: self.sockets.fresh_path(),
                    deadline: self.bounds.verify_deadline,
                };
                let (process, client) = Process::start(&launch).await?;
                (Body::Process(process), Client::Process(client))
            }
            (source, None) => return Err(StartError::Form(source.kind())),
        };
        let description = client.describe().await?;
        admission::check(spec, granted, &description)?;
        let settings = serde_json::to_vec(&spec.config).unwrap_or_else(|_| b"{}".to_vec());
        let wanted = client.configure(granted, settings).await?;
        Ok(Running {
            client,
            description,
            wanted,
            body,
        })
    }
}

impl Running {
    /// Waits for the plugin to end by itself; says how.
    pub(super) async fn ended(&mut self) -> String {
        match &mut self.body {
            Body::Process(process) => process.ended().await,
            Body::Component => std::future::pending().await,
        }
    }

    /// Ends the plugin.
    pub(super) async fn stop(self) {
        match self.body {
            Body::Process(process) => process.stop().await,
            Body::Component => {}
        }
    }
}
