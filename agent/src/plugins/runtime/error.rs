//! Why plugins cannot be loaded or exchanged, told so that an operator can mend it.

use crate::plugins::SocketError;
use crate::plugins::manifest::ManifestError;

/// Why the plugins cannot be (re)loaded.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no place for the sockets.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Plugins that did not pass; all stays as it was.
    #[error("nothing was changed: {}", list(.0))]
    Refused(Vec<RefusedPlugin>),
    /// No such plugin.
    #[error("there is no plugin `{0}`")]
    NoSuchPlugin(String),
    /// Nothing to go back to.
    #[error("plugin `{0}` has no version before this one since the agent started")]
    NoPrevious(String),
    /// The reload itself was cut short.
    #[error("the agent is stopping")]
    Stopping,
}

/// A plugin that did not pass.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RefusedPlugin {
    /// Its id.
    pub plugin: String,
    /// Why, and what helps.
    pub reason: String,
}

fn list(refused: &[RefusedPlugin]) -> String {
    let lines = refused
        .iter()
        .map(|refused| list_refused(&refused.plugin, &refused.reason));
    lines.collect::<Vec<_>>().join("; ")
}

/// How a plugin that did not pass is spoken of.
pub(crate) fn list_refused(plugin: &str, reason: &str) -> String {
    format!("plugin `{plugin}`: {reason}")
}
