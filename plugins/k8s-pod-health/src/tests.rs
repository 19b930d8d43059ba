//! Whole objects as a cluster has them, changed member by member.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use self::objects::{Edits, key, object, observed, wounded};
use super::*;

#[path = "../../tests/objects.rs"]
mod objects;

const DEPLOYMENT: &str = include_str!("../fixtures/deployment.yaml");
const STATEFUL_SET: &str = include_str!("../fixtures/statefulset.yaml");
const DAEMON_SET: &str = include_str!("../fixtures/daemonset.yaml");
const POD: &str = include_str!("../fixtures/pod.yaml");
const CRASHING_POD: &str = include_str!("../fixtures/pod-crashing.yaml");
const JOB_POD: &str = include_str!("../fixtures/job-pod.yaml");

/// What the plugin says of an object that was as `before` for a while and then was as `after`.
fn verify(yaml: &str, span: [&str; 2], before: Edits<'_>, after: Edits<'_>) -> Verdict {
    let plugin = PodHealth::default();
    let [began, ended] = span.map(|time| format!("2026-02-{time}Z"));
    let (before, after) = (object(yaml, before), object(yaml, after));
    plugin.verify(&observed(&plugin, (&began, &ended), &before, &after))
}

fn told(verdict: &Verdict) -> String {
    objects::told(&PodHealth::default(), verdict)
}

const AVAILABLE: &str = "/status/conditions/0";
const PROGRESSING: &str = "/status/conditions/1";

fn condition(kind: &str, status: &str, reason: &str, time: &str) -> Value {
    let time = format!("2026-02-{time}Z");
    json!({"type": kind, "status": status, "reason": reason, "lastTransitionTime": time})
}

fn available(status: &str, time: &str) -> (&'static str, Value) {
    (AVAILABLE, condition("Available", status, "Minimum", time))
}

fn progressing(status: &str, reason: &str, time: &str) -> (&'static str, Value) {
    (PROGRESSING, condition("Progressing", status, reason, time))
}

#[test]
fn deployments_tell_by_their_conditions() {
    let down = available("False", "21T08:55:00");
    let up = available("True", "21T09:30:00");
    let stalled = progressing("False", "ProgressDeadlineExceeded", "21T08:40:00");
    let rolling = progressing("True", "ReplicaSetUpdated", "01T08:00:00");
    let rolled = progressing("True", "NewReplicaSetAvailable", "21T09:10:00");
    let replicas = |count: u64| ("/spec/replicas", json!(count));
    for (before, after, expected) in [
        (
            vec![down.clone()],
            vec![up.clone()],
            "Brought a deployment back from an outage after 35 minutes",
        ),
        (
            vec![stalled.clone()],
            vec![rolled.clone()],
            "Brought a deployment back from a stalled rollout after 30 minutes",
        ),
        (
            vec![down.clone(), stalled.clone()],
            vec![up.clone(), rolled.clone()],
            "Brought a deployment back from an outage after 35 minutes",
        ),
        (vec![], vec![up.clone()], "- it was not unhealthy"),
        (
            vec![rolling.clone()],
            vec![rolled.clone()],
            "- it was not unhealthy",
        ),
        (
            vec![down.clone()],
            vec![available("False", "21T09:30:00")],
            "- it is not available",
        ),
        (
            vec![down.clone()],
            vec![up.clone(), stalled.clone()],
            "- its rollout is stalled",
        ),
        (
            vec![stalled.clone()],
            vec![progressing("True", "ReplicaSetUpdated", "21T09:10:00")],
            "- its rollout is not complete",
        ),
        (
            vec![down.clone()],
            vec![up.clone(), replicas(0)],
            "- scaled to nothing",
        ),
        (
            vec![down.clone()],
            vec![up.clone(), replicas(1)],
            "- other replicas were asked for",
        ),
        (
            vec![down.clone(), replicas(0)],
            vec![up.clone()],
            "- other replicas were asked for",
        ),
        (
            vec![available("False", "01T08:00:01")],
            vec![up.clone()],
            "- a first start is not a recovery",
        ),
        (
            vec![available("False", "21T09:24:00")],
            vec![up.clone()],
            "- it was not unhealthy long enough to need anybody",
        ),
        // A rollout that leaves nothing available may take its ten minutes on top.
        (
            vec![available("False", "21T09:14:00"), rolling.clone()],
            vec![up.clone()],
            "- it was not unhealthy long enough to need anybody",
        ),
        (
            vec![available("False", "21T09:12:00"), rolling.clone()],
            vec![up.clone()],
            "Brought a deployment back from an outage after 18 minutes",
        ),
    ] {
        let verdict = verify(DEPLOYMENT, ["21T08:56:00", "21T09:30:05"], &before, &after);
        assert_eq!(told(&verdict), expected, "{before:?} {after:?}");
    }
}

