//! Two replicas of one agent before a real API server: one works, the other takes over.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use farmops_protocol::enrolment::AgentStatus;
use serde_json::{Value, json};

use crate::tracker::Chains;
use crate::world::{SECRET, World, ask, deliver, review};

/// All that a standby needs of the API server.
const ROLE: &str = r"
apiVersion: v1
kind: Namespace
metadata: {name: standby}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: agent, namespace: standby}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: agent, namespace: standby}
rules:
  - {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
  - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [farmops-agent], verbs: [get, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: agent, namespace: standby}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: agent}
subjects: [{kind: ServiceAccount, name: agent, namespace: standby}]
";

/// A running replica and its log.
struct Replica {
    process: Child,
    log: mpsc::Receiver<Value>,
}

impl Replica {
    fn start(world: &World, kubeconfig: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
            .arg("--config")
            .arg(world.config_file())
            .env("KUBECONFIG", kubeconfig)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (tell, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line =
                    serde_json::from_str(&line).unwrap_or_else(|_| json!({ "message": line }));
                // The log is read to its end even when nobody listens any more.
                let _ = tell.send(line);
            }
        });
        Self { process, log }
    }

    /// Waits for a line of the log. Beside the runtime, so that the tracker goes on.
    fn says(&self, message: &str) -> Value {
        let deadline = Instant::now() + Duration::from_mins(1);
        let mut heard = Vec::new();
        tokio::task::block_in_place(|| {
            loop {
                let patience = deadline.saturating_duration_since(Instant::now());
                let line = self.log.recv_timeout(patience);
                let line = line.unwrap_or_else(|_| panic!("no `{message}` in {heard:#?}"));
                if line["message"] == message {
                    return line;
                }
                heard.push(line);
            }
        })
    }

    fn works(&self) -> SocketAddr {
        let line = self.says("the agent is at work");
        let webhooks = line["webhooks"].as_str().unwrap();
        let webhooks = webhooks.trim_start_matches("Some(").trim_end_matches(')');
        webhooks.parse().unwrap()
    }

    /// Where it answers probes; said before anything else.
    fn probes(&self) -> SocketAddr {
        let line = self.says("probes are answered");
        line["address"].as_str().unwrap().parse().unwrap()
    }

    fn stands_by(&self) -> SocketAddr {
        let line = self.says("this replica stands by");
        line["api"].as_str().unwrap().parse().unwrap()
    }

    fn end(&mut self) -> std::process::ExitStatus {
        tokio::task::block_in_place(|| self.process.wait().unwrap())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A replica's folder: its own data, and the identity that all share.
fn replica(tracker: SocketAddr, identity: &Path) -> World {
    let world = World::new(tracker);
    let file = world.config_file();
    let mut config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    config["identity_dir"] = json!(identity);
    config["health_listen"] = json!("127.0.0.1:0");
    config["standby"] = json!({"lease": "farmops-agent", "namespace": "standby"});
    std::fs::write(file, config.to_string()).unwrap();
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_and_the_chain_goes_on() {
    let cluster = farmops_testbed::shared().unwrap();
    cluster.apply(ROLE).unwrap();
    let kubeconfig = cluster.kubeconfig_of("standby", "agent").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let identity = folder.path().join("identity");
    let made = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .args(["identity", "new"])
        .arg(&identity)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let [first, second] = [(); 2].map(|()| replica(address, &identity));

    let mut one = Replica::start(&first, &kubeconfig);
    let webhooks = one.works();
    let mut other = Replica::start(&second, &kubeconfig);
    let probes = other.probes();
    let passive = other.stands_by();
    other.says("another replica holds the lease");
    let status = ask(passive, "/api/v1/status").await;
    assert_eq!(status["standby"]["leading"], false, "{status}");
    let readiness = ask(passive, "/readyz").await;
    assert_eq!(readiness["checks"]["lease"]["status"], "ok", "{readiness}");
    assert_eq!(
        readiness["checks"]["standby"]["status"], "failed",
        "{readiness}"
    );
    assert_eq!(ask(probes, "/healthz").await["status"], "ok");
    assert_eq!(ask(probes, "/readyz").await, readiness);
    for number in 0..2 {
        let answer = deliver(webhooks, &format!("d{number}"), review(number), SECRET).await;
        assert!(answer.unwrap().status.is_success());
    }
    chains.wait_for(2).await;

    // The one at work is gone without a word.
    one.process.kill().unwrap();
    let killed = Instant::now();
    let webhooks = other.works();
    let took = killed.elapsed();
    println!("taken over {took:?} after kill -9");
    assert!(
        took > Duration::from_secs(4),
        "before the lease had run out: {took:?}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}");
    let readiness = ask(probes, "/readyz").await;
    assert!(readiness["checks"]["sources"].is_object(), "{readiness}");
    deliver(webhooks, "d2", review(2), SECRET).await.unwrap();
    chains.wait_for(3).await;

    // One that ends in good order gives the lease up.
    let back = Replica::start(&first, &kubeconfig);
    back.stands_by();
    back.says("another replica holds the lease");
    let asked = Command::new("kill")
        .arg(other.process.id().to_string())
        .status();
    assert!(asked.unwrap().success());
    assert!(other.end().success());
    let ended = Instant::now();
    // What it knew is of before the other led.
    back.says("another replica may have led since this one did; its sources begin anew");
    let webhooks = back.works();
    println!("taken over {:?} after a good end", ended.elapsed());
    assert!(ended.elapsed() < Duration::from_secs(10));
    deliver(webhooks, "d3", review(3), SECRET).await.unwrap();
    chains.wait_for(4).await;

    // One whose lease is taken away stops, and says so by its exit status.
    let mut back = back;
    let patch = r#"{"spec":{"holderIdentity":"somebody-else"}}"#;
    let lease = [
        "-n",
        "standby",
        "patch",
        "lease",
        "farmops-agent",
        "--type=merge",
        "-p",
        patch,
    ];
    cluster.kubectl(lease).unwrap();
    let taken = Instant::now();
    assert_eq!(back.end().code(), Some(6));
    assert!(
        taken.elapsed() < Duration::from_secs(15),
        "{:?}",
        taken.elapsed()
    );
    assert_eq!(chains.count(), 4);
}
