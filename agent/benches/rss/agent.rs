//! The agent as a process: built as it is shipped, started beside a cluster, and read from `/proc`.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use farmops_testbed::Cluster;
use serde_json::{Value, json};

use super::{PATIENCE, mib};

/// The agent as it is shipped, the compiler and the component, in the folder that holds the programs.
pub(crate) fn programs() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for package in ["farmops-agent", "farmops-agent-compiler"] {
        // One after the other: built together they would get each other's features.
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(root);
        build.args(["build", "--quiet", "--profile", "dist", "-p", package]);
        assert!(build.status().unwrap().success());
    }
    let mut components = Command::new(root.join("plugins/build-components"));
    assert!(components.arg("k8s-pod-health").status().unwrap().success());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("dist")
}

pub(crate) fn configure(folder: &Path, programs: &Path, cluster: Option<&Cluster>) -> PathBuf {
    let file = json!([{"name": "work", "path": folder.join("work.jsonl")}]);
    let sources = match cluster {
        Some(cluster) => {
            json!({"kubernetes": [{"name": "cluster", "kubeconfig": cluster.kubeconfig()}]})
        }
        None => json!({"file": file}),
    };
    let plugins = match cluster {
        Some(_) => json!([{
            "id": "farmops/k8s-pod-health",
            "source": {"component": programs.parent().unwrap().join("components/k8s-pod-health.wasm")},
            "grants": [{"source": "cluster", "resources": ["pods"]}],
        }]),
        None => json!([]),
    };
    let config = json!({
        "cluster_alias": "bench",
        // Nothing listens there: the agent keeps what it has.
        "tracker_url": "http://127.0.0.1:9",
        "data_dir": folder.join("data"),
        "listen": "127.0.0.1:0",
        "farmer": {"name": "alice", "on_call": true},
        "sources": sources,
        "plugins": "farmops-plugins.yaml",
    });
    std::fs::write(
        folder.join("farmops-plugins.yaml"),
        json!({"plugins": plugins}).to_string(),
    )
    .unwrap();
    let path = folder.join("agent.yaml");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// The measured process.
pub(crate) struct Agent {
    child: Child,
    api: String,
    http: reqwest::Client,
}

impl Agent {
    pub(crate) async fn start(programs: &Path, config: &Path) -> Self {
        farmops_service::tls::init();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let child = Command::new(programs.join("farmops-agent"))
            .arg("--config")
            .arg(config)
            .args(["--listen", &address.to_string()])
            // The agent takes every FARMOPS_ variable for a setting, and refuses those that are none.
            .env_remove(super::PODS)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self {
            child,
            api: format!("http://{address}"),
            http: reqwest::Client::new(),
        };
        agent.answers().await;
        agent
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.http.get(format!("{}{path}", self.api)).send().await;
        serde_json::from_slice(&answer.ok()?.bytes().await.ok()?).ok()
    }

    pub(crate) async fn answers(&self) {
        let until = Instant::now() + PATIENCE;
        while self.get("/api/v1/status").await.is_none() {
            assert!(Instant::now() < until, "the agent does not answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the agent says that it watches so many pods.
    pub(crate) async fn watches(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.get("/api/v1/status").await.unwrap_or_default();
            let watches = status["sources"]["cluster"]["watches"].clone();
            let pods = watches
                .as_array()
                .and_then(|all| all.iter().find(|watch| watch["resource"] == "pods"));
            if pods.is_some_and(|watch| watch["state"] == "watching" && watch["objects"] == count) {
                return;
            }
            assert!(Instant::now() < until, "not synced: {watches}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Usage {
            resident: kib("VmRSS:"),
            peak: kib("VmHWM:"),
            anonymous: kib("RssAnon:"),
        }
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let rest: Vec<&str> = text
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks = |at: usize| rest[at].parse::<u64>().unwrap();
        // The kernel counts in hundredths of a second for programs (`USER_HZ`).
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    pub(crate) async fn stop(mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status().unwrap();
        tokio::task::spawn_blocking(move || self.child.wait().unwrap())
            .await
            .unwrap();
    }
}

/// In KiB.
pub(crate) struct Usage {
    resident: u64,
    pub(crate) peak: u64,
    pub(crate) anonymous: u64,
}

impl Usage {
    pub(crate) fn resident_mib(&self) -> f64 {
        mib(self.resident)
    }
}
