//! What not every cluster has: a resource that comes and goes, and an API version on its way out.

use std::sync::LazyLock;

use farmops_agent::sources::SourceHealth;
use farmops_agent::sources::kubernetes::board::WatchState;
use farmops_testbed::{Cluster, Program};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::judge::{Judge, told};
use crate::source::{Source, beside};

const CERTIFICATES: &str = "certificates.cert-manager.io";

/// A cluster that still serves what the next release does not.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(|| {
    Cluster::start_with(&["--runtime-config=networking.k8s.io/v1beta1=true"]).unwrap()
});

async fn kubectl(arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
    beside(move || CLUSTER.kubectl(&arguments).unwrap()).await
}

async fn apply(document: &Value) {
    let document = document.to_string();
    beside(move || CLUSTER.apply(&document).unwrap()).await;
}

async fn start(folder: &std::path::Path, judge: &Judge, resource: &str) -> Source {
    let kubeconfig = beside(|| CLUSTER.kubeconfig()).await;
    let readers = [(judge.id(), judge.reads(&[resource]))];
    Source::start(folder, &kubeconfig, &[], &readers).await
}

/// cert-manager's definition, as far as it matters here.
fn definition() -> Value {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": CERTIFICATES},
        "spec": {
            "group": "cert-manager.io", "scope": "Namespaced",
            "names": {"kind": "Certificate", "listKind": "CertificateList",
                "plural": "certificates", "singular": "certificate"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object",
                    "properties": {"spec": any, "status": any}}},
            }],
        },
    })
}

/// What cert-manager says of a certificate that is valid for 90 days.
async fn say(revision: i64, ready: &str, from_days_ago: i64) {
    let now = Timestamp::now();
    let at = |days: i64| (now + (days * 24).hours()).to_string();
    let status = json!({"status": {
        "conditions": [{"type": "Ready", "status": ready, "reason": "ZqzqFailed",
            "message": "zqzq.example was refused", "lastTransitionTime": at(-2)}],
        "notBefore": at(-from_days_ago), "notAfter": (now + ((90 - from_days_ago) * 24).hours() + 30.minutes()).to_string(),
        "renewalTime": at(60 - from_days_ago), "revision": revision,
    }})
    .to_string();
    let patch = ["patch", CERTIFICATES, "zqzq-cert", "--subresource=status"];
    kubectl(&[&patch[..], &["--type=merge", "-p", &status]].concat()).await;
}

/// Whether the one watch is in `state`.
fn is(state: WatchState) -> impl Fn(&SourceHealth) -> bool {
    move |health| health.watches.iter().any(|watch| watch.state == state)
}

fn assert_absent_by_name(health: &SourceHealth) {
    let watch = &health.watches[0];
    assert_eq!(watch.resource, CERTIFICATES);
    let reason = "the cluster has no certificates.cert-manager.io";
    assert_eq!(watch.reason.as_deref(), Some(reason));
    assert_eq!(watch.plugins, ["farmops/certificate-renewal"]);
    // Nobody needs what only some clusters have.
    assert!(health.up, "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_watched_from_their_definition_to_its_end_and_a_renewal_is_told() {
    let judge = Judge::new("certificate-renewal", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let source = start(folder.path(), &judge, CERTIFICATES).await;
    assert_absent_by_name(&source.until(is(WatchState::Absent)).await);

    apply(&definition()).await;
    let named = format!("crd/{CERTIFICATES}");
    kubectl(&["wait", "--for=condition=Established", &named]).await;
    let certificate = json!({
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": {"name": "zqzq-cert", "namespace": "default", "labels": {"zqzq": "zqzq"}},
        "spec": {"secretName": "zqzq-secret", "dnsNames": ["zqzq.example"]},
    });
    apply(&certificate).await;
    say(1, "False", 60).await;
    let health = source.until(is(WatchState::Watching)).await;
    assert_eq!(health.watches[0].objects, 1);
    say(2, "True", 0).await;
    let proofs = judge.proofs(&source, 1).await;
    assert_eq!(
        told(&proofs[0]),
        json!([
            "farmops/certificate-renewal",
            "reliability",
            "rescue",
            "Rescued a certificate 30 days before its end",
        ])
    );

    kubectl(&["delete", &named]).await;
    assert_absent_by_name(&source.until(is(WatchState::Absent)).await);
    source.stop().await;
}

/// Writes the object through a version, as a person's tool does.
async fn write(version: &'static str) {
    beside(move || {
        let object = json!({
            "apiVersion": format!("networking.k8s.io/{version}"), "kind": "ServiceCIDR",
            "metadata": {"name": "zqzq-range", "labels": {"zqzq-by": format!("zqzq-{version}")}},
            "spec": {"cidrs": ["10.77.0.0/24"]},
        });
        let file = CLUSTER.folder().join("range.json");
        std::fs::write(&file, object.to_string()).unwrap();
        let mut kubectl = CLUSTER.command(Program::Kubectl).unwrap();
        kubectl.args(["apply", "--server-side", "--field-manager=zqzq-tool", "-f"]);
        assert!(kubectl.arg(file).status().unwrap().success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_moved_off_a_deprecated_version_is_told() {
    let judge = Judge::new("k8s-deprecated-api", json!({"min_age_hours": 0})).await;
    write("v1beta1").await;
    let folder = tempfile::tempdir().unwrap();
    let source = start(folder.path(), &judge, "servicecidrs.networking.k8s.io").await;
    source.until(is(WatchState::Watching)).await;
    write("v1").await;
    let proofs = judge.proofs(&source, 1).await;
    assert_eq!(
        told(&proofs[0]),
        json!([
            "farmops/k8s-deprecated-api",
            "upgrade",
            "deprecated",
            "Moved one network object off an API version that Kubernetes 1.34 deprecated",
        ])
    );
    source.stop().await;
}
