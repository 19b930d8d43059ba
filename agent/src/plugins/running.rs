//! A plugin that has been started and admitted, whatever form it runs in.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use farmops_plugin::Description;

use super::RuntimeBounds;
use super::admission::{self, Refusal};
use super::client::{CallError, Client};
use super::component::{ComponentClient, ComponentError, Components};
use super::manifest::{Grant, KnownSources, PluginSource, PluginSpec};
use super::oci::{OciError, Wanted};
use super::process::{Process, ProcessError};
use super::shelf::{Shelf, ShelfError};
use super::socket::{Socket, SocketFolder};
use crate::observation::SourceType;
use crate::sandbox::{Sandbox, SandboxConfig};

/// Why a plugin does not run. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its code.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The registry, or what came from it.
    #[error(transparent)]
    Oci(#[from] OciError),
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
}

/// One version of a plugin: its code, its grants and its settings.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) spec: PluginSpec,
    /// Names and types of the sources granted.
    pub(super) granted: Vec<(String, SourceType)>,
    /// The grants, each cut down to the namespaces that its source watches.
    pub(super) grants: Vec<Grant>,
}

impl Version {
    /// `sources` are those that the agent has.
    pub(super) fn new(spec: PluginSpec, sources: &KnownSources) -> Self {
        let (mut granted, mut grants) = (Vec::new(), Vec::new());
        for grant in &spec.grants {
            let Some(source) = sources.get(&grant.source) else {
                continue;
            };
            granted.push((grant.source.clone(), source.source_type));
            let mut grant = grant.clone();
            // The manifest names none that is not watched.
            if grant.namespaces.is_empty() {
                grant.namespaces.clone_from(&source.namespaces);
            }
            grants.push(grant);
        }
        Self {
            spec,
            granted,
            grants,
        }
    }
}

impl Version {
    /// The same with no more grants than the manifest gives: what was withdrawn does not come back with older code.
    pub(super) fn within(mut self, manifest: &[Grant]) -> Self {
        let cut = |grants: &[Grant]| {
            let both = |grant: &Grant| manifest.iter().find_map(|other| grant.and(other));
            grants.iter().filter_map(both).collect::<Vec<Grant>>()
        };
        self.spec.grants = cut(&self.spec.grants);
        self.grants = cut(&self.grants);
        let kept = &self.grants;
        self.granted
            .retain(|(name, _)| kept.iter().any(|grant| grant.source == *name));
        self
    }
}

/// What a plugin is made of.
enum Code {
    /// The agent's copy of a program.
    Program(PathBuf),
    /// A component that is ready to be asked.
    Component(ComponentClient),
}

/// Starts plugins.
#[derive(Debug)]
pub(super) struct Starter {
    pub(super) sockets: SocketFolder,
    pub(super) shelf: Shelf,
    pub(super) components: Arc<Components>,
    pub(super) bounds: RuntimeBounds,
    pub(super) sandbox: SandboxConfig,
}

/// What a process needs to start.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) spec: &'a PluginSpec,
    /// The agent's copy of the program.
    pub(super) program: PathBuf,
    /// Where it listens.
    pub(super) socket: Socket,
    /// For one question.
    pub(super) deadline: Duration,
    pub(super) sandbox: &'a SandboxConfig,
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
    Process(Box<Process>),
    /// A component runs only while it is asked; its lines that were not logged.
    Component(Arc<AtomicU64>),
}

impl Starter {
    /// Starts a version, asks who it is, holds that against the manifest and hands over its settings.
    pub(super) async fn start(&self, version: &Version) -> Result<Running, StartError> {
        // A registry may be far, and a component that is new is compiled: each has a deadline of its own.
        let code = self.code(&version.spec).await?;
        let deadline = self.bounds.start_deadline;
        let started = tokio::time::timeout(deadline, self.start_and_admit(version, code)).await;
        started.unwrap_or(Err(StartError::Late(deadline)))
    }

    /// The plugin's code, which has the digest that the manifest says.
    async fn code(&self, spec: &PluginSpec) -> Result<Code, StartError> {
        let (file, digest) = match &spec.source {
            PluginSource::Oci {
                reference,
                digest,
                signed_by,
            } => {
                let wanted = Wanted {
                    reference: reference.clone(),
                    digest: *digest,
                    keys: signed_by.clone(),
                };
                let component = wanted.component(self.shelf.folder_of(*digest)).await?;
                return self.component(spec, component).await;
            }
            PluginSource::Component { file, digest } | PluginSource::Binary { file, digest } => {
                (file.clone(), *digest)
            }
        };
        let (shelf, is_program) = (self.shelf.clone(), spec.source.kind() == "binary");
        let copy = tokio::task::spawn_blocking(move || {
            let copy = shelf.copy_of(&file, digest)?;
            let content = if is_program {
                None
            } else {
                let content = std::fs::read(&copy);
                Some(content.map_err(|source| ShelfError::Io { file, source })?)
            };
            Ok::<_, ShelfError>((copy, content))
        });
        match copy.await.map_err(|_| StartError::Stopping)?? {
            (program, None) => Ok(Code::Program(program)),
            (_, Some(component)) => self.component(spec, component).await,
        }
    }

    async fn component(&self, spec: &PluginSpec, content: Vec<u8>) -> Result<Code, StartError> {
        let deadline = self.bounds.verify_deadline;
        let component = self.components.load(spec, content, deadline).await?;
        Ok(Code::Component(component))
    }

    async fn start_and_admit(&self, version: &Version, code: Code) -> Result<Running, StartError> {
        let (spec, granted) = (&version.spec, &version.granted);
        let (body, client) = match code {
            Code::Program(program) => {
                let launch = Launch {
                    spec,
                    program,
                    socket: self.sockets.fresh().map_err(ProcessError::Spawn)?,
                    deadline: self.bounds.verify_deadline,
                    sandbox: &self.sandbox,
                };
                let (process, client) = Process::start(launch).await?;
                (Body::Process(Box::new(process)), Client::Process(client))
            }
            Code::Component(component) => {
                let log_dropped = component.log_dropped();
                (Body::Component(log_dropped), Client::Component(component))
            }
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
    /// What a process is locked up with; a component needs none.
    pub(super) fn sandbox(&self) -> Option<&Sandbox> {
        match &self.body {
            Body::Process(process) => Some(&process.sandbox),
            Body::Component(_) => None,
        }
    }

    /// Lines of it that were not logged, as a count that goes on.
    pub(super) fn log_dropped(&self) -> Arc<AtomicU64> {
        match &self.body {
            Body::Process(process) => Arc::clone(&process.log_dropped),
            Body::Component(log_dropped) => Arc::clone(log_dropped),
        }
    }

    /// Waits for the plugin to end by itself; says how.
    pub(super) async fn ended(&mut self) -> String {
        match &mut self.body {
            Body::Process(process) => process.ended().await,
            Body::Component(_) => std::future::pending().await,
        }
    }

    /// Ends the plugin.
    pub(super) async fn stop(self) {
        match self.body {
            Body::Process(process) => process.stop().await,
            Body::Component(_) => {}
        }
    }
}
