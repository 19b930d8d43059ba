//! `farmops-plugins.yaml`: which plugins run, from where, and what each may read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::observation::SourceType;

/// Plugins one agent may run.
const PLUGINS_MAX: usize = 64;

/// Why the manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Unreadable, unknown key, wrong type.
    #[error(transparent)]
    Load(#[from] farmops_service::config::ConfigError),
    /// Two entries of one id.
    #[error("plugin `{0}` is listed twice")]
    Twice(String),
    /// A grant of something that the agent's configuration does not have.
    #[error("plugin `{plugin}`: there is no source `{name}`")]
    NoSuchSource {
        /// The plugin.
        plugin: String,
        /// The source as written.
        name: String,
    },
    /// No such program.
    #[error("plugin `{plugin}`: there is no program {binary}")]
    NoSuchProgram {
        /// The plugin.
        plugin: String,
        /// The program as written.
        binary: PathBuf,
    },
    /// More plugins than one agent may run.
    #[error("more than {PLUGINS_MAX} plugins")]
    TooMany,
}

/// One plugin of the manifest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PluginSpec {
    /// `owner/name`, which the program must confirm.
    pub id: String,
    /// The program.
    pub binary: PathBuf,
    /// Names of the sources it may read.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Its own settings.
    #[serde(default)]
    pub config: Map<String, Value>,
}

/// A manifest that holds together.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its plugins.
    pub plugins: Vec<PluginSpec>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    plugins: Vec<PluginSpec>,
}

impl Manifest {
    /// Reads `file`; `sources` are those that the agent has.
    pub fn load(
        file: &Path,
        sources: &BTreeMap<String, SourceType>,
    ) -> Result<Self, ManifestError> {
        let document: Document =
            farmops_service::config::load(Some(file), "FARMOPS_PLUGINS_", [], Value::Null)?;
        let mut plugins = document.plugins;
        if plugins.len() > PLUGINS_MAX {
            return Err(ManifestError::TooMany);
        }
        let mut ids = BTreeSet::new();
        for plugin in &mut plugins {
            if !ids.insert(plugin.id.clone()) {
                return Err(ManifestError::Twice(plugin.id.clone()));
            }
            if let Some(name) = plugin.sources.iter().find(|s| !sources.contains_key(*s)) {
                return Err(ManifestError::NoSuchSource {
                    plugin: plugin.id.clone(),
                    name: name.clone(),
                });
            }
            let found = find(&plugin.binary, file.parent().unwrap_or(Path::new(".")));
            plugin.binary = found.ok_or_else(|| ManifestError::NoSuchProgram {
                plugin: plugin.id.clone(),
                binary: plugin.binary.clone(),
            })?;
        }
        Ok(Self { plugins })
    }

    /// Source → the plugins that read it.
    pub fn routes(&self) -> HashMap<String, Vec<String>> {
        let mut routes: HashMap<String, Vec<String>> = HashMap::new();
        for plugin in &self.plugins {
            for source in &plugin.sources {
                routes
                    .entry(source.clone())
                    .or_default()
                    .push(plugin.id.clone());
            }
        }
        routes
    }
}

/// A bare name is looked for beside this program, anything else relative to the manifest.
fn find(binary: &Path, folder: &Path) -> Option<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(binary)))
        .filter(|_| binary.components().count() == 1);
    let candidates = beside.into_iter().chain([folder.join(binary)]);
    candidates
        .filter_map(|path| path.canonicalize().ok())
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(yaml: &str) -> Result<Manifest, ManifestError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("farmops-plugins.yaml");
        std::fs::write(&file, yaml).unwrap();
        std::fs::write(folder.path().join("reader"), "").unwrap();
        let sources = BTreeMap::from([("github".to_owned(), SourceType::Github)]);
        Manifest::load(&file, &sources)
    }

    #[test]
    fn a_manifest_says_who_reads_what() {
        let manifest = load(
            "plugins:\n  - {id: a/b, binary: ./reader, sources: [github], config: {deep: {n: 1}}}\n  - {id: a/c, binary: reader}\n",
        )
        .unwrap();
        assert_eq!(manifest.routes()["github"], ["a/b"]);
        assert_eq!(manifest.plugins[0].config["deep"]["n"], 1);
        assert!(manifest.plugins[1].binary.is_absolute());
    }

    #[test]
    fn what_cannot_work_is_named() {
        let plugin = |rest: &str| load(&format!("plugins: [{{id: a/b, binary: reader{rest}}}]"));
        let error = plugin(", sources: [gitlab]").unwrap_err();
        assert!(matches!(error, ManifestError::NoSuchSource { .. }));
        let error = plugin(", binry: x").unwrap_err().to_string();
        assert!(error.contains("binary"), "{error}");
        let error = load("plugins: [{id: a/b, binary: other}]").unwrap_err();
        assert!(matches!(error, ManifestError::NoSuchProgram { .. }));
        let twice = "plugins: [{id: a/b, binary: reader}, {id: a/b, binary: reader}]";
        assert!(matches!(load(twice).unwrap_err(), ManifestError::Twice(_)));
    }
}
