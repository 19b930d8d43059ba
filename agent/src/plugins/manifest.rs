//! `farmops-plugins.yaml`: which plugins run, from where, and what each may read.

mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use semver::VersionReq;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::source::PluginSource;
use crate::observation::SourceType;

/// Plugins one agent may run.
const PLUGINS_MAX: usize = 64;

/// Why the manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Unreadable, unknown key, wrong type.
    #[error("`plugins`: {0}")]
    Load(farmops_service::config::ConfigError),
    /// Two entries of one id.
    #[error("plugin `{0}` is listed twice: remove one entry")]
    Twice(String),
    /// An entry that cannot work.
    #[error("plugin `{plugin}`: `{key}`: {fix}")]
    Entry {
        /// The plugin.
        plugin: String,
        /// The key, with its path within the entry.
        key: String,
        /// What is wrong with it and what helps.
        fix: String,
    },
    /// More plugins than one agent may run.
    #[error("more than {PLUGINS_MAX} plugins: run a second agent for the rest")]
    TooMany,
}

/// One plugin of the manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSpec {
    /// `owner/name`, which the plugin must confirm.
    pub id: String,
    /// What the plugin's own version must satisfy.
    pub version: Option<VersionReq>,
    /// Where its code comes from.
    pub source: PluginSource,
    /// What it may read.
    pub grants: Vec<Grant>,
    /// Its own settings.
    pub config: Map<String, Value>,
    /// What it may use up.
    pub limits: PluginLimits,
}

/// The right to read one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The operator's name for the source.
    pub source: String,
    /// Which resources of Kubernetes, as `plural.group`; none for sources of other types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// In which namespaces; empty is all that the source watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
}

impl Grant {
    /// What both grant; `None` when that is nothing.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let both = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter()
                .filter(|name| other.contains(name))
                .cloned()
                .collect()
        };
        let resources = both(&self.resources, &other.resources);
        let namespaces = match (&*self.namespaces, &*other.namespaces) {
            ([], all) | (all, []) => all.to_vec(),
            // None in common is not the same as none named.
            (one, other) => Some(both(one, other)).filter(|both| !both.is_empty())?,
        };
        let of_resources = !self.resources.is_empty() || !other.resources.is_empty();
        let is_nothing = self.source != other.source || (of_resources && resources.is_empty());
        (!is_nothing).then(|| Self {
            source: self.source.clone(),
            resources,
            namespaces,
        })
    }
}

/// A source of the agent, as far as grants go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// Its type.
    pub source_type: SourceType,
    /// The namespaces that a cluster is watched in; empty is all.
    pub namespaces: Vec<String>,
}

impl From<SourceType> for KnownSource {
    fn from(source_type: SourceType) -> Self {
        Self {
            source_type,
            namespaces: Vec::new(),
        }
    }
}

/// The sources of the agent, by the operator's names for them.
pub type KnownSources = BTreeMap<String, KnownSource>;

/// What a plugin may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PluginLimits {
    /// Memory, in MiB: of a component its linear memory, of a process what it allocates.
    pub memory_mib: u32,
    /// Instructions that a component may execute over one observation.
    pub fuel: u64,
    /// Lines of a plugin that are logged in a minute; the rest is counted.
    pub log_lines: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            memory_mib: 64,
            fuel: 2_000_000_000,
            log_lines: 60,
        }
    }
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
    plugins: Vec<Entry>,
}

/// An entry as it is written.
#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    version: Option<VersionReq>,
    source: source::Written,
    #[serde(default)]
    grants: Vec<Grant>,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    limits: PluginLimits,
}

