//! Each of the three cuts, and what is said of it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use farmops_plugin::{Category, KubernetesResource, SourceRequirement, Template};
use farmops_protocol::digest::sha256;

use super::*;
use crate::observation::SourceType;
use crate::plugins::manifest::{PluginLimits, PluginSource};

struct Cluster;

#[async_trait]
impl AccessReview for Cluster {
    async fn may_watch(&self, _: &str, resource: &str, namespaces: &[String]) -> Rbac {
        assert_eq!(namespaces, ["shop"]);
        if resource == "pods" {
            Rbac::Denied
        } else {
            Rbac::Allowed
        }
    }
}

fn spec(resources: &[&str]) -> PluginSpec {
    PluginSpec {
        id: "a/b".to_owned(),
        version: None,
        source: PluginSource::Binary {
            file: PathBuf::from("/b"),
            digest: sha256(b""),
        },
        grants: vec![Grant {
            source: "cluster".to_owned(),
            resources: resources.iter().map(|&r| r.to_owned()).collect(),
            namespaces: vec!["shop".to_owned()],
        }],
        config: serde_json::Map::new(),
        limits: PluginLimits::default(),
    }
}

fn description() -> Description {
    let resources = vec![
        KubernetesResource::new("pods", &["spec"]),
        KubernetesResource::new("deployments.apps", &["spec"]),
        KubernetesResource::new("certificates.cert-manager.io", &["spec"]).optional(),
    ];
    Description {
        plugin_id: "a/b".to_owned(),
        version: "0.1.0".to_owned(),
        description: "Looks.".to_owned(),
        categories: vec![Category::Toil],
        sources: vec![
            SourceRequirement::kubernetes(resources),
            SourceRequirement::new("github", &[]),
        ],
        templates: vec![Template::new("done", "Done")],
        subcategories: Vec::new(),
        settings_schema: None,
    }
}

fn cluster() -> KnownSources {
    BTreeMap::from([("cluster".to_owned(), SourceType::Kubernetes.into())])
}

fn among<'a>(
    sources: &'a KnownSources,
    reviewer: Option<&'a dyn AccessReview>,
) -> Surroundings<'a> {
    Surroundings {
        sources,
        on_call: true,
        reviewer,
    }
}

#[tokio::test]
async fn what_is_left_is_what_is_declared_granted_and_allowed() {
    let sources = cluster();
    let spec = spec(&["pods", "deployments.apps", "nodes"]);
    let explained = explain(&spec, &among(&sources, Some(&Cluster)), Ok(&description())).await;
    let effective = explained.reads.iter().filter(|reading| reading.effective);
    let effective: Vec<_> = effective
        .map(|reading| reading.resource.as_deref())
        .collect();
    assert_eq!(effective, [Some("deployments.apps")]);
    let missing = explained.missing.join("\n");
    for words in [
        "may not list and watch pods in namespace shop",
        "can read certificates.cert-manager.io, which is not granted: add it to `resources` of the grant of `cluster`",
        "does not ask for nodes",
        "can read github, which is not granted: grant it a source of type github",
    ] {
        assert!(missing.contains(words), "{words}: {missing}");
    }
    assert_eq!(explained.missing.len(), 4);
    let shown = explained.to_string();
    assert!(
        shown.contains("cluster: pods") && shown.contains("denied"),
        "{shown}"
    );
}

#[tokio::test]
async fn without_a_cluster_nothing_is_claimed_and_a_plugin_that_does_not_run_says_why() {
    let sources = cluster();
    let explained = explain(&spec(&["pods"]), &among(&sources, None), Ok(&description())).await;
    assert_eq!(explained.reads[0].rbac, Some(Rbac::NotAsked));
    assert!(explained.reads[0].effective);
    let explained = explain(
        &spec(&["pods"]),
        &among(&sources, None),
        Err("exit status 3"),
    )
    .await;
    assert_eq!(explained.missing, ["it does not run: exit status 3"]);
}

#[tokio::test]
async fn a_cluster_whose_work_counts_for_nobody_is_said() {
    let sources = cluster();
    let nobodys = Surroundings {
        on_call: false,
        ..among(&sources, None)
    };
    let explained = explain(&spec(&["pods"]), &nobodys, Ok(&description())).await;
    assert!(
        explained
            .missing
            .iter()
            .any(|fault| fault.starts_with("`farmer.on_call` is false")),
        "{:?}",
        explained.missing
    );
    let nothing = explain(&spec(&["nodes"]), &nobodys, Ok(&description())).await;
    assert!(
        nothing
            .missing
            .iter()
            .all(|fault| !fault.contains("on_call"))
    );
}
