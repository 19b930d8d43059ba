//! What a plugin gets of a cluster is what the manifest grants, and no more, whatever it asks for and the account may read.

use farmops_protocol::enrolment::AgentStatus;
use farmops_testbed::shared;
use serde_json::{Value, json};

use crate::account::{Agent, configure};
use crate::changes::{apply, kubectl};
use crate::programs;
use crate::source::beside;
use crate::tracker::Chains;

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
    agent.reload().await;
    agent
        .until(|cluster| watched(cluster) == ["pods/granted: 0"])
        .await;
}

/// A plugin that proves whatever it is told of, once for each name (`agent/wasm/hostile`).
fn prover(resources: &[&str], namespaces: &[&str]) -> Value {
    json!({"plugins": [{
        "id": "farmops/hostile",
        "source": {"component": programs::component("hostile")},
        "grants": [{"source": "cluster", "resources": resources, "namespaces": namespaces}],
    }]})
}

/// A name over which it makes an honest proof.
fn name(of: &str) -> String {
    let mut names = (0..).map(|number| format!("zqzq-{of}-{number}"));
    let honest = |name: &String| name.bytes().map(u32::from).sum::<u32>() % 11 < 2;
    names.find(honest).unwrap()
}

/// Things that change when somebody touches them, and not before.
async fn furnish(deployments: [(&str, &str); 3], pod: (&str, &str)) {
    for (namespace, name) in deployments {
        let create = ["create", "deployment", name, "--image=example/one"];
        kubectl(&[&create[..], &["--replicas=0", "-n", namespace]].concat()).await;
        let deployment = format!("deployment/{name}");
        kubectl(&["rollout", "status", &deployment, "-n", namespace]).await;
    }
    let (namespace, name) = pod;
    let spec =
        json!({"nodeName": "nowhere", "containers": [{"name": "box", "image": "example/one"}]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec});
    apply(pod.to_string()).await;
}

async fn touch(kind: &str, namespace: &str, name: &str) {
    kubectl(&["label", kind, name, "-n", namespace, "touched=yes"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_judged_by_the_grants_of_then() {
    let [first, elsewhere, later, pod] = ["first", "elsewhere", "later", "pod"].map(name);
    for namespace in ["staying", "leaving"] {
        kubectl(&["create", "namespace", namespace]).await;
    }
    let deployments = [
        ("staying", &*first),
        ("leaving", &elsewhere),
        ("staying", &later),
    ];
    furnish(deployments, ("staying", &pod)).await;
    let chains = Chains::new(AgentStatus::Active);
    let (tracker, server) = chains.serve("127.0.0.1:0");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let config = beside(move || {
        let kubeconfig = shared().unwrap().kubeconfig();
        let granted = prover(&["pods", "deployments.apps"], &["staying", "leaving"]);
        let file = configure(&place, &kubeconfig, &granted);
        let mut config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        config["tracker_url"] = json!(format!("http://{tracker}"));
        // One proof that is not delivered holds up all that waits.
        config["limits"] = json!({"proofs_undelivered_max": 1});
        std::fs::write(&file, config.to_string()).unwrap();
        file
    })
    .await;
    let agent = beside(move || Agent::start(&config)).await;
    agent.until(|cluster| watched(cluster).len() == 4).await;
    drop(server);
    touch("deployment", "staying", &first).await;
    agent
        .until_status(|status| status["outbox"]["waiting"] == 1)
        .await;
    let waiting = [
        ("deployment", "leaving", &elsewhere),
        ("pod", "staying", &pod),
        ("deployment", "staying", &later),
    ];
    for (count, (kind, namespace, name)) in (1..).zip(waiting) {
        touch(kind, namespace, name).await;
        agent
            .until_status(|status| status["queue"]["waiting"] == count)
            .await;
    }

    let narrowed = prover(&["deployments.apps"], &["staying"]).to_string();
    std::fs::write(folder.path().join("farmops-plugins.yaml"), narrowed).unwrap();
    agent.reload().await;
    let (_, _server) = chains.serve(&tracker.to_string());
    let status = agent
        .until_status(|status| status["queue"]["waiting"] == 0)
        .await;
    let counters = &status["counters"];
    assert_eq!(counters["dropped"], 2, "{status:#}");
    assert_eq!(counters["proofs"], 2, "{status:#}");
    assert_eq!(status["evidence"]["count"], 2, "{status:#}");
    chains.wait_for(2).await;
    let log = agent.log();
    let dropped = |line: &&Value| line["message"].as_str().unwrap().contains("not granted");
    let dropped: Vec<&Value> = log.iter().filter(dropped).collect();
    assert_eq!(dropped.len(), 1, "it is said once: {dropped:?}");
    assert_eq!(dropped[0]["plugin"], "farmops/hostile");
    for line in log {
        let line = line.to_string();
        assert!(!line.contains(&elsewhere) && !line.contains(&pod), "{line}");
    }
}
