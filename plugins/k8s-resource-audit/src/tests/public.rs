//! Our audit beside those of Polaris and `KubeLinter`, on their own test files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::audit::{Rule, Runs, audit};

/// Their checks, and the rules of ours that look at the same.
const CHECKS: &[(&str, &[Rule])] = &[
    ("automountServiceAccountToken", &[Rule::MountedToken]),
    ("cpuRequestsMissing", &[Rule::CpuRequest]),
    ("dangerousCapabilities", &[Rule::DangerousCapability]),
    ("hostNetworkSet", &[Rule::HostNetwork]),
    ("hostPIDSet", &[Rule::HostPid]),
    ("hostPathSet", &[Rule::HostPath, Rule::SensitiveHostPath]),
    ("hostPortSet", &[Rule::HostPort]),
    ("insecureCapabilities", &[Rule::KeptCapabilities]),
    ("notReadOnlyRootFilesystem", &[Rule::WritableRootFilesystem]),
    ("privilegeEscalationAllowed", &[Rule::PrivilegeEscalation]),
    ("runAsPrivileged", &[Rule::Privileged]),
    ("runAsRootAllowed", &[Rule::MayRunAsRoot, Rule::RunsAsRoot]),
    ("tagNotSpecified", &[Rule::FloatingTag]),
    ("automount-service-account-token", &[Rule::MountedToken]),
    ("drop-net-raw-capability", &[Rule::DangerousCapability]),
    ("host-ipc", &[Rule::HostIpc]),
    ("latest-tag", &[Rule::FloatingTag]),
    ("no-liveness-probe", &[Rule::LivenessProbe]),
    ("no-read-only-root-fs", &[Rule::WritableRootFilesystem]),
    (
        "privilege-escalation-container",
        &[Rule::PrivilegeEscalation],
    ),
    ("privileged-container", &[Rule::Privileged]),
    ("run-as-non-root", &[Rule::MayRunAsRoot, Rule::RunsAsRoot]),
    ("sensitive-host-mounts", &[Rule::SensitiveHostPath]),
    (
        "unset-cpu-requirements",
        &[Rule::CpuRequest, Rule::CpuLimit],
    ),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every file below a folder, as paths from `fixtures`.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let from_fixtures = path.strip_prefix(fixtures()).unwrap();
            found.push(from_fixtures.to_str().unwrap().to_owned());
        }
    }
    found
}

fn word(passes: bool) -> &'static str {
    if passes { "pass" } else { "fail" }
}

/// What they and we say of each object in a file: name, their word, ours.
fn opinions(file: &str) -> Vec<(String, &'static str, &'static str)> {
    let text = std::fs::read_to_string(fixtures().join(file)).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let parts: Vec<&str> = file.split('/').collect();
    let check = parts[1].split('.').next().unwrap();
    let rules = CHECKS.iter().find(|(name, _)| *name == check).unwrap().1;
    let workloads = documents
        .iter()
        .filter(|document| document["kind"] != "ServiceAccount");
    workloads
        .map(|document| {
            let name = document["metadata"]["name"].as_str().unwrap();
            let they_pass = match parts.as_slice() {
                ["polaris", _, file] => file.starts_with("success"),
                _ => name == "dont-fire",
            };
            let template = if document["kind"] == "Pod" {
                document
            } else {
                &document["spec"]["template"]
            };
            let flaws = audit(template, Runs::Always);
            let we_pass = !flaws.iter().any(|flaw| rules.contains(&flaw.rule));
            (name.to_owned(), word(they_pass), word(we_pass))
        })
        .collect()
}

#[test]
fn our_audit_agrees_with_theirs_but_where_the_table_says_why() {
    let mut objects = 0;
    let mut found = BTreeSet::new();
    for project in ["polaris", "kube-linter"] {
        for file in files(&fixtures().join(project)) {
            for (name, theirs, ours) in opinions(&file) {
                objects += 1;
                if theirs != ours {
                    found.insert([file.clone(), name, theirs.to_owned(), ours.to_owned()]);
                }
            }
        }
    }
    assert_eq!(objects, 72, "objects compared");
    let table = std::fs::read_to_string(fixtures().join("disagreements.tsv")).unwrap();
    let mut explained = BTreeSet::new();
    for row in table.lines().skip(1) {
        let cells: Vec<String> = row.split('\t').map(str::to_owned).collect();
        let [file, object, theirs, ours, why] = <[String; 5]>::try_from(cells).unwrap();
        assert!(why.len() > 20, "{file}: why?");
        explained.insert([file, object, theirs, ours]);
    }
    assert_eq!(found, explained);
}

/// A file that is not in the NOTICE, or the other way round, is not told where it is from.
#[test]
fn every_file_of_others_has_its_source() {
    let notice = std::fs::read_to_string(fixtures().join("NOTICE")).unwrap();
    let listed: BTreeMap<&str, &str> = notice
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(file, _)| file.contains(".y"))
        .map(|(file, commit)| (file, commit.trim()))
        .collect();
    let there: BTreeSet<String> = ["polaris", "kube-linter"]
        .iter()
        .flat_map(|project| files(&fixtures().join(project)))
        .collect();
    let named: BTreeSet<String> = listed.keys().map(|file| (*file).to_owned()).collect();
    assert_eq!(there, named);
    assert!(listed.values().all(|commit| commit.len() == 40));
}
