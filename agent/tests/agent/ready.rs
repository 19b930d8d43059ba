//! `farmops-agent ready`, and the listener that it asks.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use farmops_protocol::enrolment::AgentStatus;
use farmops_service::probes::Probes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::tracker::Chains;
use crate::world::{World, ask, until};

/// Whether the agent counts as ready, and what the program said.
async fn ready(arguments: &[&str]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_farmops-agent"));
    program.arg("ready").args(arguments);
    let output = tokio::task::spawn_blocking(move || program.output().unwrap());
    let output = output.await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn an_agent_is_asked_whether_it_is_ready() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    std::fs::write(world.folder.path().join("alerts.jsonl"), "").unwrap();
    let agent = world.start().await;
    until(agent.api, "/readyz", |answer| answer["status"] == "ready").await;
    let at = format!("http://{}", agent.api);
    assert_eq!(ready(&["--at", &at]).await, (true, "ready\n".to_owned()));
    agent.stop().await;
    let (well, said) = ready(&["--at", &at]).await;
    assert!(!well, "{said}");
}

#[tokio::test]
async fn an_agent_that_waits_says_what_it_lacks() {
    let stop = CancellationToken::new();
    let any = "127.0.0.1:0".parse().unwrap();
    let address = Probes::default().listen(any, stop.clone()).await.unwrap();
    let (well, said) = ready(&["--at", &format!("http://{address}")]).await;
    assert!(
        !well && said.contains("not ready: start: not at work yet"),
        "{said}"
    );
    stop.cancel();
}

#[tokio::test]
async fn the_listener_for_probes_shows_health_and_nothing_else() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    std::fs::write(world.folder.path().join("alerts.jsonl"), "").unwrap();
    let mut config: Value =
        serde_json::from_str(&std::fs::read_to_string(world.config_file()).unwrap()).unwrap();
    config["health_listen"] = json!("127.0.0.1:0");
    std::fs::write(world.config_file(), config.to_string()).unwrap();
    let mut agent = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .arg("--config")
        .arg(world.config_file())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(agent.stderr.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|line| line["message"] == "probes are answered")
        .unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let probes: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    until(probes, "/readyz", |answer| answer["status"] == "ready").await;
    assert_eq!(ask(probes, "/healthz").await["status"], "ok");
    assert_eq!(ask(probes, "/api/v1/status").await["status"], 404);
    agent.kill().unwrap();
    agent.wait().unwrap();
}
