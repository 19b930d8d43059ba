//! Where the programs are that `deploy/testbed/build` leaves.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::Error;

/// The same file names the folder for the script that fills it.
const VERSION: &str = include_str!("../version");

/// The folder of the programs, if they are there.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")))
        .ok_or(Error::NoHome)?;
    let place = cache
        .join("farmops")
        .join(format!("testbed-{}", VERSION.trim()));
    // It appears whole or not at all.
    if place.exists() {
        Ok(place.join("bin"))
    } else {
        Err(Error::Missing(place))
    }
}

/// A client that tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `kubectl` 1.37.1.
    Kubectl,
    /// Helm 4.3.1.
    Helm,
}

impl Program {
    /// A command that knows no cluster: `helm lint`, `helm template`.
    ///
    /// # Errors
    /// [`Error::Missing`] and [`Error::NoHome`].
    pub fn command(self) -> Result<Command, Error> {
        let name = match self {
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        };
        let mut command = Command::new(folder()?.join(name));
        // What the developer set for clusters of theirs is not meant for these.
        for variable in ["KUBECONFIG", "HELM_NAMESPACE", "HELM_KUBECONTEXT"] {
            command.env_remove(variable);
        }
        command.env("KUBECONFIG", "/dev/null");
        Ok(command)
    }

    /// Runs a command that knows no cluster; answers what it printed.
    ///
    /// # Errors
    /// [`Error::Failed`] with what it said, and those of [`Self::command`].
    pub fn run(
        self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String, Error> {
        let mut command = self.command()?;
        let output = command.args(arguments).output()?;
        printed(&command, &output)
    }
}

/// What a command that succeeded printed.
pub(crate) fn printed(command: &Command, output: &Output) -> Result<String, Error> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let program = Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    Err(Error::Failed {
        command: line,
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
