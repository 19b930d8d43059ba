//! First-party plugins from real workloads to proofs: the controllers make pods, and the tests write what no
//! kubelet is there to write.

use farmops_testbed::shared;
use serde_json::{Value, json};

use crate::changes::{apply, kubectl};
use crate::judge::{Judge, told};
use crate::source::{Source, beside};

/// A Deployment with a mark in everything that an operator writes.
fn deployment(namespace: &str, security: &Value) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "zqzq-web", "namespace": namespace,
            "labels": {"zqzq-team": "zqzq-blue"}, "annotations": {"zqzq/note": "zqzq note"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "zqzq-app"}},
            "template": {
                "metadata": {"labels": {"app": "zqzq-app"}},
                "spec": {"containers": [{
                    "name": "zqzq-box", "image": "registry.zqzq.example/zqzq/web:zqzq1",
                    "env": [{"name": "ZQZQ_KEY", "value": "zqzq-value"}],
                    "args": ["--zqzq=zqzq"], "securityContext": security,
                }]},
            },
        },
    })
    .to_string()
}

async fn start(folder: &std::path::Path, judge: &Judge, namespace: &str, reads: &[&str]) -> Source {
    let kubeconfig = beside(|| shared().unwrap().kubeconfig()).await;
    let readers = [(judge.id(), judge.reads(reads))];
    let source = Source::start(folder, &kubeconfig, &[namespace], &readers).await;
    source.until_up().await;
    source
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaw_that_is_mended_is_told_without_a_word_of_the_workload() {
    const NAMESPACE: &str = "zqzq-audit";
    let settings = json!({"min_age_hours": 0, "min_standing_minutes": 0});
    let judge = Judge::new("k8s-resource-audit", settings).await;
    kubectl(&["create", "namespace", NAMESPACE]).await;
    apply(deployment(NAMESPACE, &json!({"privileged": true}))).await;
    let folder = tempfile::tempdir().unwrap();
    let reads = [
        "deployments.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "cronjobs.batch",
    ];
    let source = start(folder.path(), &judge, NAMESPACE, &reads).await;
    apply(deployment(NAMESPACE, &json!({}))).await;
    let proofs = judge.proofs(&source, 1).await;
    assert_eq!(
        told(&proofs[0]),
        json!([
            "farmops/k8s-resource-audit",
            "security",
            "privileged",
            "Mended a security flaw of high severity in a deployment",
        ])
    );
    source.stop().await;
}

/// The one pod that the controllers made.
async fn pod(namespace: &str) -> String {
    loop {
        let names = ["get", "pods", "-n", namespace, "-o", "name"];
        let pod = kubectl(&names).await;
        if let Some(name) = pod.trim().strip_prefix("pod/") {
            return name.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// As a kubelet would say it.
async fn say(namespace: &str, pod: &str, ready: bool) {
    let (ready, state) = if ready {
        (
            "True",
            json!({"running": {"startedAt": "2026-02-01T08:00:00Z"}}),
        )
    } else {
        let waiting = json!({"reason": "CrashLoopBackOff", "message": "zqzq-box is restarted"});
        ("False", json!({ "waiting": waiting }))
    };
    let status = json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready, "message": "zqzq-box"}],
        "containerStatuses": [{"name": "zqzq-box", "image": "registry.zqzq.example/zqzq/web:zqzq1",
            "imageID": "zqzq", "ready": ready == "True", "restartCount": 3, "state": state}],
    }})
    .to_string();
    let patch = [
        "patch",
        "pod",
        pod,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
    ];
    kubectl(&[&patch[..], &["-p", &status]].concat()).await;
}

async fn until_available(namespace: &str, status: &str) {
    let condition = format!("--for=condition=Available={status}");
    let wait = ["wait", "deployment/zqzq-web", "-n", namespace, &condition];
    kubectl(&[&wait[..], &["--timeout=60s"]].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_is_well_again_is_one_piece_of_work_by_its_pod_and_by_itself() {
    const NAMESPACE: &str = "zqzq-health";
    let settings = json!({"min_unhealthy_seconds": 0, "first_start_seconds": 0});
    let judge = Judge::new("k8s-pod-health", settings).await;
    kubectl(&["create", "namespace", NAMESPACE]).await;
    apply(deployment(NAMESPACE, &json!({}))).await;
    let pod = pod(NAMESPACE).await;
    say(NAMESPACE, &pod, true).await;
    until_available(NAMESPACE, "True").await;
    let folder = tempfile::tempdir().unwrap();
    let reads = [
        "pods",
        "deployments.apps",
        "statefulsets.apps",
        "daemonsets.apps",
    ];
    let source = start(folder.path(), &judge, NAMESPACE, &reads).await;
    say(NAMESPACE, &pod, false).await;
    until_available(NAMESPACE, "False").await;
    say(NAMESPACE, &pod, true).await;
    let proofs = judge.proofs(&source, 2).await;
    assert_eq!(proofs[0].work, proofs[1].work, "one piece of work");
    let mut sentences: Vec<Value> = proofs.iter().map(told).collect();
    sentences.sort_by_key(Value::to_string);
    let of = |subcategory: &str, trouble: &str| {
        let sentence = format!("Brought a deployment back from {trouble} after 0 minutes");
        json!([
            "farmops/k8s-pod-health",
            "reliability",
            subcategory,
            sentence
        ])
    };
    assert_eq!(
        sentences,
        [of("crash-loop", "a crash loop"), of("outage", "an outage")]
    );
    source.stop().await;
}
