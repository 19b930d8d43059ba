//! An API server that refuses every connection is complained of once, however often it is tried.

use std::net::{SocketAddr, TcpListener};

use farmops_service::outbound::{Bounds, Outbound, Reach};
use serde_json::{Value, json};

use crate::account::{Agent, configure};
use crate::programs;
use crate::source::beside;

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// How often the agent has met an error of the API server.
async fn errors(metrics: SocketAddr) -> u32 {
    let client = Outbound::new(Reach::Operator, "farmops-test").unwrap();
    let url = format!("http://{metrics}/metrics").parse().unwrap();
    let answer = client.get(url, Bounds::default()).await.unwrap();
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let counted = text.lines().find_map(|line| {
        line.strip_prefix("farmops_agent_kubernetes_errors_total{resource=\"pods\"} ")
    });
    counted.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_connections_is_complained_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = nobody();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": format!("http://{}", nobody())}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "users": [{"name": "one", "user": {}}],
    });
    let place = folder.path().to_owned();
    let agent = beside(move || {
        let file = place.join("kubeconfig");
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        let manifest = json!({"plugins": [{
            "id": "farmops/k8s-pod-health",
            "source": {"component": programs::component("k8s-pod-health")},
            "grants": [{"source": "cluster", "resources": ["pods"]}],
        }]});
        let config_file = configure(&place, &file, &manifest);
        let config = std::fs::read(&config_file).unwrap();
        let mut config: Value = serde_json::from_slice(&config).unwrap();
        config["metrics_listen"] = json!(metrics);
        std::fs::write(&config_file, config.to_string()).unwrap();
        Agent::start(&config_file)
    })
    .await;
    agent.until(|cluster| cluster["up"] == false).await;
    let begin = std::time::Instant::now();
    while errors(metrics).await < 4 {
        assert!(begin.elapsed().as_secs() < 60, "it is tried again");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let log = agent.log();
    let of = |line: &&Value| line["target"].as_str().unwrap().starts_with("kube");
    let theirs: Vec<&Value> = log.iter().filter(of).collect();
    assert!(theirs.is_empty(), "{theirs:#?}");
    for message in ["source is down", "resource is not watched"] {
        let said = log.iter().filter(|line| line["message"] == message);
        let reasons: Vec<&str> = said.map(|line| line["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons.len(), 1, "{message}: {reasons:?}");
        assert!(reasons[0].contains("refused"), "{reasons:?}");
    }
}
