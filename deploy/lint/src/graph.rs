//! The dependency graph as `cargo metadata` resolves it for this platform.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What an edge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Linked into the product.
    Normal,
    /// Used by a build script.
    Build,
    /// Used by tests, benches and examples only.
    Dev,
}

/// One package of the resolved graph.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name in its manifest.
    pub name: String,
    /// Its resolved version.
    pub version: String,
    /// The SPDX expression of its manifest, if it states one.
    pub licence: Option<String>,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// Whether it is a member of this workspace.
    pub member: bool,
    /// The packages it uses, by id, with what for.
    pub uses: Vec<(String, Kind)>,
}

/// All packages by cargo's package id.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The packages.
    pub packages: BTreeMap<String, Package>,
}

impl Graph {
    /// Asks cargo for the graph of the workspace at `root`.
    ///
    /// # Errors
    /// When cargo cannot be run or refuses.
    pub fn load(root: &Path) -> Result<Self> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let output = Command::new(cargo)
            .current_dir(root)
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", &host])
            .output()
            .context("run cargo metadata")?;
        if !output.status.success() {
            bail!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Self::parse(&serde_json::from_slice(&output.stdout)?)
    }

    /// Reads the document that `cargo metadata --format-version 1` prints.
    ///
    /// # Errors
    /// When a member that cargo always prints is missing.
    pub fn parse(document: &Value) -> Result<Self> {
        let members: BTreeSet<&str> = array(document, "workspace_members")?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut packages = BTreeMap::new();
        for package in array(document, "packages")? {
            let id = text(package, "id")?;
            let manifest = PathBuf::from(text(package, "manifest_path")?);
            packages.insert(
                id.to_owned(),
                Package {
                    name: text(package, "name")?.to_owned(),
                    version: text(package, "version")?.to_owned(),
                    licence: package["license"].as_str().map(str::to_owned),
                    folder: manifest.parent().unwrap_or(&manifest).to_owned(),
                    member: members.contains(id),
                    uses: Vec::new(),
                },
            );
        }
        for node in array(&document["resolve"], "nodes")? {
            let Some(package) = packages.get_mut(text(node, "id")?) else {
                continue;
            };
            for dependency in array(node, "deps")? {
                for kind in array(dependency, "dep_kinds")? {
                    let kind = match kind["kind"].as_str() {
                        Some("dev") => Kind::Dev,
                        Some("build") => Kind::Build,
                        _ => Kind::Normal,
                    };
                    package
                        .uses
                        .push((text(dependency, "pkg")?.to_owned(), kind));
                }
            }
        }
        Ok(Self { packages })
    }

    /// The workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.member)
    }

    /// What `package` names in its own manifest.
    pub fn direct<'a>(
        &'a self,
        package: &'a Package,
    ) -> impl Iterator<Item = (&'a Package, Kind)> + 'a {
        package
            .uses
            .iter()
            .filter_map(|(id, kind)| Some((self.packages.get(id)?, *kind)))
    }

    /// Every package linked into or built for `package`, however far away; dev edges are not followed.
    #[must_use]
    pub fn reach<'a>(&'a self, package: &'a Package) -> BTreeMap<&'a str, &'a Package> {
        let mut seen = BTreeMap::new();
        let mut queue = VecDeque::from([package]);
        while let Some(package) = queue.pop_front() {
            for (dependency, kind) in self.direct(package) {
                if kind != Kind::Dev && seen.insert(dependency.name.as_str(), dependency).is_none()
                {
                    queue.push_back(dependency);
                }
            }
        }
        seen
    }

    /// The versions of each package name.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for package in self.packages.values() {
            versions
                .entry(&package.name)
                .or_default()
                .insert(&package.version);
        }
        versions
    }
}

fn array<'a>(value: &'a Value, member: &str) -> Result<&'a Vec<Value>> {
    value[member]
        .as_array()
        .with_context(|| format!("cargo metadata has no list `{member}`"))
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value[member]
        .as_str()
        .with_context(|| format!("cargo metadata has no text `{member}`"))
}

/// Small graphs for the rules' tests.
#[cfg(test)]
pub(crate) mod sketch {
    use super::{Graph, Kind, Package};

    /// A graph from `("member", "licence", &["dep"])` rows; names starting with `farmops-` are members.
    pub(crate) fn graph(rows: &[(&str, &str, &[&str])]) -> Graph {
        let mut graph = Graph::default();
        for (name, licence, uses) in rows {
            graph.packages.insert(
                (*name).to_owned(),
                Package {
                    name: (*name).to_owned(),
                    version: "1.0.0".to_owned(),
                    licence: Some((*licence).to_owned()),
                    folder: name.into(),
                    member: name.starts_with("farmops-"),
                    uses: uses
                        .iter()
                        .map(|used| ((*used).to_owned(), Kind::Normal))
                        .collect(),
                },
            );
        }
        graph
    }
}
