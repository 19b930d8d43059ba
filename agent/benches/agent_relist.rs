//! `agent-relist`: the memory that it takes to list 5,000 pods again and to compare them with what is known.
//!
//! The agent is stopped, the API server compacts away what the agent had seen, and the agent is started again: its watch is
//! refused with 410, and everything is listed. Value is the peak of the resident set in MiB until the end of a calm, baseline
//! the resident set then.
//!
//! Prints one line of JSON. `FARMOPS_BENCH_PODS` says how many pods.

#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use farmops_testbed::Cluster;
use serde_json::json;

use crate::rss::{
    CALM,
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
    let cluster = Cluster::start_with(&[&flag]).unwrap();
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
    let begun = Instant::now();
    let agent = Agent::start(&programs, &config).await;
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