#[test]
fn replicas_tell_by_their_counts() {
    let ready = |count: i64| ("/status/readyReplicas", json!(count));
    let wanted = |count: i64| ("/spec/replicas", json!(count));
    let target = |hash: &str| ("/status/updateRevision", json!(format!("orders-db-{hash}")));
    let none = ("/status/readyReplicas", Value::Null);
    for (before, after, expected) in [
        (
            vec![none.clone()],
            vec![],
            "Brought a stateful set back from an outage after 3 hours",
        ),
        (
            vec![ready(2)],
            vec![],
            "Brought a stateful set back from missing replicas after 3 hours",
        ),
        (vec![], vec![ready(2)], "- it was not unhealthy"),
        (vec![ready(1)], vec![ready(2)], "- pods are still missing"),
        (
            vec![ready(1)],
            vec![ready(1), wanted(1)],
            "- other replicas were asked for",
        ),
        (
            vec![ready(1)],
            vec![none.clone(), wanted(0)],
            "- scaled to nothing",
        ),
        (
            vec![wanted(0), none.clone()],
            vec![],
            "- other replicas were asked for",
        ),
        (
            vec![ready(2), target("59f7b6c4d")],
            vec![target("59f7b6c4d")],
            "- a rollout came to its end",
        ),
        // A stuck rollout that was taken back.
        (
            vec![ready(2), target("59f7b6c4d")],
            vec![],
            "Brought a stateful set back from missing replicas after 3 hours",
        ),
    ] {
        let verdict = verify(
            STATEFUL_SET,
            ["20T22:00:00", "21T01:00:00"],
            &before,
            &after,
        );
        assert_eq!(told(&verdict), expected, "{before:?} {after:?}");
    }
}

#[test]
fn daemon_sets_tell_by_their_counts() {
    let ready = |count: i64| ("/status/numberReady", json!(count));
    let wanted = |count: i64| ("/status/desiredNumberScheduled", json!(count));
    let updated = |count: i64| ("/status/updatedNumberScheduled", json!(count));
    for (before, after, expected) in [
        (
            vec![ready(0)],
            vec![],
            "Brought a daemon set back from an outage after 6 days",
        ),
        (
            vec![ready(4)],
            vec![],
            "Brought a daemon set back from missing replicas after 6 days",
        ),
        (
            vec![ready(4)],
            vec![wanted(4), ready(4), updated(4)],
            "- other replicas were asked for",
        ),
        (
            vec![ready(4)],
            vec![wanted(0), ready(0)],
            "- scaled to nothing",
        ),
        (
            vec![ready(4), updated(2)],
            vec![],
            "- a rollout came to its end",
        ),
        (
            vec![ready(4), updated(2), ("/metadata/generation", json!(5))],
            vec![],
            "Brought a daemon set back from missing replicas after 6 days",
        ),
    ] {
        let verdict = verify(DAEMON_SET, ["14T22:00:00", "21T01:00:00"], &before, &after);
        assert_eq!(told(&verdict), expected, "{before:?} {after:?}");
    }
}

const READY: &str = "/status/conditions/2/status";
const STATE: &str = "/status/containerStatuses/0/state";
const INIT_STATE: &str = "/status/initContainerStatuses/0/state";

fn waiting(reason: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": "back-off 5m0s restarting failed container"}})
}

