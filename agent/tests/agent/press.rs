//! Objects of all kinds with a marker wherever somebody wrote something.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

/// How every marker begins, and how long it is.
const BEGINNING: &str = "zq";
const MARKER_BYTES: usize = 12;

/// Makes objects and remembers every marker that it put into them.
pub(crate) struct Press {
    rng: StdRng,
    pub(crate) markers: BTreeSet<String>,
}

impl Press {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            markers: BTreeSet::new(),
        }
    }

    pub(crate) fn marker(&mut self) -> String {
        let mut text = String::from(BEGINNING);
        while text.len() < MARKER_BYTES {
            text.push(char::from(self.rng.random_range(b'g'..=b'z')));
        }
        self.markers.insert(text.clone());
        text
    }

    /// Where the first marker stands in `text`.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let mut begins = text.match_indices(BEGINNING).map(|(at, _)| at);
        let marked = |at: &usize| {
            let marker = text.get(*at..*at + MARKER_BYTES);
            marker.is_some_and(|marker| self.markers.contains(marker))
        };
        begins.find(marked)
    }

    /// An object as an API server has it, with a marker wherever an operator writes something.
    pub(crate) fn object(&mut self) -> Value {
        let mut words = |count: usize| -> Map<String, Value> {
            let word = |_| (self.marker(), json!(self.marker()));
            (0..count).map(word).collect()
        };
        let (labels, annotations) = (words(3), words(2));
        let kind = ["Pod", "Deployment", "StatefulSet", "Certificate"][self.rng.random_range(0..4)];
        let ready = if self.rng.random() { "True" } else { "False" };
        json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": {
                "name": format!("{}-{}", self.marker(), self.rng.random_range(0..9)),
                "namespace": self.marker(), "labels": labels, "annotations": annotations,
                "uid": self.marker(), "creationTimestamp": "2026-02-01T08:00:00Z",
                "ownerReferences": [{"controller": true, "kind": "ReplicaSet", "name": self.marker()}],
                "managedFields": [{"manager": self.marker(), "apiVersion": "batch/v1beta1"}],
                "resourceVersion": self.rng.random_range(1..99_999).to_string(),
            },
            "spec": {"containers": [{
                "name": self.marker(), "image": format!("registry.{}.example/{}:v1", self.marker(), self.marker()),
                "env": [{"name": self.marker().to_uppercase(), "value": self.marker()}],
                "args": [format!("--{}={}", self.marker(), self.marker())],
            }]},
            "status": {
                "phase": self.marker(), "podIP": "10.20.30.40",
                "conditions": [{"type": "Ready", "status": ready, "reason": self.marker(),
                    "message": format!("back-off restarting {} in {}", self.marker(), self.marker())}],
            },
        })
    }

    pub(crate) fn alert(&mut self, number: usize) -> Value {
        let severity = ["critical", "warning", "info"][self.rng.random_range(0..3)];
        let minutes = self.rng.random_range(1..59);
        json!({
            "event": "alert.ended", "fingerprint": format!("f{number}"), "suppressed": false, "instances": 1,
            "startsAt": "2026-02-21T09:00:00Z", "endsAt": format!("2026-02-21T09:{minutes:02}:00Z"),
            "labels": {"alertname": self.marker(), "severity": severity, "instance": self.marker(),
                (self.marker()): self.marker()},
            "annotations": {"summary": format!("{} is {}", self.marker(), self.marker())},
        })
    }

    pub(crate) fn review(&mut self, number: usize) -> Value {
        let payload = crate::world::review(number);
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        let body = format!(
            "{} and {}, as {} said",
            self.marker(),
            self.marker(),
            self.marker()
        );
        payload["review"]["body"] = json!(body);
        payload["pull_request"]["title"] = json!(self.marker());
        payload["pull_request"]["head"]["ref"] = json!(self.marker());
        payload["repository"]["full_name"] = json!(format!("{}/{}", self.marker(), self.marker()));
        payload
    }

    /// The object after something happened to it.
    pub(crate) fn altered(&mut self, object: &Value) -> Value {
        let mut object = object.clone();
        object["status"]["phase"] = json!(self.marker());
        object["status"]["conditions"][0]["message"] = json!(self.marker());
        object["spec"]["containers"][0]["image"] = json!(self.marker());
        object
    }

    /// What an API server says when it cannot go on, about objects that it names.
    pub(crate) fn error(&mut self, code: u16) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": "Expired",
            "message": format!("{} in {} is gone", self.marker(), self.marker()),
            "details": {"name": self.marker(), "causes": [{"message": self.marker(), "field": self.marker()}]},
        })
    }

    /// Finished work as one of the Kubernetes plugins sees it, once it has settled.
    pub(crate) fn settled(&mut self, number: usize) -> Value {
        let (resource, before, after) = match number % 4 {
            0 => (
                "deployments.apps",
                self.template(true),
                self.template(false),
            ),
            1 => {
                let owner = format!("{}-5f6d", self.marker());
                ("pods", pod(&owner, "False"), pod(&owner, "True"))
            }
            2 => (
                "certificates.cert-manager.io",
                term("False", ("2025-12-01", "2026-03-01"), 1),
                term("True", ("2026-02-21", "2026-05-22"), 2),
            ),
            _ => {
                let manager = self.marker();
                let by = |version: &str| json!({"metadata": {"managedFields": [{"manager": manager, "apiVersion": version}]}});
                ("cronjobs.batch", by("batch/v1beta1"), by("batch/v1"))
            }
        };
        json!({
            "event": "changed", "resource": resource, "apiVersion": "v1", "namespace": self.marker(),
            "name": self.marker(), "uid": self.marker(), "created": "2026-01-01T08:00:00Z",
            "before": {"since": "2026-02-21T07:00:00Z", "fields": before},
            "after": {"since": "2026-02-21T08:00:00Z", "fields": after},
        })
    }

    fn template(&mut self, privileged: bool) -> Value {
        // The rest of the container is the same, and of no matter.
        let container = json!({"name": "box", "image": format!("{}:v1", self.marker()),
            "securityContext": {"privileged": privileged}});
        json!({"spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}}})
    }
}

fn pod(owner: &str, ready: &str) -> Value {
    let waiting = (ready == "False").then(|| json!({"reason": "CrashLoopBackOff"}));
    json!({
        "metadata": {"labels": {"pod-template-hash": "5f6d"},
            "ownerReferences": [{"controller": true, "kind": "ReplicaSet", "name": owner}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"state": {"waiting": waiting}}]},
    })
}

fn term(ready: &str, (from, until): (&str, &str), revision: u32) -> Value {
    json!({"status": {
        "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-02-21T05:00:00Z"}],
        "notBefore": format!("{from}T00:00:00Z"), "notAfter": format!("{until}T00:00:00Z"), "revision": revision,
    }})
}
