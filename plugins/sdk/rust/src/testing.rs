//! A plugin over recorded observations: one JSON file is one observation, the settings and the verdict.
//!
//! ```json
//! {"about": "why this one is there", "settings": {}, "observation": {…}, "verdict": {"rejected": "…"}, "bytes": "…"}
//! ```
//!
//! Write `about`, `settings` and `observation`; `UPDATE=1 cargo test` fills in `verdict` and `bytes`, which
//! are then read by a person and committed. `bytes` is [`Verdict::to_bytes`] in hex.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::recorded::{RecordedObservation, hex, verdict_json};
use crate::{Plugin, Verdict};

/// One recorded judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Why it is there.
    pub about: String,
    /// The operator's settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// What was observed.
    pub observation: RecordedObservation,
    /// What the plugin makes of it.
    #[serde(default)]
    pub verdict: Value,
    /// The verdict's canonical bytes in hex.
    #[serde(default)]
    pub bytes: String,
}

impl Case {
    /// Whether `verdict` is the recorded one, to the byte.
    ///
    /// # Errors
    /// Both, to compare by eye.
    pub fn check(&self, verdict: &Verdict) -> Result<(), String> {
        if hex(&verdict.to_bytes()) == self.bytes {
            return Ok(());
        }
        let (expected, found) = (&self.verdict, verdict_json(verdict));
        Err(format!("expected {expected:#}\nfound {found:#}"))
    }

    fn record(&mut self, verdict: &Verdict) {
        self.verdict = verdict_json(verdict);
        self.bytes = hex(&verdict.to_bytes());
    }
}

/// The cases in the JSON files of `folder`, by name.
///
/// # Panics
/// When there are none, or one can not be read: a test can not go on.
#[must_use]
pub fn cases(folder: impl AsRef<Path>) -> Vec<(PathBuf, Case)> {
    let folder = folder.as_ref();
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no JSON file", folder.display());
    let read = |path: PathBuf| {
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let case = serde_json::from_slice(&text);
        let case = case.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, case)
    };
    paths.into_iter().map(read).collect()
}

/// Judges every case in `folder` with a fresh `P`, twice, and compares. With `UPDATE=1` in the
/// environment it writes what it finds into the files instead.
///
/// # Panics
/// With what differs.
pub fn run<P: Plugin + Default>(folder: impl AsRef<Path>) {
    for (path, mut case) in cases(folder) {
        let place = path.display();
        let observation = case
            .observation
            .to_observation()
            .unwrap_or_else(|error| panic!("{place}: observation: {error}"));
        let judge = || {
            let mut plugin = P::default();
            plugin
                .configure(&Value::Object(case.settings.clone()))
                .unwrap_or_else(|error| panic!("{place}: settings: {error}"));
            plugin.verify(&observation)
        };
        let verdict = judge();
        assert_eq!(judge(), verdict, "{place}: two runs, two verdicts");
        check_declared(&P::default(), &verdict, &path);
        if std::env::var_os("UPDATE").is_some() {
            case.record(&verdict);
            let text = format!("{:#}\n", serde_json::json!(case));
            std::fs::write(&path, text).unwrap_or_else(|error| panic!("{place}: {error}"));
        } else if let Err(difference) = case.check(&verdict) {
            panic!("{place} ({}): {difference}", case.about);
        }
    }
}

/// A verdict names only what the plugin declares: the agent makes no proof from anything else.
fn check_declared(plugin: &impl Plugin, verdict: &Verdict, path: &Path) {
    let Some(finding) = verdict.finding() else {
        return;
    };
    let (description, place) = (plugin.describe(), path.display());
    let template = description
        .template(&finding.template)
        .unwrap_or_else(|| panic!("{place}: template `{}` is not declared", finding.template));
    if let Err(error) = template.render(&finding.numbers, &finding.words) {
        panic!("{place}: {error}");
    }
    let declared = finding
        .subcategory
        .as_ref()
        .is_none_or(|word| description.subcategories.contains(word));
    assert!(
        declared && description.categories.contains(&finding.category),
        "{place}: category or subcategory is not declared"
    );
}
