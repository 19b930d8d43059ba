//! What is told of real objects.

use farmops_plugin::KubernetesResource;
use farmops_testbed::shared;
use serde_json::json;

use crate::source::{Source, beside};

const PLUGIN: &str = "test/reader";

fn pod(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{secret-word: xyzzy}}}}\n\
         spec: {{nodeName: nowhere, containers: [{{name: web, image: example/web}}]}}\n"
    )
}

async fn kubectl(arguments: &[&str]) -> String {
    let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
    beside(move || shared().unwrap().kubectl(&arguments).unwrap()).await
}

async fn apply(document: String) {
    beside(move || shared().unwrap().apply(&document).unwrap()).await;
}

async fn say_ready(namespace: &str, name: &str, status: &str) {
    let patch = json!({"status": {"conditions": [
        {"type": "Ready", "status": status}, {"type": "Other", "status": status},
    ]}});
    kubectl(&[
        "patch",
        "pod",
        name,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        &patch.to_string(),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_changes_and_stays_is_told_with_nothing_but_the_declared_fields() {
    let folder = tempfile::tempdir().unwrap();
    kubectl(&["create", "namespace", "told"]).await;
    apply(pod("told", "web-0")).await;
    say_ready("told", "web-0", "False").await;
    let kubeconfig = shared().unwrap().kubeconfig().to_owned();
    let fields = [
        "status.conditions[type=Ready].status",
        "spec.containers[].image",
    ];
    let pods = KubernetesResource::new("pods", &fields).settle_seconds(2);
    let source = Source::start(
        folder.path(),
        &kubeconfig,
        &["told"],
        &[(PLUGIN, vec![pods])],
    )
    .await;
    let health = source.until_up().await;
    assert_eq!(health.watches[0].objects, 1);
    say_ready("told", "web-0", "True").await;
    let told = source.next(PLUGIN).await;
    let fields = |status: &str| {
        json!({
            "spec": {"containers": [{"image": "example/web"}]},
            "status": {"conditions": [{"status": status, "type": "Ready"}]},
        })
    };
    assert_eq!(told["before"]["fields"], fields("False"));
    assert_eq!(told["after"]["fields"], fields("True"));
    assert_eq!(told["name"], "web-0");
    assert_eq!(told["apiVersion"], "v1");
    assert_eq!(told["resource"], "pods");
    let members: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "resource",
            "apiVersion",
            "namespace",
            "name",
            "uid",
            "created",
            "before",
            "after"
        ]
    );
    assert!(!told.to_string().contains("xyzzy"));
    source.stop().await;
}
