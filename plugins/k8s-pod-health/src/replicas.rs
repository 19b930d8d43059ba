//! `StatefulSets` and `DaemonSets`, by how many of the wanted pods are ready.

use farmops_plugin::Change;
use farmops_plugin::kubernetes::Seen;

use crate::{Recovery, Trouble};

pub(crate) const STATEFUL_SET_FIELDS: &[&str] = &[
    "spec.replicas",
    "status.readyReplicas",
    "status.currentRevision",
    "status.updateRevision",
];

pub(crate) const DAEMON_SET_FIELDS: &[&str] = &[
    "metadata.generation",
    "status.desiredNumberScheduled",
    "status.numberReady",
    "status.updatedNumberScheduled",
];

pub(crate) fn stateful_set(change: &Change) -> Result<Recovery, &'static str> {
    let count = |seen: &Seen| Count {
        wanted: seen.integer("/spec/replicas").unwrap_or(1),
        ready: seen.integer("/status/readyReplicas").unwrap_or(0),
    };
    let target = |seen: &Seen| seen.text("/status/updateRevision").map(str::to_owned);
    let was_rolling_out =
        change.before.at("/status/currentRevision") != change.before.at("/status/updateRevision");
    let same_target = target(&change.before) == target(&change.after);
    if was_rolling_out && same_target {
        return Err("a rollout came to its end");
    }
    recovery(change, "StatefulSet", count)
}

pub(crate) fn daemon_set(change: &Change) -> Result<Recovery, &'static str> {
    let count = |seen: &Seen| Count {
        wanted: seen.integer("/status/desiredNumberScheduled").unwrap_or(0),
        ready: seen.integer("/status/numberReady").unwrap_or(0),
    };
    let updated = change.before.integer("/status/updatedNumberScheduled");
    let was_rolling_out = updated.unwrap_or(0) < count(&change.before).wanted;
    let generation = |seen: &Seen| seen.integer("/metadata/generation");
    if was_rolling_out && generation(&change.before) == generation(&change.after) {
        return Err("a rollout came to its end");
    }
    recovery(change, "DaemonSet", count)
}

#[derive(Debug, Clone, Copy)]
struct Count {
    wanted: i64,
    ready: i64,
}

fn recovery(
    change: &Change,
    kind: &str,
    count: impl Fn(&Seen) -> Count,
) -> Result<Recovery, &'static str> {
    let (before, after) = (count(&change.before), count(&change.after));
    if after.wanted <= 0 {
        return Err("scaled to nothing");
    }
    if before.wanted <= 0 || after.wanted < before.wanted {
        return Err("other replicas were asked for");
    }
    if before.ready >= before.wanted {
        return Err("it was not unhealthy");
    }
    if after.ready < after.wanted {
        return Err("pods are still missing");
    }
    Ok(Recovery {
        trouble: if before.ready <= 0 {
            Trouble::Unavailable
        } else {
            Trouble::MissingReplicas
        },
        kind: kind.to_owned(),
        name: change.name.clone(),
        unhealthy_since: change.before.since,
        healthy_since: change.after.since,
        excused_seconds: 0,
    })
}
