//! `farmops-agent plugins replay`: a recorded observation judged again, to the byte and the instruction.

use std::path::{Path, PathBuf};

use farmops_component::replay::ReplayError as JudgeError;
use farmops_component::{Bounds, Cache, Compiler, Component, Engine, LoadError, Recording};
use serde_json::json;

use super::component::compiler_beside;

/// Why a replay fails.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A file.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The recording.
    #[error("{file} is no recording: {source}")]
    Recording {
        /// The file.
        file: PathBuf,
        /// Where it is wrong.
        source: serde_json::Error,
    },
    /// This machine cannot run any.
    #[error("this machine cannot run WebAssembly: {0}")]
    Engine(String),
    /// The component.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The judgement.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// It is not what it was.
    #[error("not the same as recorded:\n  {}", .0.join("\n  "))]
    Differs(Vec<String>),
}

/// Judges the observation in `recording` by the component in `component`, and holds the outcome against the
/// recorded one. A recording without one gets it. Gives the outcome as JSON.
///
/// # Errors
/// [`ReplayError::Differs`] and whatever keeps it from being judged.
pub fn replay(recording: &Path, component: &Path) -> Result<String, ReplayError> {
    let read = |file: &Path| {
        std::fs::read(file).map_err(|source| ReplayError::File {
            file: file.to_owned(),
            source,
        })
    };
    let unreadable = |source| ReplayError::Recording {
        file: recording.to_owned(),
        source,
    };
    let mut recorded: Recording = serde_json::from_slice(&read(recording)?).map_err(unreadable)?;
    let bytes = read(component)?;
    let engine = Engine::new().map_err(|error| ReplayError::Engine(format!("{error:#}")))?;
    // Compiled anew and kept nowhere: a replay trusts no cache.
    let cache = Cache::nowhere();
    let compiler = Compiler::new(compiler_beside());
    let component = Component::load(
        &engine,
        &cache,
        &compiler,
        &bytes,
        "replay",
        Bounds::default(),
    )?;
    let outcome = recorded.judge(&component)?;
    if let Some(before) = &recorded.outcome {
        let differences = before.differences(&outcome);
        if !differences.is_empty() {
            return Err(ReplayError::Differs(differences));
        }
    } else {
        recorded.outcome = Some(outcome.clone());
        let text = format!("{:#}\n", json!(recorded));
        std::fs::write(recording, text).map_err(|source| ReplayError::File {
            file: recording.to_owned(),
            source,
        })?;
    }
    Ok(format!("{:#}", json!(outcome)))
}
