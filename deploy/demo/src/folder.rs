//! The demo's folder: what is kept where, and what a later run must find unchanged.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// The file that marks a folder as the demo's own.
const PLAN: &str = "demo.json";

/// What is decided at the first run and kept: names of actors contain the ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Who listens where.
    pub ports: Ports,
    /// The secret that GitHub's webhooks are signed with.
    pub webhook_secret: String,
    /// The token that Alertmanager's webhooks carry.
    pub alert_token: String,
}

/// The folder with its plan.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its absolute path.
    pub path: PathBuf,
    /// What its first run decided.
    pub plan: Plan,
}

impl Folder {
    /// Opens the folder, with a new plan if it has none; `fresh` forgets an earlier run.
    ///
    /// # Errors
    /// When the folder belongs to something else, its ports are in use, or files cannot be written.
    pub fn open(path: &Path, fresh: bool) -> Result<Self> {
        if fresh {
            forget(path)?;
        }
        std::fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        let path = path.canonicalize()?;
        let file = path.join(PLAN);
        let plan = if file.exists() {
            let plan: Plan = serde_json::from_slice(&std::fs::read(&file)?)
                .with_context(|| file.display().to_string())?;
            if let Some(port) = plan.ports.busy() {
                bail!(
                    "port {port} of the demo in {} is in use; stop what listens there, or start over with --fresh",
                    path.display()
                );
            }
            plan
        } else {
            let plan = Plan {
                ports: Ports::choose()?,
                webhook_secret: secret(),
                alert_token: secret(),
            };
            std::fs::write(&file, serde_json::to_vec_pretty(&plan)?)?;
            plan
        };
        std::fs::create_dir_all(path.join("logs"))?;
        Ok(Self { path, plan })
    }

    /// Where the programs' output goes.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The folder of one program, made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn of(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path.join(name);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }
}

/// Removes the folder of an earlier run, and only that.
fn forget(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let is_ours = path.join(PLAN).exists();
    let is_empty = path.read_dir()?.next().is_none();
    if !is_ours && !is_empty {
        bail!("{} is not a folder of the demo", path.display());
    }
    std::fs::remove_dir_all(path).with_context(|| path.display().to_string())
}

fn secret() -> String {
    hex::encode(rand::rng().random::<[u8; 24]>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_second_run_finds_the_same_plan_and_a_fresh_one_another() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("demo");
        let first = Folder::open(&path, false).unwrap().plan;
        assert_eq!(Folder::open(&path, false).unwrap().plan, first);
        assert_ne!(Folder::open(&path, true).unwrap().plan, first);
    }

    #[test]
    fn somebody_elses_folder_is_not_removed() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("letter.txt"), "dear").unwrap();
        assert!(Folder::open(home.path(), true).is_err());
        assert!(home.path().join("letter.txt").exists());
    }
}
