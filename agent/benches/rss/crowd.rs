//! Pods in a real API server, as many as are asked for, with a status as a kubelet writes it.

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use farmops_testbed::{Cluster, Program};
use serde_json::{Value, json};

use super::PATIENCE;

/// Pods created at once.
const HANDS: usize = 16;

/// Pods without a kubelet, as many as are asked for.
pub(crate) struct Crowd {
    proxy: Child,
    base: String,
    http: reqwest::Client,
}

impl Crowd {
    pub(crate) async fn new(cluster: &Cluster) -> Self {
        farmops_service::tls::init();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        // It speaks for the administrator, in plain HTTP on loopback.
        let proxy = cluster
            .command(Program::Kubectl)
            .unwrap()
            .args(["proxy", "--port", &address.port().to_string()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        cluster.kubectl(["create", "namespace", "crowd"]).unwrap();
        let crowd = Self {
            proxy,
            base: format!("http://{address}/api/v1/namespaces/crowd"),
            http: reqwest::Client::new(),
        };
        let until = Instant::now() + PATIENCE;
        // The service account's controller has to have been there, or pods are refused.
        while !crowd.get("serviceaccounts/default").await {
            assert!(Instant::now() < until);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        crowd
    }

    pub(crate) async fn get(&self, path: &str) -> bool {
        let answer = self.http.get(format!("{}/{path}", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn grow(&self, numbers: std::ops::Range<usize>) {
        let numbers = std::sync::Arc::new(tokio::sync::Mutex::new(numbers));
        let hands = (0..HANDS).map(|_| {
            let numbers = std::sync::Arc::clone(&numbers);
            async move {
                loop {
                    let Some(number) = numbers.lock().await.next() else {
                        return;
                    };
                    self.create(number).await;
                }
            }
        });
        futures::future::join_all(hands).await;
    }

    pub(crate) async fn create(&self, number: usize) {
        let mut pod = pod(number);
        let pods = format!("{}/pods", self.base);
        let made = self.send(reqwest::Method::POST, &pods, &pod).await;
        pod["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"].clone();
        pod["status"] = status(number);
        let status = format!(
            "{pods}/{}/status",
            pod["metadata"]["name"].as_str().unwrap()
        );
        self.send(reqwest::Method::PUT, &status, &pod).await;
    }

    /// Changes a label of the first `count` pods.
    pub(crate) async fn touch(&self, count: usize) {
        for number in 0..count {
            let url = format!("{}/pods/{}", self.base, name(number));
            let body = json!({"metadata": {"labels": {"touched": "yes"}}});
            let request = self
                .http
                .patch(url)
                .header("content-type", "application/merge-patch+json")
                .body(body.to_string());
            assert!(request.send().await.unwrap().status().is_success());
        }
    }

    pub(crate) async fn send(&self, method: reqwest::Method, url: &str, body: &Value) -> Value {
        let answer = self.http.request(method, url).json(body).send().await;
        let answer = answer.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

pub(crate) fn name(number: usize) -> String {
    format!("shop-frontend-{:x}-{number:05}", number / 10)
}

/// A pod as a deployment of two containers makes it, some 4 KB with what the API server adds.
pub(crate) fn pod(number: usize) -> Value {
    let container = |name: &str| {
        let variables = (0..8).map(|at| {
            json!({"name": format!("SETTING_{at}"), "value": format!("value-{at}-of-{name}-in-{number}")})
        });
        json!({
            "name": name,
            "image": format!("registry.example/shop/{name}:1.{}.0", number % 20),
            "env": variables.collect::<Vec<_>>(),
            "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5},
            "livenessProbe": {"httpGet": {"path": "/alive", "port": 8080}, "periodSeconds": 10},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
        })
    };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name(number),
            "labels": {"app": "shop", "tier": "frontend", "pod-template-hash": format!("{:x}", number / 10)},
            "annotations": {"example.org/checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
        },
        "spec": {
            // Bound already: there is no scheduler.
            "nodeName": format!("node-{}", number % 50),
            "containers": [container("web"), container("sidecar")],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
        },
    })
}

/// What a kubelet writes of a pod that runs.
pub(crate) fn status(number: usize) -> Value {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-02-21T09:30:00Z"});
    let container = |name: &str| {
        json!({
            "name": name,
            "ready": true,
            "started": true,
            "restartCount": 0,
            "image": format!("registry.example/shop/{name}:1.{}.0", number % 20),
            "imageID": format!("registry.example/shop/{name}@sha256:{number:064x}"),
            "containerID": format!("containerd://{number:064x}"),
            "state": {"running": {"startedAt": "2026-02-21T09:29:55Z"}},
        })
    };
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
    json!({
        "phase": "Running",
        "podIP": format!("10.1.{}.{}", number / 250, number % 250 + 1),
        "startTime": "2026-02-21T09:29:50Z",
        "conditions": conditions,
        "containerStatuses": [container("web"), container("sidecar")],
    })
}
