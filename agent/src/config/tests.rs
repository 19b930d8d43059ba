//! The committed example, and what an operator gets wrong.

#![allow(clippy::unwrap_used)]

use super::*;

fn load(yaml: &str) -> Result<AgentConfig, ConfigFault> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.yaml");
    std::fs::write(&file, yaml).unwrap();
    AgentConfig::load(Some(&file), [], serde_json::json!({}))
}

const LEAST: &str =
    "cluster_alias: home\ntracker_url: http://127.0.0.1:8443\nfarmer: {name: alice}\n";

#[test]
fn the_example_is_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent.example.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    // The example names secret files that only an installation has.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
    let secret = folder.path().join("secret").display().to_string();
    let text: Vec<String> = text
        .lines()
        .map(|line| match line.split_once("_file: ") {
            Some((key, _)) if !line.trim_start().starts_with('#') => {
                format!("{key}_file: {secret}")
            }
            _ => line.to_owned(),
        })
        .collect();
    let config = load(&text.join("\n")).unwrap();
    assert_eq!(config.cluster_alias, "home-lab");
    assert!(!config.sources.names().is_empty());
}

#[test]
fn flags_outrank_the_file_and_the_manifest_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.yaml");
    std::fs::write(&file, LEAST).unwrap();
    let flags = serde_json::json!({"tracker_url": "https://farm.example:8443"});
    let config = AgentConfig::load(Some(&file), [], flags).unwrap();
    assert_eq!(config.tracker_url.as_str(), "https://farm.example:8443/");
    assert_eq!(config.plugins, folder.path().join("farmops-plugins.yaml"));
}

#[test]
fn an_agent_is_the_same_wherever_it_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.yaml");
    let at = |text: &str| {
        std::fs::write(&file, format!("{LEAST}{text}")).unwrap();
        AgentConfig::load(Some(&file), [], serde_json::json!({})).unwrap()
    };
    assert_eq!(at("").data_dir, folder.path().join("farmops-agent-data"));
    let named = at("data_dir: data\ntracker_ca_file: ca.pem\n");
    assert_eq!(named.data_dir, folder.path().join("data"));
    assert_eq!(named.tracker_ca_file, Some(folder.path().join("ca.pem")));
    let here = std::env::current_dir().unwrap();
    let flags = serde_json::json!({"data_dir": "data"});
    let by_flag = AgentConfig::load(Some(&file), [], flags).unwrap();
    assert_eq!(by_flag.data_dir, here.join("data"));
}

#[test]
fn an_unknown_key_is_an_error_with_a_suggestion() {
    let error = load(&format!("{LEAST}trakcer_url: x\n"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("tracker_url"), "{error}");
    let error = load(&format!("{LEAST}sources: {{webhook: {{lisen: x}}}}\n"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`listen`"), "{error}");
}

#[test]
fn values_that_cannot_work_are_named() {
    let host = LEAST.replace("home", "db.internal");
    assert!(
        load(&host)
            .unwrap_err()
            .to_string()
            .contains("cluster_alias")
    );
    let twice = format!(
        "{LEAST}sources:\n  file:\n    - {{name: a, path: /x}}\n    - {{name: a, path: /y}}\n"
    );
    assert!(load(&twice).unwrap_err().to_string().contains("`a`"));
    let unsigned = format!(
        "{LEAST}sources:\n  webhook:\n    hooks:\n      - {{name: g, provider: github, secret: ''}}\n"
    );
    assert!(load(&unsigned).unwrap_err().to_string().contains("secret"));
}
