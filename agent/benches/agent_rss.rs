//! `agent-rss-*`: what the agent takes beside a real Kubernetes API server as pods are added.
//!
//! The measured agent is built with the profile `dist`, as it is shipped, and judges with the component of `k8s-pod-health`;
//! `agent-rss-idle` has no component and no cluster. At each step the agent's watch is waited for, and after a calm the
//! process is read from `/proc`: value is its resident set in MiB, baseline the resident set of a published controller in Go
//! at the same number of pods.
//!
//! Prints one line of JSON for each figure. `FARMOPS_BENCH_PODS` is the last step.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{path::Path, time::Instant};

use farmops_testbed::Cluster;
use serde_json::json;

use crate::rss::{
    CALM,
    agent::{Agent, configure, programs},
    crowd::Crowd,
    mib, pods_max, print, ratio,
};

mod rss;

/// Pods, and the resident set of the Go controller in MiB.
const STEPS: [(usize, u64); 7] = [
    (0, 73),
    (500, 195),
    (1000, 370),
    (2000, 574),
    (3000, 873),
    (4000, 1258),
    (5000, 2070),
];
/// The goal for an agent that has nothing to look at.
const IDLE_MIB: f64 = 25.0;

#[tokio::main]
async fn main() {
    let programs = programs();
    idle(&programs).await;
    let cluster = Cluster::start().unwrap();
    let crowd = Crowd::new(&cluster).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &programs, Some(&cluster));
    let agent = Agent::start(&programs, &config).await;
    let mut pods = 0;
    for (count, go_mib) in STEPS.into_iter().filter(|(count, _)| *count <= pods_max()) {
        let begun = Instant::now();
        crowd.grow(pods..count).await;
        pods = count;
        agent.watches(count).await;
        let seconds = begun.elapsed().as_secs_f64().round();
        let name = format!("agent-rss-{count}");
        measure(&agent, &name, mib(go_mib * 1024), Some(seconds)).await;
    }
    agent.stop().await;
}

/// An agent that has nothing to look at but a file.
async fn idle(programs: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), programs, None);
    let agent = Agent::start(programs, &config).await;
    measure(&agent, "agent-rss-idle", IDLE_MIB, None).await;
    agent.stop().await;
}

async fn measure(agent: &Agent, name: &str, baseline: f64, seconds: Option<f64>) {
    let before = agent.cpu();
    tokio::time::sleep(CALM).await;
    let (usage, cpu) = (agent.usage(), agent.cpu().saturating_sub(before));
    let more = json!({
        "anonymous_mib": mib(usage.anonymous),
        "cpu_percent_calm": ratio(cpu.as_secs_f64() * 100.0, CALM.as_secs_f64()),
        "seconds_to_create_and_see": seconds,
    });
    print(name, "MiB", usage.resident_mib(), baseline, more);
}