#[test]
fn pods_tell_what_their_containers_waited_for() {
    let unready = (READY, json!("False"));
    let crashing = (STATE, waiting("CrashLoopBackOff"));
    for (before, after, expected) in [
        (
            vec![unready.clone(), crashing.clone()],
            vec![],
            "Brought a deployment back from a crash loop after 60 minutes",
        ),
        (
            vec![unready.clone(), (INIT_STATE, waiting("CrashLoopBackOff"))],
            vec![],
            "Brought a deployment back from a crash loop after 60 minutes",
        ),
        (
            vec![unready.clone(), (STATE, waiting("ImagePullBackOff"))],
            vec![],
            "Brought a deployment back from a failing image pull after 60 minutes",
        ),
        (
            vec![
                unready.clone(),
                (STATE, waiting("CreateContainerConfigError")),
            ],
            vec![],
            "Brought a deployment back from a failing start after 60 minutes",
        ),
        (
            vec![unready.clone()],
            vec![],
            "Brought a deployment back from not being ready after 60 minutes",
        ),
        (vec![], vec![], "- it was not unhealthy"),
        (vec![crashing.clone()], vec![], "- it was not unhealthy"),
        (
            vec![unready.clone(), crashing.clone()],
            vec![unready.clone()],
            "- it is not ready",
        ),
    ] {
        let verdict = verify(POD, ["21T08:00:00", "21T09:00:00"], &before, &after);
        assert_eq!(told(&verdict), expected, "{before:?} {after:?}");
    }
    let first_start = verify(
        POD,
        ["19T15:52:00", "21T09:00:00"],
        &[unready.clone(), crashing],
        &[],
    );
    assert_eq!(told(&first_start), "- a first start is not a recovery");
}

#[test]
fn a_crashing_pod_that_runs_again_is_told_with_nothing_of_its_last_words() {
    let plugin = PodHealth::default();
    let (before, after) = (object(CRASHING_POD, &[]), object(POD, &[]));
    let span = ("2026-02-21T08:31:02Z", "2026-02-21T09:00:00Z");
    let observation = observed(&plugin, span, &before, &after);
    let kept = String::from_utf8(observation.raw_data.clone()).unwrap();
    for word in ["panic", "Tr0ub4dor", "ip-10-0-84-17", "registry.internal"] {
        assert!(before.to_string().contains(word), "{word}");
        assert!(!kept.contains(word), "{word}");
    }
    let sentence = told(&plugin.verify(&observation));
    assert_eq!(
        sentence,
        "Brought a deployment back from a crash loop after 28 minutes"
    );
}

/// Between two starts a crashing container waits up to 300 seconds, and then runs for a while.
#[test]
fn the_rhythm_of_a_crash_loop_is_no_recovery() {
    let crashing = [
        (READY, json!("False")),
        (STATE, waiting("CrashLoopBackOff")),
    ];
    let verdict = verify(POD, ["21T08:00:00", "21T08:06:30"], &crashing, &[]);
    assert_eq!(
        told(&verdict),
        "- it was not unhealthy long enough to need anybody"
    );
}

#[test]
fn pods_of_jobs_are_no_workload() {
    let done = object(JOB_POD, &[]);
    let ready = object(JOB_POD, &[("/status/conditions/1/status", json!("True"))]);
    let judge = |before: &Value, after: &Value| {
        let plugin = PodHealth::default();
        let span = ("2026-02-21T03:00:00Z", "2026-02-21T04:00:00Z");
        plugin.verify(&observed(&plugin, span, before, after))
    };
    assert_eq!(told(&judge(&ready, &done)), "- it is not ready");
    let restarted = told(&judge(&done, &ready));
    assert!(restarted.starts_with("- a job's pods"), "{restarted}");
}

#[test]
fn pod_and_deployment_tell_of_one_piece_of_work_a_day() {
    let unready = [(READY, json!("False"))];
    let by_pod = verify(POD, ["21T08:00:00", "21T09:00:00"], &unready, &[]);
    let down = [available("False", "21T08:55:00")];
    let up = [available("True", "21T09:30:00")];
    let span = ["21T08:56:00", "21T09:30:05"];
    let by_deployment = verify(DEPLOYMENT, span, &down, &up);
    assert_eq!(key(&by_pod), key(&by_deployment));
    assert!(key(&by_pod).starts_with("shop/Deployment/checkout-api "));
    let next_day = verify(POD, ["21T08:00:00", "22T09:00:00"], &unready, &[]);
    assert_ne!(key(&by_pod), key(&next_day));
}

