//! Values that cannot work are refused before anything is installed, and the message says which.

use farmops_testbed::Error;

use super::rendered;

fn refused(set: &str, flags: &[&str]) -> String {
    match rendered(set, flags) {
        Err(Error::Failed { said, .. }) => said,
        other => panic!("{flags:?}: {other:?}"),
    }
}

#[test]
fn each_wrong_value_is_named() {
    let cases: [(&[&str], &[&str]); 23] = [
        (&["clusterAlias=db.internal"], &["/clusterAlias"]),
        (&["tracker.url=farm.example"], &["/tracker/url"]),
        (&["tracker.urll=x"], &["/tracker", "urll"]),
        (&["farmer.name="], &["/farmer/name"]),
        (
            &["farmer.onCall=null"],
            &["farmer.onCall", "does not say whose work"],
        ),
        (&["nonsense=1"], &["nonsense"]),
        (
            &["plugins.k8s-pod-helth.enabled=true"],
            &["/plugins", "k8s-pod-helth"],
        ),
        (
            &["plugins.k8s-pod-health.resources={secrets}"],
            &["plugins.k8s-pod-health.resources", "`secrets`"],
        ),
        (
            &["plugins.k8s-pod-health.resources={*}"],
            &["/plugins/k8s-pod-health/resources/0"],
        ),
        (
            &["plugins.k8s-pod-health.resources={nodes}"],
            &["plugins.k8s-pod-health.resources", "nodes"],
        ),
        (
            &["plugins.git-pr-review.enabled=true"],
            &["plugins.git-pr-review.sources", "github"],
        ),
        (
            &[
                "plugins.git-pr-review.enabled=true",
                "plugins.git-pr-review.sources={hub}",
            ],
            &["plugins.git-pr-review.sources", "`hub`"],
        ),
        (
            &["kubernetes.enabled=false"],
            &["plugins.certificate-renewal", "kubernetes.enabled"],
        ),
        (
            &[
                "kubernetes.namespaces={shop}",
                "plugins.k8s-pod-health.namespaces={other}",
            ],
            &["plugins.k8s-pod-health.namespaces", "`other`"],
        ),
        (
            &["webhooks[0].name=hub", "webhooks[0].provider=gitlab"],
            &["/webhooks/0/provider"],
        ),
        (
            &["webhooks[0].name=hub", "webhooks[0].provider=github"],
            &["webhooks[0].secretKey", "secrets.values has no `hub`"],
        ),
        (
            &["secrets.existingSecret=a", "secrets.values.b=c"],
            &["secrets.values", "secrets.existingSecret"],
        ),
        (
            &["standby.enabled=true"],
            &["standby.enabled", "identity.existingSecret"],
        ),
        (
            &["webhookService.enabled=true"],
            &["webhookService.enabled"],
        ),
        (
            &["metrics.serviceMonitor.enabled=true"],
            &["metrics.serviceMonitor.enabled"],
        ),
        (
            &[
                "extraPlugins[0].id=a/b",
                "extraPlugins[0].source.oci=r.example/a/b:latest",
            ],
            &["/extraPlugins/0/source/oci", "sha256"],
        ),
        (
            &["evidence.secretKey=key"],
            &["evidence.secretKey", "secrets.existingSecret"],
        ),
        (&["persistence.size=big"], &["/persistence/size"]),
    ];
    for (flags, expected) in cases {
        let flags: Vec<String> = flags.iter().map(|flag| format!("--set={flag}")).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let said = refused("least", &flags);
        for word in expected {
            assert!(said.contains(word), "{flags:?}: no {word} in {said}");
        }
    }
}

#[test]
fn secrets_are_never_read() {
    let extra = [
        "--set=extraPlugins[0].id=a/b",
        "--set=extraPlugins[0].source.component=b.wasm",
        "--set=extraPlugins[0].resources={secrets}",
    ];
    let said = refused("least", &extra);
    assert!(
        said.contains("extraPlugins[0].resources: secrets are never read"),
        "{said}"
    );
    // The templates hold without the schema.
    for resource in ["secrets", "secrets/status", "*", "Secrets", "*.apps"] {
        let said = refused(
            "least",
            &[
                "--skip-schema-validation",
                "--set=extraPlugins[0].id=a/b",
                "--set=extraPlugins[0].source.component=b.wasm",
                &format!("--set=extraPlugins[0].resources={{{resource}}}"),
            ],
        );
        assert!(said.contains("extraPlugins[0].resources"), "{said}");
    }
}

#[test]
fn a_cluster_that_is_too_old_is_refused() {
    let said = refused("least", &["--kube-version=1.24.17"]);
    assert!(said.contains("1.25"), "{said}");
}
