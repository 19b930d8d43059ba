//! `agent-relist`: the memory that it takes to list 5,000 pods again and to compare them with what is known.
//!
//! The agent is stopped, the API server compacts away what the agent had seen and forgets it in a restart, and the agent is
//! started again: its watch is refused with 410, and everything is listed. Value is the peak of the resident set in MiB until the end of a calm, baseline
//! the resident set then.
//!
//! Prints one line of JSON. `FARMOPS_BENCH_PODS` says how many pods.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use farmops_testbed::Cluster;
use serde_json::{Value, json};

use crate::rss::{
    CALM, PATIENCE,
    agent::{Agent, configure, programs},
    crowd::Crowd,
    mib, pods_max, print,
};

mod rss;

/// Between two compactions; the API server compacts what was there at the one before.
const COMPACTION: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let programs = programs();
    let flag = format!("--etcd-compaction-interval={}s", COMPACTION.as_secs());
    let mut cluster = Cluster::start_with(&[&flag]).unwrap();
    let crowd = Crowd::new(&cluster).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &programs, Some(&cluster));
    let pods = pods_max();
    crowd.grow(0..pods).await;
    let agent = Agent::start(&programs, &config).await;
    agent.watches(pods).await;
    agent.stop().await;
    crowd.touch(50).await;
    tokio::time::sleep(COMPACTION * 3).await;
    // What it still remembers of the changes would be as good to the agent.
    cluster.stop_api().unwrap();
    cluster.start_api().unwrap();
    let metrics = show_metrics(&config);
    let begun = Instant::now();
    let agent = Agent::start(&programs, &config).await;
    while lists(&metrics).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "it goes on with its watch");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    agent.watches(pods).await;
    let seconds = begun.elapsed().as_secs_f64();
    tokio::time::sleep(CALM).await;
    let usage = agent.usage();
    let more = json!({
        "pods": pods,
        "seconds_until_synced": (seconds * 10.0).round() / 10.0,
        "cpu_seconds": agent.cpu().as_secs_f64(),
    });
    print(
        "agent-relist",
        "MiB",
        mib(usage.peak),
        usage.resident_mib(),
        more,
    );
    agent.stop().await;
}

/// Lets the agent of `config` show its metrics; gives where.
fn show_metrics(config: &Path) -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    let mut document: Value =
        serde_json::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    document["metrics_listen"] = json!(address);
    std::fs::write(config, document.to_string()).unwrap();
    format!("http://{address}/metrics")
}

/// How often the agent has read everything.
async fn lists(metrics: &str) -> u64 {
    let text = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    let counts = text
        .lines()
        .filter(|line| line.starts_with("farmops_agent_kubernetes_lists_total"));
    counts
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}
