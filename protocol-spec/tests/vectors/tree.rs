//! The files under `vectors/` and the clauses under `docs/`, as tests read them.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

/// One file. A member that no test reads is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) clause: String,
    pub(crate) title: String,
    pub(crate) input: Value,
    pub(crate) expect: Value,
    pub(crate) structural: Option<bool>,
}

/// `valid/chain/three-proofs.json`, taken apart.
pub(crate) struct VectorPath {
    pub(crate) verdict: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl fmt::Display for VectorPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.verdict, self.kind, self.name)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every vector; a file that is none fails.
pub(crate) fn vectors() -> Vec<(VectorPath, Vector)> {
    let base = root().join("vectors");
    files(&base)
        .into_iter()
        .map(|file| {
            let relative = file
                .strip_prefix(&base)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let parts: Vec<&str> = relative.split('/').collect();
            let [verdict @ ("valid" | "invalid"), kind, name] = parts[..] else {
                panic!("{relative}: nobody reads a file at this place");
            };
            assert!(
                name.strip_suffix(".json").is_some(),
                "{relative}: not a .json file"
            );
            let path = VectorPath {
                verdict: verdict.into(),
                kind: kind.into(),
                name: name.into(),
            };
            let vector = serde_json::from_str(&fs::read_to_string(&file).unwrap())
                .unwrap_or_else(|e| panic!("{relative}: {e}"));
            (path, vector)
        })
        .collect()
}

/// Every file below `folder`, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The ids of all clauses: `**PRF-CHAIN-003 (MUST)**` at the start of a line.
pub(crate) fn clauses() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for file in files(&root().join("docs")) {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some(clause) = line.strip_prefix("**").and_then(|l| l.split_once("**")) else {
                continue;
            };
            let (id, force) = clause.0.split_once(' ').unwrap_or((clause.0, ""));
            let forces = ["(MUST)", "(MUST NOT)", "(SHOULD)", "(SHOULD NOT)", "(MAY)"];
            assert!(forces.contains(&force), "{}: {line}", file.display());
            assert!(ids.insert(id.to_owned()), "{id} is defined twice");
        }
    }
    ids
}
