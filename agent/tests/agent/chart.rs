//! What the Helm chart writes is what this agent reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use farmops_agent::config::AgentConfig;
use farmops_agent::plugins::manifest::{Manifest, PluginSource};
use farmops_testbed::Program;
use serde_json::{Value, json};

use crate::programs;
use crate::world::World;

/// Sets of values in the chart.
const SETS: [&str; 5] = ["everything", "least", "namespaced", "outside", "standby"];

/// The configuration that the chart makes of a set, as files by name.
fn rendered(set: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let chart = root.join("deploy/helm/farmops-agent");
    let values = chart.join("ci").join(set).with_extension("yaml");
    let (chart, values) = (chart.to_str().unwrap(), values.to_str().unwrap());
    let yaml = Program::Helm
        .run([
            "template",
            "one",
            chart,
            "--values",
            values,
            "--show-only=templates/configmap.yaml",
        ])
        .unwrap();
    let map: Value = serde_saphyr::from_str(&yaml).unwrap();
    serde_json::from_value(map["data"].clone()).unwrap()
}

#[test]
fn every_configuration_of_the_chart_is_accepted() {
    for set in SETS {
        let folder = tempfile::tempdir().unwrap();
        // Which a pod has mounted.
        let mounted = folder.path().join("mounted");
        fs::create_dir(&mounted).unwrap();
        let files = rendered(set);
        for name in ["github", "gitea", "alertmanager.token"] {
            fs::write(mounted.join(name), "a secret\n").unwrap();
        }
        for (name, text) in &files {
            let text = text.replace("/etc/farmops-secrets", mounted.to_str().unwrap());
            fs::write(folder.path().join(name), text).unwrap();
        }
        let file = folder.path().join("agent.yaml");
        let config = AgentConfig::load(Some(&file), [], json!({}))
            .unwrap_or_else(|fault| panic!("{set}: {fault}"));

        let manifest: Value = serde_saphyr::from_str(&files["farmops-plugins.yaml"]).unwrap();
        let written = manifest["plugins"].as_array().unwrap();
        for plugin in written {
            if let Some(component) = plugin["source"]["component"].as_str() {
                fs::write(folder.path().join(component), component).unwrap();
            }
        }
        let sources = config.sources.known();
        let manifest = Manifest::load(&config.plugins, &sources)
            .unwrap_or_else(|fault| panic!("{set}: {fault}"));
        assert_eq!(manifest.plugins.len(), written.len());
        for plugin in &manifest.plugins {
            let unsigned = matches!(&plugin.source, PluginSource::Oci { signed_by, .. } if signed_by.is_empty());
            assert!(
                !plugin.grants.is_empty() && !unsigned,
                "{set}: {}",
                plugin.id
            );
        }
    }
}

/// `files/first-party.yaml` is what the components say of themselves. `UPDATE=1` writes it.
#[tokio::test(flavor = "multi_thread")]
async fn generated_catalogue_of_the_chart_is_up_to_date() {
    let world = World::new(([127, 0, 0, 1], 9).into());
    programs::compiler();
    let plugins = programs::plugins().into_iter().map(|name| {
        json!({"id": format!("farmops/{name}"), "source": {"component": programs::component(&name)}})
    });
    let manifest = json!({ "plugins": plugins.collect::<Vec<_>>() });
    fs::write(
        world.folder.path().join("farmops-plugins.yaml"),
        manifest.to_string(),
    )
    .unwrap();
    let (passed, said) = world.command("plugins", &["catalogue"]).await;
    assert!(passed, "{said}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/helm/farmops-agent/files/first-party.yaml");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &said).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        said,
        "UPDATE=1 writes it"
    );
}