impl Manifest {
    /// Reads `file`; `sources` are those that the agent has.
    ///
    /// # Errors
    /// [`ManifestError`] names the plugin, the key and what helps.
    pub fn load(file: &Path, sources: &KnownSources) -> Result<Self, ManifestError> {
        let document: Document =
            farmops_service::config::load(Some(file), "FARMOPS_PLUGINS_", [], Value::Null)
                .map_err(ManifestError::Load)?;
        if document.plugins.len() > PLUGINS_MAX {
            return Err(ManifestError::TooMany);
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut ids = BTreeSet::new();
        let mut plugins = Vec::new();
        for entry in document.plugins {
            if !ids.insert(entry.id.clone()) {
                return Err(ManifestError::Twice(entry.id));
            }
            let id = entry.id.clone();
            let plugin = entry.checked(folder, sources);
            plugins.push(plugin.map_err(|(key, fix)| ManifestError::Entry {
                plugin: id,
                key,
                fix,
            })?);
        }
        Ok(Self { plugins })
    }

    /// Source → the plugins that read it.
    pub fn routes(&self) -> HashMap<String, Vec<String>> {
        let mut routes: HashMap<String, Vec<String>> = HashMap::new();
        for plugin in &self.plugins {
            for grant in &plugin.grants {
                routes
                    .entry(grant.source.clone())
                    .or_default()
                    .push(plugin.id.clone());
            }
        }
        routes
    }
}

/// A key and what helps.
type Fault = (String, String);

impl Entry {
    fn checked(self, folder: &Path, sources: &KnownSources) -> Result<PluginSpec, Fault> {
        let mut granted = BTreeSet::new();
        for (at, grant) in self.grants.iter().enumerate() {
            let key = |name: &str| format!("grants.{at}.{name}");
            if !granted.insert(&grant.source) {
                let fix = format!("`{}` is granted twice: join the two", grant.source);
                return Err((key("source"), fix));
            }
            check_grant(grant, sources).map_err(|(name, fix)| (key(name), fix))?;
        }
        let limits = self.limits;
        for (name, value, range) in [
            ("memory_mib", u64::from(limits.memory_mib), 8..=4096),
            ("fuel", limits.fuel, 1_000_000..=1_000_000_000_000),
            ("log_lines", u64::from(limits.log_lines), 0..=10_000),
        ] {
            if !range.contains(&value) {
                let fix = format!("{} to {}", range.start(), range.end());
                return Err((format!("limits.{name}"), fix));
            }
        }
        Ok(PluginSpec {
            source: self.source.checked(folder)?,
            id: self.id,
            version: self.version,
            grants: self.grants,
            config: self.config,
            limits,
        })
    }
}

fn check_grant(grant: &Grant, sources: &KnownSources) -> Result<(), (&'static str, String)> {
    let name = &grant.source;
    let Some(known) = sources.get(name) else {
        let known: Vec<&str> = sources.keys().map(String::as_str).collect();
        let fix = format!(
            "there is no source `{name}`; the agent's configuration has: {}",
            known.join(", ")
        );
        return Err(("source", fix));
    };
    let is_kubernetes = known.source_type == SourceType::Kubernetes;
    if is_kubernetes && grant.resources.is_empty() {
        let fix = format!("name what it may read of `{name}`, for example [deployments.apps]");
        return Err(("resources", fix));
    }
    let named = [
        ("resources", &grant.resources),
        ("namespaces", &grant.namespaces),
    ];
    for (key, names) in named {
        if !is_kubernetes && !names.is_empty() {
            let fix = format!("goes with a kubernetes source, and `{name}` is none: remove it");
            return Err((key, fix));
        }
        let different: BTreeSet<&String> = names.iter().collect();
        if different.len() != names.len() || names.iter().any(String::is_empty) {
            return Err((key, "name each one once".to_owned()));
        }
    }
    if grant.resources.iter().any(|resource| resource == "secrets") {
        return Err(("resources", "secrets are never read: remove it".to_owned()));
    }
    let watched = &known.namespaces;
    let unwatched = |namespace: &&String| !watched.is_empty() && !watched.contains(*namespace);
    if let Some(namespace) = grant.namespaces.iter().find(unwatched) {
        let fix = format!(
            "`{name}` does not watch the namespace {namespace}: add it to the source, or name one of {}",
            watched.join(", ")
        );
        return Err(("namespaces", fix));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
