//! `plugin-call-*`: what one verdict costs by a component inside the agent, beside the same plugin as a
//! process over gRPC, in the same run. The two take turns, observation by observation.
//!
//! Prints a line of JSON per figure; `ratio` is value over baseline. `plugin-call-p50` and `-p99` are
//! microseconds from the question to the verdict, settings replayed; `plugin-call-fuel` is instructions.

#![allow(clippy::unwrap_used, reason = "a benchmark ends on any surprise")]
#![allow(
    dead_code,
    reason = "it shares the tests' files and needs less of them"
)]

#[path = "../tests/agent/process.rs"]
mod process;
#[path = "../tests/agent/programs.rs"]
mod programs;

use std::hint::black_box;
use std::time::{Duration, Instant};

use farmops_component::{Bounds, Cache, Compiler, Component, Engine};
use farmops_plugin::Observation;

use crate::process::Process;

const PLUGIN: &str = "prometheus-alert-resolve";
const WARM_UP: usize = 200;
const CALLS: usize = 3_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let observation = observation();
    let settings = b"{}".to_vec();
    let source = ("am".to_owned(), "alertmanager".to_owned());

    let engine = Engine::new().unwrap();
    let cache = Cache::new(folder.path().join("components"), [7; 32]);
    let compiler = Compiler::new(programs::compiler());
    let bytes = std::fs::read(programs::component(PLUGIN)).unwrap();
    let bounds = Bounds::default();
    let begin = Instant::now();
    let component = Component::load(&engine, &cache, &compiler, &bytes, PLUGIN, bounds).unwrap();
    let compiled = begin.elapsed();
    let begin = Instant::now();
    Component::load(&engine, &cache, &compiler, &bytes, PLUGIN, bounds).unwrap();
    let loaded = begin.elapsed();
    component
        .configure(std::slice::from_ref(&source), &settings)
        .unwrap();

    let program = programs::folder().join(format!("farmops-plugin-{PLUGIN}"));
    let mut process = Process::start(&program, folder.path()).await;
    process.configure(source, settings).await;

    let (mut inside, mut beside) = (Vec::new(), Vec::new());
    let mut fuel = 0;
    for call in 0..WARM_UP + CALLS {
        let begin = Instant::now();
        let judged = black_box(component.verify(&observation).unwrap());
        let took_inside = begin.elapsed();
        fuel = judged.fuel;
        let begin = Instant::now();
        let verdict = black_box(process.verify(observation.clone()).await);
        let took_beside = begin.elapsed();
        assert_eq!(judged.verdict, verdict);
        if call >= WARM_UP {
            inside.push(took_inside);
            beside.push(took_beside);
        }
    }
    inside.sort();
    beside.sort();
    for (name, part) in [("plugin-call-p50", 50), ("plugin-call-p99", 99)] {
        let at = CALLS * part / 100;
        report(name, inside[at], beside[at]);
    }
    report("plugin-call-load", loaded, compiled);
    println!(
        "{}",
        serde_json::json!({"name": "plugin-call-fuel", "value": fuel, "unit": "instructions"})
    );
}

fn report(name: &str, value: Duration, baseline: Duration) {
    let micros = |duration: Duration| (duration.as_secs_f64() * 1e7).round() / 10.0;
    let ratio = value.as_secs_f64() / baseline.as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "name": name, "value": micros(value), "unit": "µs", "baseline": micros(baseline),
            "ratio": (ratio * 1000.0).round() / 1000.0,
        })
    );
}

fn observation() -> Observation {
    let payload = serde_json::json!({
        "fingerprint": "f00dcafe12345678", "startsAt": "2026-02-21T09:00:00Z", "endsAt": "2026-02-21T09:30:00Z",
        "labels": {"alertname": "SlowQueries", "severity": "critical", "instance": "db-1:9100"},
        "instances": 1,
    });
    Observation {
        id: "018f0000-0000-7000-8000-000000000000".to_owned(),
        source_type: "alertmanager".to_owned(),
        event: "alert.ended".to_owned(),
        raw_data: payload.to_string().into_bytes(),
        detected_at: 1_771_666_260,
    }
}
