//! What Helm makes of the chart.

use std::{fs, process::Command};

use farmops_testbed::Program;
use serde_json::Value;

use super::{READING, chart, documents, of_kind, rendered, resources, root, sets, texts, values};

/// The oldest version that the chart takes, the newest, and some between.
const KUBERNETES: [&str; 5] = ["1.25", "1.28", "1.31", "1.34", "1.37"];

#[test]
fn helm_finds_nothing_to_complain_about() {
    for set in sets() {
        let (chart, values) = (chart(), values(&set));
        let arguments = ["lint", "--strict", chart.to_str().unwrap(), "--values"];
        Program::Helm
            .run(arguments.iter().chain([&values.to_str().unwrap()]))
            .unwrap();
    }
}

/// A file, so that the validator need not be told about standard input.
#[test]
fn the_schemas_of_old_and_new_kubernetes_fit() {
    let found = Command::new(root().join("deploy/need"))
        .arg("kubernetes-validate")
        .output()
        .unwrap();
    let validate = String::from_utf8(found.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for set in sets() {
        let yaml = rendered(&set, &[]).unwrap();
        let file = folder.path().join(&set);
        fs::write(&file, &yaml).unwrap();
        let mut command = Command::new(validate.trim());
        command.arg("--strict");
        for version in KUBERNETES {
            command.args(["--kubernetes-version", version]);
        }
        let output = command.arg(&file).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{set}: {said}");
        // Another project's kind, which Kubernetes has no schema of.
        let foreign = of_kind(&documents(&yaml), "ServiceMonitor").len();
        let known = documents(&yaml).len() - foreign;
        let lines = |mark| said.lines().filter(|line| line.starts_with(mark)).count();
        assert_eq!(lines("INFO"), known * KUBERNETES.len(), "{set}: {said}");
        assert_eq!(lines("WARN"), foreign * KUBERNETES.len(), "{set}: {said}");
    }
}

#[test]
fn roles_read_and_do_nothing_else() {
    for set in sets() {
        let documents = documents(&rendered(&set, &[]).unwrap());
        let (whole, narrow) = (
            of_kind(&documents, "ClusterRole"),
            of_kind(&documents, "Role"),
        );
        let counts = (whole.len(), narrow.len());
        let expected = match set.as_str() {
            "namespaced" => (0, 2),
            "outside" => (0, 0),
            "standby" => (1, 1),
            _ => (1, 0),
        };
        assert_eq!(counts, expected, "{set}");
        for role in whole.into_iter().chain(narrow) {
            let name = role["metadata"]["name"].as_str().unwrap();
            if name.ends_with("-lease") {
                assert_eq!(resources(role), vec!["leases.coordination.k8s.io"; 2]);
                assert_eq!(role["metadata"]["namespace"], super::NAMESPACE);
                continue;
            }
            for rule in role["rules"].as_array().unwrap() {
                assert_eq!(texts(&rule["verbs"]), READING, "{set}");
            }
            for resource in resources(role) {
                let plain = resource != "secrets" && !resource.contains(['*', '/']);
                assert!(plain, "{set}: {resource}");
            }
        }
        for kind in ["ClusterRoleBinding", "RoleBinding"] {
            for binding in of_kind(&documents, kind) {
                let role = &binding["roleRef"];
                let there = of_kind(&documents, role["kind"].as_str().unwrap());
                assert!(
                    there
                        .iter()
                        .any(|it| it["metadata"]["name"] == role["name"])
                );
            }
        }
    }
}

#[test]
fn a_role_follows_what_is_enabled() {
    let only = |flags: &[&str]| {
        let mut all = vec![
            "--set=plugins.certificate-renewal.enabled=false",
            "--set=plugins.k8s-resource-audit.enabled=false",
        ];
        all.extend(flags);
        documents(&rendered("least", &all).unwrap())
    };
    let role = |documents: &[Value]| resources(of_kind(documents, "ClusterRole")[0]);
    assert_eq!(
        role(&only(&[])),
        [
            "daemonsets.apps",
            "deployments.apps",
            "pods",
            "statefulsets.apps"
        ]
    );
    let narrow = only(&["--set=plugins.k8s-pod-health.resources={pods}"]);
    assert_eq!(role(&narrow), ["pods"]);
    let config = of_kind(&narrow, "ConfigMap")[0]["data"]["farmops-plugins.yaml"].clone();
    let manifest = documents_of(&config);
    assert_eq!(
        texts(&manifest["plugins"][0]["grants"][0]["resources"]),
        ["pods"]
    );
    let none = only(&["--set=plugins.k8s-pod-health.enabled=false"]);
    assert!(of_kind(&none, "ClusterRole").is_empty());
}

/// A file of the configuration.
fn documents_of(text: &Value) -> Value {
    documents(text.as_str().unwrap()).remove(0)
}

#[test]
fn numbers_stay_whole() {
    let documents = documents(&rendered("everything", &[]).unwrap());
    let data = &of_kind(&documents, "ConfigMap")[0]["data"];
    let plugins = documents_of(&data["farmops-plugins.yaml"]);
    let all = plugins["plugins"].as_array().unwrap();
    let extra = all.iter().find(|it| it["version"] == "^1.2").unwrap();
    assert_eq!(extra["limits"]["fuel"].as_u64(), Some(3_000_000_000));
    let config = documents_of(&data["agent.yaml"]);
    assert_eq!(config["evidence"]["bytes_max"].as_u64(), Some(104_857_600));
    assert_eq!(config["limits"]["observations_max"].as_u64(), Some(50_000));
}

/// Paths of all values that are not tables; an empty table is one value.
fn leaves(value: &Value, path: &str, into: &mut Vec<String>) {
    match value.as_object().filter(|table| !table.is_empty()) {
        Some(table) => {
            for (key, value) in table {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), into);
            }
        }
        None => into.push(path.to_owned()),
    }
}

#[test]
fn the_readme_tells_of_every_value_and_the_values_of_every_plugin() {
    let read = |name: &str| fs::read_to_string(chart().join(name)).unwrap();
    let values = documents(&read("values.yaml")).remove(0);
    let catalogue = documents(&read("files/first-party.yaml")).remove(0);
    let schema: Value = serde_json::from_str(&read("values.schema.json")).unwrap();
    let mut known: Vec<&str> = catalogue["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| plugin["id"].as_str().unwrap())
        .map(|id| id.strip_prefix("farmops/").unwrap())
        .collect();
    known.sort_unstable();
    let keys = |table: &Value| -> Vec<String> {
        let mut keys: Vec<String> = table.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys(&values["plugins"]), known);
    assert_eq!(keys(&schema["properties"]["plugins"]["properties"]), known);

    let mut paths = Vec::new();
    leaves(&values, "", &mut paths);
    let readme = read("README.md");
    let missing: Vec<&String> = paths
        .iter()
        .filter(|path| {
            // The plugins have the same values each.
            let mut parts = path.split('.');
            let path = match (parts.next(), parts.nth(1)) {
                (Some("plugins"), Some(last)) => format!("plugins.<name>.{last}"),
                _ => (*path).clone(),
            };
            !readme.contains(&format!("| `{path}` |"))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
