//! What a grant covers of a cluster.

#![allow(clippy::unwrap_used)]

use farmops_plugin::{KubernetesResource, SourceRequirement};
use farmops_protocol::digest::sha256;
use serde_json::json;

use super::*;
use crate::observation::SourceType;
use crate::plugins::manifest::{KnownSource, PluginLimits, PluginSource, PluginSpec};
use crate::plugins::running::Version;

/// What a plugin that declares pods and deployments may read of a source that watches `watched`.
fn granted_of(watched: &[&str], resources: &[&str], namespaces: &[&str]) -> Vec<GrantedResource> {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let spec = PluginSpec {
        id: "a/b".to_owned(),
        version: None,
        source: PluginSource::Binary {
            file: "/b".into(),
            digest: sha256(b""),
        },
        grants: vec![Grant {
            source: "cluster".to_owned(),
            resources: owned(resources),
            namespaces: owned(namespaces),
        }],
        config: serde_json::Map::new(),
        limits: PluginLimits::default(),
    };
    let source = KnownSource {
        source_type: SourceType::Kubernetes,
        namespaces: owned(watched),
    };
    let version = Version::new(spec, &[("cluster".to_owned(), source)].into());
    let declared = ["pods", "deployments.apps"].map(|name| KubernetesResource::new(name, &[]));
    let description = Description {
        plugin_id: "a/b".to_owned(),
        version: "0.1.0".to_owned(),
        description: String::new(),
        categories: Vec::new(),
        sources: vec![SourceRequirement::kubernetes(declared.to_vec())],
        templates: Vec::new(),
        subcategories: Vec::new(),
        settings_schema: None,
    };
    granted(&version.grants, &description)
}

fn covers(
    granted: &[GrantedResource],
    source: &str,
    resource: &str,
    namespace: Option<&str>,
) -> bool {
    let payload = json!({"resource": resource, "namespace": namespace}).to_string();
    let subject = Subject::read(payload.as_bytes()).unwrap();
    granted
        .iter()
        .any(|granted| granted.covers(source, &subject))
}

#[test]
fn a_grant_covers_its_resources_in_its_namespaces_of_its_source() {
    let granted = granted_of(&[], &["pods", "nodes"], &["shop"]);
    assert!(covers(&granted, "cluster", "pods", Some("shop")));
    assert!(!covers(&granted, "cluster", "pods", Some("bank")));
    assert!(!covers(&granted, "cluster", "pods", None));
    assert!(!covers(&granted, "other", "pods", Some("shop")));
    assert!(!covers(
        &granted,
        "cluster",
        "deployments.apps",
        Some("shop")
    ));
    // Granted and not declared.
    assert!(!covers(&granted, "cluster", "nodes", Some("shop")));
}

#[test]
fn a_grant_without_namespaces_covers_what_its_source_watches() {
    let everywhere = granted_of(&[], &["pods"], &[]);
    assert!(covers(&everywhere, "cluster", "pods", Some("bank")));
    assert!(covers(&everywhere, "cluster", "pods", None));
    let limited = granted_of(&["shop"], &["pods"], &[]);
    assert!(covers(&limited, "cluster", "pods", Some("shop")));
    assert!(!covers(&limited, "cluster", "pods", Some("bank")));
    assert!(!covers(&limited, "cluster", "pods", None));
}
