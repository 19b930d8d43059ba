//! What can go wrong with a cluster.

use std::{io, path::PathBuf};

/// What can go wrong; for a test to panic with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programs have not been built on this machine.
    #[error("there is no Kubernetes for tests in {}; run `make testbed`", .0.display())]
    Missing(PathBuf),
    /// Neither `XDG_CACHE_HOME` nor `HOME` is set.
    #[error("neither XDG_CACHE_HOME nor HOME says where the programs are")]
    NoHome,
    /// `kubectl` or `helm` answered with an error.
    #[error("{command} failed: {said}")]
    Failed {
        /// What was run.
        command: String,
        /// What it said on standard error.
        said: String,
    },
    /// A server ended early or was not ready in time.
    #[error("{server} is not up: {said}")]
    NotUp {
        /// Its program.
        server: &'static str,
        /// The end of its log.
        said: String,
    },
    /// The key of service accounts could not be made.
    #[error("the key of service accounts")]
    Key(#[from] rcgen::Error),
    /// A file or a process could not be used.
    #[error(transparent)]
    Io(#[from] io::Error),
}