#[test]
fn a_pod_is_of_whatever_controls_it() {
    let owner = |kind: &str, name: &str| {
        (
            "/metadata/ownerReferences",
            json!([{"kind": "Backup", "name": "nightly"}, {"kind": kind, "name": name, "controller": true}]),
        )
    };
    for (edit, expected) in [
        (owner("StatefulSet", "orders-db"), "StatefulSet/orders-db"),
        (owner("DaemonSet", "shipper"), "DaemonSet/shipper"),
        (owner("CloneSet", "web"), "CloneSet/web"),
        // No Deployment of this name can have made it: its name does not end in the pod's hash.
        (owner("ReplicaSet", "by-hand"), "ReplicaSet/by-hand"),
        (
            ("/metadata/ownerReferences", Value::Null),
            "Pod/checkout-api-6c8f9d7b54-x2lkq",
        ),
    ] {
        let before = [edit.clone(), (READY, json!("False"))];
        let verdict = verify(POD, ["21T08:00:00", "21T09:00:00"], &before, &[edit]);
        let key = key(&verdict);
        assert!(key.contains(expected), "{key} {expected}");
        told(&verdict);
    }
}

/// Nothing can be won by asking for more replicas.
#[test]
fn size_does_not_pay() {
    let hints = |replicas: u64| {
        let replicas = ("/spec/replicas", json!(replicas));
        let before = [available("False", "21T08:55:00"), replicas.clone()];
        let after = [available("True", "21T09:30:00"), replicas];
        let span = ["21T08:56:00", "21T09:30:05"];
        let verdict = verify(DEPLOYMENT, span, &before, &after);
        verdict.finding().unwrap().hints
    };
    assert_eq!(hints(1), hints(500));
}

#[test]
fn the_work_is_that_of_whoever_was_on_call_and_ends_when_it_was_seen_well() {
    let down = [available("False", "21T08:55:00")];
    let up = [available("True", "21T09:30:00")];
    let verdict = verify(DEPLOYMENT, ["21T08:56:00", "21T09:30:05"], &down, &up);
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.actor.who, Who::OnCall);
    assert_eq!(finding.finished_at, 1_771_666_205); // 2026-02-21T09:30:05Z
    let evidence: Value = serde_json::from_slice(&finding.evidence).unwrap();
    assert_eq!(evidence["name"], "checkout-api");
    assert!(finding.evidence.len() < 512);
}

#[test]
fn settings_move_the_bounds_and_unknown_ones_are_refused() {
    let mut plugin = PodHealth::default();
    let (before, after) = (object(POD, &[(READY, json!("False"))]), object(POD, &[]));
    let span = ("2026-02-21T08:00:00Z", "2026-02-21T08:01:00Z");
    let observation = observed(&plugin, span, &before, &after);
    assert!(plugin.verify(&observation).finding().is_none());
    plugin
        .configure(&json!({"min_unhealthy_seconds": 60}))
        .unwrap();
    assert!(plugin.verify(&observation).finding().is_some());
    plugin
        .configure(&json!({"min_unhealthy_seconds": 60, "first_start_seconds": 864_000}))
        .unwrap();
    assert!(plugin.verify(&observation).finding().is_none());
    let schema = jsonschema::validator_for(&Settings::schema()).unwrap();
    for settings in [
        json!({"min_unhealthy": 1}),
        json!({"min_unhealthy_seconds": -1}),
        json!({"first_start_seconds": "long"}),
    ] {
        assert!(plugin.configure(&settings).is_err(), "{settings}");
        assert!(!schema.is_valid(&settings), "{settings}");
    }
    assert!(schema.is_valid(&json!({})));
}

#[test]
fn the_declaration_keeps_its_rules() {
    assert_eq!(PodHealth::default().describe().check(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A change in which anything at all stands in the place of anything gets a verdict.
    #[test]
    fn a_mutilated_change_gets_a_verdict(which in 0..4_usize, wounds in objects::wounds()) {
        let plugin = PodHealth::default();
        let object = object([DEPLOYMENT, STATEFUL_SET, DAEMON_SET, POD][which], &[]);
        let span = ("2026-02-21T08:00:00Z", "2026-02-21T09:00:00Z");
        let observation = wounded(observed(&plugin, span, &object, &object), wounds);
        let verdict = plugin.verify(&observation);
        told(&verdict);
        prop_assert_eq!(&verdict, &plugin.verify(&observation));
    }

    /// And so does what is no change.
    #[test]
    fn any_bytes_get_a_verdict(observation in objects::any_bytes()) {
        let verdict = PodHealth::default().verify(&observation);
        prop_assert!(matches!(verdict, Verdict::Inconclusive(_)));
    }
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<PodHealth>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
}
