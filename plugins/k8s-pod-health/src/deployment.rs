//! Deployments, by what their own conditions say.

use farmops_plugin::Change;
use farmops_plugin::kubernetes::{Condition, Seen};

use crate::{Recovery, Trouble};

pub(crate) const FIELDS: &[&str] = &[
    "spec.replicas",
    "status.conditions[type=Available].status",
    "status.conditions[type=Available].lastTransitionTime",
    "status.conditions[type=Progressing].status",
    "status.conditions[type=Progressing].reason",
    "status.conditions[type=Progressing].lastTransitionTime",
];

/// The default of `spec.progressDeadlineSeconds`: how long a rollout may stand still before it counts
/// as stalled. Until then a rollout that leaves nothing available may be one that takes its time.
const PROGRESS_DEADLINE_SECONDS: i64 = 600;

pub(crate) fn recovery(change: &Change) -> Result<Recovery, &'static str> {
    let (before, after) = (&change.before, &change.after);
    if replicas(after) == 0 {
        return Err("scaled to nothing");
    }
    if replicas(after) < replicas(before) || replicas(before) == 0 {
        return Err("other replicas were asked for");
    }
    if !after.condition("Available").is_some_and(is_true) {
        return Err("it is not available");
    }
    let now_progressing = after.condition("Progressing");
    if now_progressing.is_some_and(|condition| condition.status == "False") {
        return Err("its rollout is stalled");
    }
    let unavailable = before.condition("Available").filter(is_false);
    let stalled = before.condition("Progressing").filter(is_false);
    let (trouble, began, ended) = match (unavailable, stalled) {
        (Some(was), _) => (Trouble::Unavailable, was, after.condition("Available")),
        (None, Some(was)) => {
            let complete = |condition: &Condition<'_>| {
                is_true(*condition) && condition.reason == Some("NewReplicaSetAvailable")
            };
            if !now_progressing.as_ref().is_some_and(complete) {
                return Err("its rollout is not complete");
            }
            (Trouble::StalledRollout, was, now_progressing)
        }
        (None, None) => return Err("it was not unhealthy"),
    };
    let ended = ended.and_then(|condition| condition.changed_at);
    Ok(Recovery {
        trouble,
        kind: "Deployment".to_owned(),
        name: change.name.clone(),
        unhealthy_since: began.changed_at.unwrap_or(before.since),
        healthy_since: ended.unwrap_or(after.since),
        excused_seconds: if stalled.is_none() && is_rolling_out(before) {
            PROGRESS_DEADLINE_SECONDS
        } else {
            0
        },
    })
}

fn replicas(seen: &Seen) -> i64 {
    seen.integer("/spec/replicas").unwrap_or(1)
}

fn is_true(condition: Condition<'_>) -> bool {
    condition.status == "True"
}

fn is_false(condition: &Condition<'_>) -> bool {
    condition.status == "False"
}

/// Whether new pods were on their way; when they all are there, the reason is another.
fn is_rolling_out(seen: &Seen) -> bool {
    let reason = seen.condition("Progressing").and_then(|c| c.reason);
    matches!(
        reason,
        Some("NewReplicaSetCreated" | "FoundNewReplicaSet" | "ReplicaSetUpdated")
    )
}
