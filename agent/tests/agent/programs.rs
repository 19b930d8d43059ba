//! The plugins' programs, beside the agent's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::SystemTime;

const PLUGINS: [&str; 2] = [
    "farmops-plugin-git-pr-review",
    "farmops-plugin-prometheus-alert-resolve",
];

/// The folder with the programs. Cargo builds only this crate's own for a test, so the plugins are
/// built here when they are missing or older than their source.
pub(crate) fn folder() -> PathBuf {
    static BUILD: Once = Once::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .parent()
        .unwrap();
    BUILD.call_once(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let source = newest(&root.join("plugins"));
        let fresh = |name: &&str| {
            let built = std::fs::metadata(folder.join(name)).and_then(|m| m.modified());
            built.is_ok_and(|built| built >= source)
        };
        if PLUGINS.iter().all(fresh) {
            return;
        }
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(root).args(["build", "--quiet"]);
        for name in PLUGINS {
            build.args(["-p", name]);
        }
        assert!(build.status().unwrap().success());
    });
    folder.to_owned()
}

/// When anything under `folder` was changed last.
fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                newest(&entry.path())
            } else {
                entry.metadata().unwrap().modified().unwrap()
            }
        })
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
