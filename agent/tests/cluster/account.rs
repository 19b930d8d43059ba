//! The agent as a program under the account that the chart makes for it: nothing is missing, and where a rule is taken away,
//! exactly that is missed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use farmops_service::outbound::{Bounds, Outbound, Reach};
use farmops_testbed::{Program, shared};
use http::HeaderValue;
use serde_json::{Value, json};

use crate::programs;
use crate::source::beside;

const NAMESPACE: &str = "observed";
/// What the plugins of the manifest read, without what not every cluster has.
const RESOURCES: [&str; 5] = [
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "cronjobs.batch",
];

/// The agent's account with the rights that the chart gives it; answers a kubeconfig of it.
fn install_account() -> PathBuf {
    let cluster = shared().unwrap();
    cluster.kubectl(["create", "namespace", NAMESPACE]).unwrap();
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/helm/farmops-agent");
    let values = chart.join("ci/least.yaml");
    let mut template = vec!["template", "one", chart.to_str().unwrap()];
    template.extend([
        "--namespace",
        NAMESPACE,
        "--values",
        values.to_str().unwrap(),
    ]);
    for part in ["templates/serviceaccount.yaml", "templates/observer.yaml"] {
        template.extend(["--show-only", part]);
    }
    let manifests = Program::Helm.run(template).unwrap();
    let account = manifests
        .split("---")
        .find(|part| part.contains("\nkind: ServiceAccount\n"))
        .and_then(|part| {
            part.lines()
                .find_map(|line| line.trim().strip_prefix("name: "))
        })
        .unwrap()
        .to_owned();
    let arguments = ["apply", "--namespace", NAMESPACE, "-f", "-"];
    let mut apply = cluster
        .command(Program::Kubectl)
        .unwrap()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = apply.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, manifests.as_bytes()).unwrap();
    drop(stdin);
    assert!(apply.wait().unwrap().success());
    cluster.kubeconfig_of(NAMESPACE, &account).unwrap()
}

/// A manifest with the Kubernetes plugins as components, each granted all that it asks for.
fn manifest() -> Value {
    let plugin = |name: &str, resources: &[&str]| {
        json!({
            "id": format!("farmops/{name}"),
            "source": {"component": programs::component(name)},
            "grants": [{"source": "cluster", "resources": resources}],
        })
    };
    json!({"plugins": [
        plugin("k8s-pod-health", &RESOURCES[..4]),
        plugin("k8s-resource-audit", &RESOURCES[1..]),
        plugin("certificate-renewal", &["certificates.cert-manager.io"]),
    ]})
}

