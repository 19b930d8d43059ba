//! What `serve` is in a build for WebAssembly: there is no process, the component is in the library.

use crate::Plugin;

/// Why the program does nothing.
#[derive(Debug, thiserror::Error)]
#[error("this program was built for WebAssembly; the component is the library beside it")]
pub struct ServeError;

/// Refuses: a component is called by the agent, not run.
///
/// # Errors
/// Always.
pub fn serve(plugin: impl Plugin) -> Result<(), ServeError> {
    drop(plugin);
    Err(ServeError)
}
