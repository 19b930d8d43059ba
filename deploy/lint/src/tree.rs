//! The files of the repository, without what builds and runs leave behind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::source::SourceFile;

const SKIPPED: &[&str] = &["target", ".git", ".demo", "node_modules"];

/// The workspace's root, two folders above this crate.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Every text file below `root` as (path with `/`, text), in order of path.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn texts(root: &Path) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    walk(root, &mut paths)?;
    paths.sort();
    let mut texts = Vec::new();
    for path in paths {
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        if let Ok(text) = String::from_utf8(bytes) {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            texts.push((relative.to_string_lossy().replace('\\', "/"), text));
        }
    }
    Ok(texts)
}

/// The Rust files among `texts`.
#[must_use]
pub fn sources(texts: &[(String, String)]) -> Vec<SourceFile> {
    texts
        .iter()
        .filter(|(path, _)| ends(path, "rs"))
        .map(|(path, text)| SourceFile::new(path, text))
        .collect()
}

/// Whether `path` has this extension.
#[must_use]
pub fn ends(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|end| end == extension)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}
