//! Pods, by their Ready condition and what their containers wait for.

use farmops_plugin::Change;
use farmops_plugin::kubernetes::Seen;
use serde_json::Value;

use crate::{Recovery, Trouble};

/// Not the time at which Ready last changed: a crashing container is ready for a moment after each
/// start, and with that time among the fields no wait between two starts would be like the one before.
pub(crate) const FIELDS: &[&str] = &[
    "metadata.labels.pod-template-hash",
    "metadata.ownerReferences[].controller",
    "metadata.ownerReferences[].kind",
    "metadata.ownerReferences[].name",
    "status.conditions[type=Ready].status",
    "status.containerStatuses[].state.waiting.reason",
    "status.initContainerStatuses[].state.waiting.reason",
];

pub(crate) fn recovery(change: &Change) -> Result<Recovery, &'static str> {
    let ready = |seen: &Seen, status: &str| {
        seen.condition("Ready")
            .is_some_and(|condition| condition.status == status)
    };
    if !ready(&change.after, "True") {
        return Err("it is not ready");
    }
    if !ready(&change.before, "False") {
        return Err("it was not unhealthy");
    }
    let (kind, name) = owner(change);
    if kind == "Job" {
        return Err("a job's pods come and go; what counts is the job");
    }
    Ok(Recovery {
        trouble: trouble(&change.before),
        kind,
        name,
        unhealthy_since: change.before.since,
        healthy_since: change.after.since,
        excused_seconds: 0,
    })
}

/// The worst that any container waited for.
fn trouble(seen: &Seen) -> Trouble {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = lists.iter().flat_map(|list| seen.elements(list));
    let waits: Vec<Trouble> = statuses
        .filter_map(|status| status.pointer("/state/waiting/reason")?.as_str())
        .map(|reason| match reason {
            "CrashLoopBackOff" => Trouble::CrashLoop,
            "ErrImageNeverPull"
            | "ErrImagePull"
            | "ImageInspectError"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => Trouble::ImagePull,
            _ => Trouble::Start,
        })
        .collect();
    let order = [Trouble::CrashLoop, Trouble::ImagePull, Trouble::Start];
    let worst = order.into_iter().find(|trouble| waits.contains(trouble));
    worst.unwrap_or(Trouble::Readiness)
}

/// Kind and name of the workload that the pod is of; of itself, where nothing controls it.
///
/// A Deployment's `ReplicaSets` are named `<deployment>-<hash>`, and their pods carry the hash as a label.
fn owner(change: &Change) -> (String, String) {
    let owners = change.before.elements("/metadata/ownerReferences").iter();
    let mut controllers =
        owners.filter(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let named = controllers.next().and_then(|owner| {
        let text = |member| owner.get(member).and_then(Value::as_str);
        Some((text("kind")?, text("name")?))
    });
    let hash = change.before.text("/metadata/labels/pod-template-hash");
    match named {
        None => ("Pod".to_owned(), change.name.clone()),
        Some(("ReplicaSet", name)) => {
            let deployment = hash
                .and_then(|hash| name.strip_suffix(hash))
                .and_then(|name| name.strip_suffix('-'));
            match deployment {
                Some(deployment) => ("Deployment".to_owned(), deployment.to_owned()),
                None => ("ReplicaSet".to_owned(), name.to_owned()),
            }
        }
        Some((kind, name)) => (kind.to_owned(), name.to_owned()),
    }
}
