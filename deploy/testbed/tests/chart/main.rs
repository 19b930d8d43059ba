//! The agent's Helm chart, with the real Helm: what it renders, what it refuses, and what becomes of it in a cluster.
//!
//! The values under `ci/` of the chart are those of a least, a whole, a narrow, a doubled and an outside agent.
#![allow(clippy::unwrap_used)]

mod installing;
mod refusing;
mod rendering;

use std::{
    fs,
    path::{Path, PathBuf},
};

use farmops_testbed::{Error, Program};
use serde_json::Value;

/// The namespace that everything is rendered for.
const NAMESPACE: &str = "farmops";
/// What an observer may do.
const READING: [&str; 3] = ["get", "list", "watch"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn chart() -> PathBuf {
    root().join("deploy/helm/farmops-agent")
}

fn values(name: &str) -> PathBuf {
    chart().join("ci").join(name).with_extension("yaml")
}

/// Every set of values, by name.
fn sets() -> Vec<String> {
    let mut sets: Vec<String> = fs::read_dir(chart().join("ci"))
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            path.file_stem().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    sets.sort();
    assert_eq!(
        sets,
        ["everything", "least", "namespaced", "outside", "standby"]
    );
    sets
}

/// The manifests as text.
fn rendered(set: &str, more: &[&str]) -> Result<String, Error> {
    let (chart, values) = (chart(), values(set));
    let fixed = [
        "template",
        "one",
        chart.to_str().unwrap(),
        "--namespace",
        NAMESPACE,
        "--values",
        values.to_str().unwrap(),
    ];
    Program::Helm.run(fixed.iter().chain(more))
}

fn documents(yaml: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect()
}

fn of_kind<'a>(documents: &'a [Value], kind: &str) -> Vec<&'a Value> {
    documents
        .iter()
        .filter(|document| document["kind"] == kind)
        .collect()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

/// What the rules of a role name, as `deployments.apps`.
fn resources(role: &Value) -> Vec<String> {
    let mut resources = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for plural in texts(&rule["resources"]) {
                let dot = if group.is_empty() { "" } else { "." };
                resources.push(format!("{plural}{dot}{group}"));
            }
        }
    }
    resources.sort();
    resources
}
