//! What the benchmarks of the agent's memory share.

#![allow(dead_code)] // Neither of the two measures everything.

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) mod agent;
pub(crate) mod crowd;

/// How long a step is left in peace before it is read; processor time is counted over it.
pub(crate) const CALM: Duration = Duration::from_secs(15);
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

#[allow(clippy::cast_precision_loss)]
pub(crate) fn mib(kib: u64) -> f64 {
    (kib as f64 / 102.4).round() / 10.0
}

pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    (part / whole * 100.0).round() / 100.0
}

pub(crate) fn print(name: &str, unit: &str, value: f64, baseline: f64, more: Value) {
    let mut line = json!({
        "name": name,
        "unit": unit,
        "value": value,
        "baseline": baseline,
        "ratio": ratio(value, baseline),
    });
    if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
        line.extend(more);
    }
    println!("{line}");
}

/// The variable with the pods of the last step.
pub(crate) const PODS: &str = "FARMOPS_BENCH_PODS";

pub(crate) fn pods_max() -> usize {
    let given = std::env::var(PODS).ok();
    given.and_then(|n| n.parse().ok()).unwrap_or(5000)
}
