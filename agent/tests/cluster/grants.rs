//! What a plugin gets of a cluster is what the manifest grants, and no more, whatever it asks for and the account may read.

use farmops_service::outbound::{Bounds, Outbound, Reach};
use farmops_testbed::shared;
use http::HeaderValue;
use serde_json::{Value, json};

use crate::account::{Agent, configure};
use crate::programs;
use crate::source::beside;

/// A plugin that asks for pods and three kinds of workloads, granted `resources` in the namespace `granted`.
fn manifest(resources: &[&str]) -> Value {
    json!({"plugins": [{
        "id": "farmops/k8s-pod-health",
        "source": {"component": programs::component("k8s-pod-health")},
        "grants": [{"source": "cluster", "resources": resources, "namespaces": ["granted"]}],
    }]})
}

/// `resource/namespace: objects` of each watch that is up.
fn watched(cluster: &Value) -> Vec<String> {
    let watches = cluster["watches"].as_array().into_iter().flatten();
    let watches = watches.filter(|watch| watch["state"] == "watching");
    let name = |watch: &Value| {
        let (resource, namespace) = (watch["resource"].as_str(), watch["namespace"].as_str());
        format!(
            "{}/{}: {}",
            resource.unwrap_or_default(),
            namespace.unwrap_or("everywhere"),
            watch["objects"]
        )
    };
    watches.map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_gets_what_it_is_granted_and_a_reload_narrows_it() {
    let kubeconfig = beside(|| {
        let cluster = shared().unwrap();
        for namespace in ["granted", "withheld"] {
            cluster.kubectl(["create", "namespace", namespace]).unwrap();
            let deployment = ["create", "deployment", "one", "--image=example/one"];
            let place = ["--replicas=0", "--namespace", namespace];
            cluster.kubectl(deployment.iter().chain(&place)).unwrap();
        }
        cluster.kubeconfig()
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let config = beside(move || {
        let granted = manifest(&["pods", "deployments.apps"]);
        configure(&place, &kubeconfig, &granted)
    })
    .await;
    let agent = beside(move || Agent::start(&config)).await;
    let both = ["deployments.apps/granted: 1", "pods/granted: 0"];
    agent.until(|cluster| watched(cluster) == both).await;

    let file = folder.path().join("farmops-plugins.yaml");
    std::fs::write(file, manifest(&["pods"]).to_string()).unwrap();
    let client = Outbound::new(Reach::Operator, "farmops-test").unwrap();
    let reload = format!("http://{}/api/v1/plugins/reload", agent.api);
    let answer = client
        .post(
            reload.parse().unwrap(),
            HeaderValue::from_static("application/json"),
            "",
            Bounds::default(),
        )
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    agent
        .until(|cluster| watched(cluster) == ["pods/granted: 0"])
        .await;
}
