//! `kill -9` at any moment: no acknowledged delivery is lost, no work is proven twice.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farmops_protocol::enrolment::AgentStatus;
use serde_json::Value;
use tokio::sync::watch;

use crate::tracker::Chains;
use crate::world::{SECRET, World, client, deliver_with, review, until};

const KILLS: u64 = 20;

/// Starts the agent's program and waits until it says where it listens.
pub(crate) fn start(world: &World) -> (Child, SocketAddr, SocketAddr) {
    let mut agent = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .arg("--config")
        .arg(world.config_file())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(agent.stderr.take().unwrap()).lines();
    let ready = lines
        .by_ref()
        .map(|line| {
            let line = line.unwrap();
            serde_json::from_str::<Value>(&line)
                .unwrap_or_else(|_| panic!("the agent complains: {line}"))
        })
        .find(|line| line["message"] == "the agent is at work")
        .unwrap();
    // A full pipe would stop the agent.
    std::thread::spawn(move || lines.for_each(drop));
    let address = |text: &Value| {
        let text = text.as_str().unwrap();
        text.trim_start_matches("Some(")
            .trim_end_matches(')')
            .parse()
            .unwrap()
    };
    (agent, address(&ready["api"]), address(&ready["webhooks"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_log_nobody_reads_any_more_stops_in_good_order() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let mut agent = Command::new(env!("CARGO_BIN_EXE_farmops-agent"))
        .arg("--config")
        .arg(world.config_file())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(agent.stderr.take().unwrap());
    let mut lines = log.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("the agent is at work")));
    drop(lines);
    let stopped = Command::new("kill").arg(agent.id().to_string()).status();
    assert!(stopped.unwrap().success());
    let (ended, end) = tokio::sync::oneshot::channel();
    let id = agent.id();
    std::thread::spawn(move || ended.send(agent.wait().unwrap()));
    let waited = tokio::time::timeout(Duration::from_secs(30), end).await;
    let kill = || Command::new("kill").arg("-9").arg(id.to_string()).status();
    let status = waited.unwrap_or_else(|_| panic!("does not stop: {:?}", kill()));
    assert!(status.unwrap().success());
}

/// Delivers review after review, each until it is acknowledged, as a forge's operator would.
async fn replay(mut webhooks: watch::Receiver<SocketAddr>, stop: watch::Receiver<bool>) -> usize {
    let client = client();
    let mut number = 0;
    while !*stop.borrow() {
        // What was sent but not acknowledged may have been kept, so it is always sent again.
        loop {
            let address = *webhooks.borrow_and_update();
            let delivery = format!("d{number}");
            match deliver_with(&client, address, &delivery, review(number), SECRET).await {
                Ok(answer) if answer.status.is_success() => break,
                // Full: the queue drains meanwhile. Gone: a new one is about to be announced.
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
        number += 1;
    }
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_and_double_nothing() {
    let chains = Chains::new(AgentStatus::Active);
    let (address, _server) = chains.serve("127.0.0.1:0");
    let world = World::new(address);
    let (mut agent, mut api, webhooks) = start(&world);
    let (announce, announced) = watch::channel(webhooks);
    let (stop, stopped) = watch::channel(false);
    let replayer = tokio::spawn(replay(announced, stopped));
    for _ in 0..KILLS {
        let moment = Duration::from_millis(rand::random_range(0..250));
        tokio::time::sleep(moment).await;
        agent.kill().unwrap();
        agent.wait().unwrap();
        let (next, next_api, webhooks) = start(&world);
        (agent, api) = (next, next_api);
        announce.send_replace(webhooks);
    }
    stop.send_replace(true);
    let acknowledged = replayer.await.unwrap();
    until(api, "/api/v1/status", |status| {
        status["queue"]["waiting"] == 0 && status["outbox"]["waiting"] == 0
    })
    .await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(acknowledged > 0);
    println!("{KILLS} kills, {acknowledged} deliveries acknowledged");
    assert_eq!(chains.count(), acknowledged);
}
