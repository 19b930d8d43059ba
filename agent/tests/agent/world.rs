//! A folder with a configured agent, and a forge that signs what it sends to it.

use std::net::SocketAddr;
use std::path::PathBuf;

use farmops_agent::agent::Agent;
use farmops_agent::config::AgentConfig;
use farmops_protocol::digest::keyed;
use farmops_service::outbound::{BoundedResponse, Bounds, Outbound, OutboundError, Reach};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::programs;

pub(crate) const SECRET: &str = "It's a Secret to Everybody";
const APPROVED: &str = include_str!(
    "../../../plugins/git-pr-review/fixtures/adapted/pull_request_review.approved.json"
);

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// An agent that reads one GitHub hook and one file, and delivers to `tracker`.
    pub(crate) fn new(tracker: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = programs::folder();
        let config = json!({
            "cluster_alias": "test",
            "tracker_url": format!("http://{tracker}"),
            "data_dir": folder.path().join("data"),
            "listen": "127.0.0.1:0",
            "farmer": {"name": "alice", "on_call": true, "identities": {"github": ["monalisa"]}},
            "sources": {
                "webhook": {
                    "listen": "127.0.0.1:0",
                    "hooks": [{"name": "github", "provider": "github", "secret": SECRET}],
                },
                "file": [{"name": "alerts", "path": folder.path().join("alerts.jsonl"), "source_type": "alertmanager"}],
            },
            "sandbox": {"launcher": programs::agent()},
            "limits": {"observations_max": 100},
            "log": {"format": "json", "filter": "info"},
        });
        let plugin = |name: &str, source: &str, config: Value| {
            let program = programs.join(format!("farmops-plugin-{name}"));
            json!({
                "id": format!("farmops/{name}"), "version": "^0.1", "source": {"binary": program},
                "grants": [{"source": source}], "config": config,
            })
        };
        let manifest = json!({"plugins": [
            plugin("git-pr-review", "github", json!({})),
            plugin("prometheus-alert-resolve", "alerts", json!({"min_firing_seconds": 5})),
        ]});
        let write = |name: &str, document: &Value| {
            std::fs::write(folder.path().join(name), document.to_string()).unwrap();
        };
        // JSON is YAML.
        write("agent.yaml", &config);
        write("farmops-plugins.yaml", &manifest);
        Self { folder }
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("agent.yaml")
    }

    pub(crate) fn config(&self) -> AgentConfig {
        AgentConfig::load(Some(&self.config_file()), [], json!({})).unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs `farmops-agent keys …`: whether it went well, and what it said.
    pub(crate) async fn keys(&self, arguments: &[&str]) -> (bool, String) {
        self.command("keys", arguments).await
    }

    /// Runs a command of `farmops-agent`: whether it went well, and what it said.
    pub(crate) async fn command(&self, command: &str, arguments: &[&str]) -> (bool, String) {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_farmops-agent"));
        program.arg("--config").arg(self.config_file()).arg(command);
        program.args(arguments);
        // Beside the runtime: an agent or a tracker of the same test goes on meanwhile.
        let output = tokio::task::spawn_blocking(move || program.output().unwrap());
        let output = output.await.unwrap();
        let said = if output.status.success() {
            output.stdout
        } else {
            [output.stdout, output.stderr].concat()
        };
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(self.config()).await
    }

    pub(crate) async fn start_with(&self, config: AgentConfig) -> Running {
        let stop = CancellationToken::new();
        let agent = Agent::start(config, stop.clone()).await.unwrap();
        Running {
            api: agent.api,
            webhooks: agent.webhooks.unwrap(),
            stop,
            task: tokio::spawn(agent.run()),
        }
    }
}

/// An agent at work in this process.
pub(crate) struct Running {
    pub(crate) api: SocketAddr,
    pub(crate) webhooks: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

pub(crate) fn client() -> Outbound {
    Outbound::new(Reach::Operator, "farmops-test").unwrap()
}

/// A review of a commit of its own, so that each is a piece of work of its own.
pub(crate) fn review(number: usize) -> Vec<u8> {
    let mut payload: Value = serde_json::from_str(APPROVED).unwrap();
    payload["review"]["commit_id"] = json!(format!("{number:040}"));
    payload.to_string().into_bytes()
}

/// Sends a review as GitHub does.
pub(crate) async fn deliver(
    webhooks: SocketAddr,
    delivery: &str,
    body: Vec<u8>,
    secret: &str,
) -> Result<BoundedResponse, OutboundError> {
    deliver_with(&client(), webhooks, delivery, body, secret).await
}

/// Sends a review over connections that are kept.
pub(crate) async fn deliver_with(
    client: &Outbound,
    webhooks: SocketAddr,
    delivery: &str,
    body: Vec<u8>,
    secret: &str,
) -> Result<BoundedResponse, OutboundError> {
    let url = format!("http://{webhooks}/hooks/github").parse().unwrap();
    let signature = keyed(secret.as_bytes(), &body);
    let request = client
        .request(http::Method::POST, url)
        .header("x-github-event", "pull_request_review")
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", format!("sha256={signature}"))
        .header("content-type", "application/json")
        .body(body)
        .build()
        .unwrap();
    client.execute(request, Bounds::default()).await
}

/// Asks the agent's API.
pub(crate) async fn ask(api: SocketAddr, path: &str) -> Value {
    let url = format!("http://{api}{path}").parse().unwrap();
    let answer = client().get(url, Bounds::default()).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks the API again and again until `holds`; the agent's own news wake nobody outside.
pub(crate) async fn until(api: SocketAddr, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let begin = tokio::time::Instant::now();
    loop {
        let answer = ask(api, path).await;
        if holds(&answer) {
            return answer;
        }
        assert!(begin.elapsed().as_secs() < 30, "{path}: {answer:#}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
