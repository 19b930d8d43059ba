//! Which watches a configuration and its plugins lead to.

#![allow(clippy::unwrap_used)]

use farmops_plugin::KubernetesResource;

use super::*;

fn config(namespaces: &[&str]) -> KubernetesConfig {
    KubernetesConfig {
        name: "cluster".to_owned(),
        kubeconfig: None,
        context: None,
        namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn wants(plugin: &str, resource: &str, namespaces: &[&str]) -> Subscription {
    let resource = KubernetesResource::new(resource, &["spec"]);
    let namespaces: Vec<String> = namespaces.iter().map(|&name| name.to_owned()).collect();
    Subscription::new("cluster", plugin, &resource, &namespaces).unwrap()
}

/// `resource[/namespace]: readers`.
fn planned(config: &KubernetesConfig, wanted: &[Subscription]) -> Vec<String> {
    let name = |key: &WatchKey| match &key.namespace {
        Some(namespace) => format!("{}/{namespace}", key.resource),
        None => key.resource.clone(),
    };
    let readers = |readers: &Vec<Subscription>| {
        let plugins: Vec<&str> = readers
            .iter()
            .map(|reader| reader.plugin.as_str())
            .collect();
        plugins.join(" ")
    };
    plan(config, wanted)
        .iter()
        .map(|(key, subscriptions)| format!("{}: {}", name(key), readers(subscriptions)))
        .collect()
}

#[test]
fn plugins_share_one_watch_of_what_they_are_granted_alike() {
    let wanted = [
        wants("a/b", "pods", &[]),
        wants("a/c", "pods", &["shop"]),
        wants("a/d", "pods", &[]),
        wants("a/c", "deployments.apps", &[]),
        wants("a/c", "deployments.apps", &[]),
    ];
    assert_eq!(
        planned(&config(&[]), &wanted),
        ["deployments.apps: a/c", "pods: a/b a/d", "pods/shop: a/c"]
    );
    let mut other = wanted[0].clone();
    other.source = "elsewhere".to_owned();
    assert!(planned(&config(&[]), &[other]).is_empty());
}

#[test]
fn a_source_limited_to_namespaces_watches_each_for_those_who_may_see_it() {
    let wanted = [wants("a/b", "pods", &[]), wants("a/c", "pods", &["shop"])];
    assert_eq!(
        planned(&config(&["shop", "farm"]), &wanted),
        ["pods/farm: a/b", "pods/shop: a/b a/c"]
    );
    let elsewhere = [wants("a/c", "pods", &["far"])];
    assert!(planned(&config(&["shop"]), &elsewhere).is_empty());
}

#[test]
fn secrets_are_refused_even_when_asked_for() {
    let resource = KubernetesResource::new("secrets", &["type"]);
    assert!(Subscription::new("cluster", "a/b", &resource, &[]).is_err());
    let served = discovery::Served {
        group: String::new(),
        version: "v1".to_owned(),
        plural: "secrets".to_owned(),
        namespaced: true,
    };
    assert!(served.path(None).is_err());
}

#[test]
fn a_namespace_that_cannot_be_one_is_named() {
    for bad in [&["Shop"][..], &["a", "a"], &[""], &["a/b"]] {
        let (key, _) = config(bad).check().unwrap_err();
        assert_eq!(key, "sources.kubernetes.cluster.namespaces");
    }
    assert!(config(&["shop", "farm-2"]).check().is_ok());
}