/// A configured agent.
pub(crate) fn configure(folder: &Path, kubeconfig: &Path, manifest: &Value) -> PathBuf {
    programs::compiler();
    let config = json!({
        "cluster_alias": "test",
        // Nobody listens there.
        "tracker_url": "http://127.0.0.1:9",
        "data_dir": folder.join("data"),
        "listen": "127.0.0.1:0",
        "farmer": {"name": "alice", "on_call": true},
        "sources": {"kubernetes": [{"name": "cluster", "kubeconfig": kubeconfig}]},
        "log": {"format": "json"},
    });
    std::fs::write(folder.join("farmops-plugins.yaml"), manifest.to_string()).unwrap();
    let file = folder.join("agent.yaml");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// A running `farmops-agent`.
pub(crate) struct Agent {
    child: Child,
    pub(crate) api: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Agent {
    pub(crate) fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
            .arg("--config")
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&log);
        let mut lines = lines.map(move |line| {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            kept.lock().unwrap().push(line.clone());
            line
        });
        let ready = lines
            .find(|line| line["message"] == "the agent is at work")
            .expect("the agent came up");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let api = ready["api"].as_str().unwrap().parse().unwrap();
        Self { child, api, log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the source's part of the status `holds`.
    pub(crate) async fn until(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let mut status = self
            .until_status(|status| holds(&status["sources"]["cluster"]))
            .await;
        status["sources"]["cluster"].take()
    }

    /// Waits until the status `holds`.
    pub(crate) async fn until_status(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let client = Outbound::new(Reach::Operator, "farmops-test").unwrap();
        let begin = Instant::now();
        loop {
            let url = format!("http://{}/api/v1/status", self.api)
                .parse()
                .unwrap();
            let answer = client.get(url, Bounds::default()).await.unwrap();
            let status: Value = serde_json::from_slice(&answer.body).unwrap();
            if holds(&status) {
                return status;
            }
            assert!(begin.elapsed() < Duration::from_mins(2), "{status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Has it read its manifest anew.
    pub(crate) async fn reload(&self) {
        let client = Outbound::new(Reach::Operator, "farmops-test").unwrap();
        let url = format!("http://{}/api/v1/plugins/reload", self.api);
        let json = HeaderValue::from_static("application/json");
        let answer = client.post(url.parse().unwrap(), json, "", Bounds::default());
        assert_eq!(answer.await.unwrap().status, 200);
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn state(cluster: &Value, resource: &str) -> Option<String> {
    let watches = cluster["watches"].as_array()?;
    let watch = watches.iter().find(|watch| watch["resource"] == resource)?;
    watch["state"].as_str().map(str::to_owned)
}

/// `list` and `watch` of what one entry of the account's role names.
struct Rule {
    role: Value,
    at: usize,
}

impl Rule {
    fn resources(&self) -> Vec<String> {
        let rule = &self.role["rules"][self.at];
        let words = |member: &str| -> Vec<String> {
            let words = rule[member].as_array().unwrap().iter();
            words
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        let groups = words("apiGroups");
        let named = |plural: String| match groups[0].as_str() {
            "" => plural,
            group => format!("{plural}.{group}"),
        };
        words("resources").into_iter().map(named).collect()
    }

    fn take_away(&self) {
        let mut role = self.role.clone();
        role["rules"].as_array_mut().unwrap().remove(self.at);
        replace(&role);
    }

    fn give_back(&self) {
        replace(&self.role);
    }
}

fn role() -> Value {
    let roles = shared()
        .unwrap()
        .kubectl([
            "get",
            "clusterroles",
            "-o",
            "json",
            "-l",
            "app.kubernetes.io/name=farmops-agent",
        ])
        .unwrap();
    let mut roles: Value = serde_json::from_str(&roles).unwrap();
    let mut role = roles["items"][0].take();
    role["metadata"]
        .as_object_mut()
        .unwrap()
        .retain(|member, _| ["name", "labels"].contains(&member.as_str()));
    role
}

fn replace(role: &Value) {
    shared().unwrap().apply(&role.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charts_account_lacks_nothing_and_each_rule_is_missed_by_name() {
    let kubeconfig = beside(install_account).await;
    let folder = tempfile::tempdir().unwrap();
    let (place, file) = (folder.path().to_owned(), kubeconfig.clone());
    let config = beside(move || configure(&place, &file, &manifest())).await;

    // What the operator is told before anything runs.
    let explained = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .arg("--config")
        .arg(&config)
        .args(["plugins", "explain", "--json"])
        .output()
        .unwrap();
    assert!(explained.status.success(), "{explained:?}");
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    for plugin in explained["plugins"].as_array().unwrap() {
        for reads in plugin["reads"].as_array().unwrap() {
            assert_eq!(reads["rbac"], "allowed", "{reads}");
            assert_eq!(reads["effective"], true, "{reads}");
        }
    }

    let all = |cluster: &Value| {
        cluster["up"] == true
            && RESOURCES
                .iter()
                .all(|r| state(cluster, r).as_deref() == Some("watching"))
            && state(cluster, "certificates.cert-manager.io").as_deref() == Some("absent")
    };
    let start = config.clone();
    let agent = beside(move || Agent::start(&start)).await;
    agent.until(all).await;
    drop(agent);

    let role = beside(role).await;
    let rules = role["rules"].as_array().unwrap().len();
    let mut missed = 0;
    for at in 0..rules {
        let rule = std::sync::Arc::new(Rule {
            role: role.clone(),
            at,
        });
        let resources = rule.resources();
        let needed: Vec<&str> = RESOURCES
            .into_iter()
            .filter(|resource| resources.iter().any(|r| r == resource))
            .collect();
        if needed.is_empty() {
            continue;
        }
        missed += needed.len();
        let taken = std::sync::Arc::clone(&rule);
        beside(move || taken.take_away()).await;
        let start = config.clone();
        let agent = beside(move || Agent::start(&start)).await;
        let cluster = agent
            .until(|cluster| {
                RESOURCES.iter().all(|resource| {
                    let expected = if needed.contains(resource) {
                        "denied"
                    } else {
                        "watching"
                    };
                    state(cluster, resource).as_deref() == Some(expected)
                })
            })
            .await;
        assert_eq!(cluster["up"], false, "{cluster:#}");
        let reason = cluster["reason"].as_str().unwrap();
        assert!(
            needed.iter().any(|resource| reason.contains(resource)),
            "{reason}"
        );
        assert!(reason.contains("may not be listed"), "{reason}");
        beside(move || rule.give_back()).await;
        agent.until(all).await;
    }
    assert_eq!(missed, RESOURCES.len(), "every resource stands in one rule");
}
