//! A look at every plugin of a manifest, beside an agent or without one: each is started, asked who it is,
//! held against the manifest, and ended.

use std::path::{Path, PathBuf};

use farmops_plugin::Description;
use futures::StreamExt as _;
use uuid::Uuid;

use super::component::Components;
use super::manifest::{KnownSources, Manifest, PluginSpec};
use super::running::{Starter, Version};
use super::shelf::Shelf;
use super::socket::{SocketFolder, make_private};
use super::{RuntimeBounds, RuntimeError, SocketError};
use crate::sandbox::SandboxConfig;

/// Plugins that are started at once.
const AT_ONCE: usize = 4;

/// What became of one plugin.
#[derive(Debug)]
pub struct Inspected {
    /// As the manifest has it.
    pub spec: PluginSpec,
    /// What it says of itself, or why it would not run. The text is for the operator.
    pub outcome: Result<Description, String>,
}

/// Looks at every plugin of `manifest`, in its order; `sources` are those that the agent has.
///
/// # Errors
/// [`RuntimeError`] when the manifest itself is wrong or there is no place to work in.
pub async fn inspect(
    manifest: &Path,
    sources: &KnownSources,
    sandbox: &SandboxConfig,
) -> Result<Vec<Inspected>, RuntimeError> {
    let manifest = Manifest::load(manifest, sources)?;
    // A place of its own: the agent at work has the data folder.
    let place = Place::make()?;
    let bounds = RuntimeBounds::default();
    let starter = Starter {
        sockets: SocketFolder::make(&place.0)?,
        shelf: Shelf::new(&place.0),
        components: Components::new(&place.0, &rand::random(), None),
        bounds,
        sandbox: sandbox.clone(),
    };
    let looks = manifest.plugins.into_iter().map(|spec| async {
        let version = Version::new(spec, sources);
        let outcome = match starter.start(&version).await {
            Ok(running) => {
                let description = running.description.clone();
                running.stop().await;
                Ok(description)
            }
            Err(error) => Err(error.to_string()),
        };
        let spec = version.spec;
        Inspected { spec, outcome }
    });
    Ok(futures::stream::iter(looks)
        .buffered(AT_ONCE)
        .collect()
        .await)
}

/// A folder that goes with this value.
struct Place(PathBuf);

impl Place {
    fn make() -> Result<Self, SocketError> {
        let path = std::env::temp_dir().join(format!("farmops-{}", Uuid::new_v4().simple()));
        make_private(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It is in the system's temporary folder; what is left there is swept by the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
