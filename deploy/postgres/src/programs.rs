//! Where PostgreSQL's programs are, and who runs them.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

/// Where Debian keeps each version's programs.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Whom root becomes, the first that there is: PostgreSQL refuses to run as root.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// The folder of the newest `postgres` under Debian's, or on the path.
pub(crate) fn folder() -> Result<PathBuf, Error> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&on_path))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
        .ok_or(Error::Missing)
}

/// The user that root becomes for `folder`; nobody else has to become anyone.
pub(crate) fn other_user(folder: &Path) -> Result<Option<&'static str>, Error> {
    // What we have just made belongs to who we are.
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let known = |user: &&str| {
        accounts
            .lines()
            .any(|line| line.split(':').next() == Some(*user))
    };
    USERS.into_iter().find(known).map(Some).ok_or(Error::NoUser)
}

/// A command that runs as `user`.
pub(crate) fn command(user: Option<&str>, program: &Path) -> Command {
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={user}"))
                .args(["--regid=nogroup", "--clear-groups", "--"])
                .arg(program);
            command
        }
    };
    command.env("LC_ALL", "C").current_dir("/");
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        command: format!("{command:?}"),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
