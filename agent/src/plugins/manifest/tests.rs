//! Manifests that work, and what is said of those that do not.

#![allow(clippy::unwrap_used)]

use super::*;

fn load(yaml: &str) -> Result<Manifest, ManifestError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("farmops-plugins.yaml");
    std::fs::write(&file, yaml).unwrap();
    std::fs::write(folder.path().join("reader"), "").unwrap();
    std::fs::write(folder.path().join("key.pem"), KEY).unwrap();
    let sources = BTreeMap::from([
        ("github".to_owned(), SourceType::Github.into()),
        ("cluster".to_owned(), SourceType::Kubernetes.into()),
        (
            "part".to_owned(),
            KnownSource {
                source_type: SourceType::Kubernetes,
                namespaces: vec!["shop".to_owned(), "farm".to_owned()],
            },
        ),
    ]);
    Manifest::load(&file, &sources)
}

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
-----END PUBLIC KEY-----
";

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_manifest_says_who_reads_what() {
    let manifest = load(&format!(
        "plugins:
- id: a/b
  version: '>=0.1, <2'
  source: {{binary: ./reader, sha256: {EMPTY}}}
  grants: [{{source: github}}, {{source: cluster, resources: [pods, deployments.apps], namespaces: [shop]}}]
  config: {{deep: {{n: 1}}}}
- {{id: a/c, source: {{component: reader}}, limits: {{memory_mib: 32}}}}
- {{id: a/d, source: {{oci: 'r.example/x@sha256:{EMPTY}', signed_by: [key.pem]}}}}
"
    ))
    .unwrap();
    let [binary, component, oci] = &manifest.plugins[..] else {
        panic!("three")
    };
    assert_eq!(manifest.routes()["github"], ["a/b"]);
    assert_eq!(manifest.routes()["cluster"], ["a/b"]);
    assert_eq!(binary.config["deep"]["n"], 1);
    let version = binary.version.as_ref().unwrap();
    assert!(version.matches(&"1.4.0".parse().unwrap()));
    assert!(!version.matches(&"2.0.0".parse().unwrap()));
    let PluginSource::Component { file, digest } = &component.source else {
        panic!("a component")
    };
    assert!(file.is_absolute());
    assert_eq!(digest.to_string(), EMPTY);
    assert_eq!(component.limits.memory_mib, 32);
    let PluginSource::Oci { signed_by, .. } = &oci.source else {
        panic!("an artifact")
    };
    assert_eq!(signed_by.len(), 1);
}

#[test]
fn what_cannot_work_is_named_with_plugin_and_key_and_what_helps() {
    let other = EMPTY.replace('e', "f");
    let oci = |rest: &str| format!("source: {{oci: 'r.example/x@sha256:{EMPTY}'{rest}}}");
    let binary = |rest: &str| format!("source: {{binary: reader}}, {rest}");
    for (entry, key, help) in [
        (
            "source: {binary: other}".to_owned(),
            "source.binary",
            "relative to the manifest",
        ),
        ("source: {}".to_owned(), "`source`", "exactly one"),
        (
            "source: {binary: reader, component: reader}".to_owned(),
            "`source`",
            "exactly one",
        ),
        (
            "source: {binary: reader, sha256: abc}".to_owned(),
            "source.sha256",
            "64 lower-case",
        ),
        (
            format!("source: {{binary: reader, sha256: {other}}}"),
            "source.sha256",
            EMPTY,
        ),
        (
            "source: {binary: reader, unsigned: true}".to_owned(),
            "source.unsigned",
            "oci",
        ),
        (
            "source: {oci: 'r.example/x:latest', unsigned: true}".to_owned(),
            "source.oci",
            "by its digest",
        ),
        (oci(""), "source.signed_by", "`unsigned: true`"),
        (
            oci(", unsigned: true, signed_by: [key.pem]"),
            "source.signed_by",
            "not both",
        ),
        (
            oci(", signed_by: [none.pem]"),
            "source.signed_by.0",
            "none.pem",
        ),
        (oci(", signed_by: [reader]"), "source.signed_by.0", "PEM"),
        (
            oci(&format!(", unsigned: true, sha256: {EMPTY}")),
            "source.sha256",
            "remove it",
        ),
        (
            binary("grants: [{source: gitlab}]"),
            "grants.0.source",
            "github",
        ),
        (
            binary("grants: [{source: github}, {source: github}]"),
            "grants.1.source",
            "twice",
        ),
        (
            binary("grants: [{source: cluster}]"),
            "grants.0.resources",
            "deployments.apps",
        ),
        (
            binary("grants: [{source: cluster, resources: [pods, secrets]}]"),
            "grants.0.resources",
            "never read",
        ),
        (
            binary("grants: [{source: part, resources: [pods], namespaces: [shop, far]}]"),
            "grants.0.namespaces",
            "does not watch the namespace far: add it to the source, or name one of shop, farm",
        ),
        (
            binary("grants: [{source: cluster, resources: [pods, pods]}]"),
            "grants.0.resources",
            "once",
        ),
        (
            binary("grants: [{source: github, namespaces: [shop]}]"),
            "grants.0.namespaces",
            "remove it",
        ),
        (
            binary("limits: {memory_mib: 1}"),
            "limits.memory_mib",
            "8 to 4096",
        ),
    ] {
        let error = load(&format!("plugins: [{{id: a/b, {entry}}}]"));
        let error = error.unwrap_err().to_string();
        for part in ["a/b", key, help] {
            assert!(error.contains(part), "{entry}: {error}");
        }
    }
}

#[test]
fn a_misspelt_key_and_a_second_entry_are_found() {
    let error = load("plugins: [{id: a/b, source: {binry: x}}]").unwrap_err();
    assert!(error.to_string().contains("`binary`"), "{error}");
    let error = load("plugins: [{id: a/b, version: new, source: {binary: reader}}]").unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");
    let entry = "{id: a/b, source: {binary: reader}}";
    let error = load(&format!("plugins: [{entry}, {entry}]")).unwrap_err();
    assert!(matches!(error, ManifestError::Twice(_)));
}

#[test]
fn two_grants_have_in_common_what_both_name() {
    let grant = |source: &str, resources: &[&str], namespaces: &[&str]| Grant {
        source: source.to_owned(),
        resources: resources.iter().map(|&name| name.to_owned()).collect(),
        namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
    };
    let wide = grant("cluster", &["pods", "nodes"], &[]);
    let narrow = grant("cluster", &["pods", "jobs.batch"], &["shop"]);
    let both = Some(grant("cluster", &["pods"], &["shop"]));
    assert_eq!(wide.and(&narrow), both);
    assert_eq!(narrow.and(&wide), both);
    for other in [
        grant("cluster", &["nodes"], &["shop"]),
        grant("cluster", &["pods"], &["bank"]),
        grant("other", &["pods"], &["shop"]),
        grant("cluster", &[], &[]),
    ] {
        assert_eq!(narrow.and(&other), None, "{other:?}");
    }
    let hook = grant("github", &[], &[]);
    assert_eq!(hook.and(&hook).as_ref(), Some(&hook));
}
