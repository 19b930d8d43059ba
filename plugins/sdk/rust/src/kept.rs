//! What the agent keeps of an object, and how it tells a change: for tests of plugins, which then can start
//! from objects as a cluster has them.
//!
//! A plain reading of PLUGIN-KUBE-002; the agent has a faster one of its own.

use serde_json::{Map, Value, json};

use crate::description::KUBERNETES;
use crate::kubernetes::CHANGED;
use crate::observation::Observation;
use crate::resource::{KubernetesResource, Step, path};

/// An object of Kubernetes as it was first seen at `since`, in RFC 3339.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// When these values were first seen.
    pub since: &'a str,
    /// The whole object.
    pub object: &'a Value,
}

/// The fields of `object` that the declared paths lead to. A path that breaks the grammar leads nowhere.
pub fn kept(fields: &[String], object: &Value) -> Value {
    let paths: Vec<Vec<Step>> = fields.iter().filter_map(|field| path(field)).collect();
    let paths: Vec<&[Step]> = paths.iter().map(Vec::as_slice).collect();
    keep(&paths, object).unwrap_or_else(|| Value::Object(Map::new()))
}

/// The observation of a settled change of one object; name, uid and creation are those of `after`.
pub fn changed(resource: &KubernetesResource, before: Sight<'_>, after: Sight<'_>) -> Observation {
    let at = |pointer| after.object.pointer(pointer).unwrap_or(&Value::Null);
    let seen = |sight: Sight<'_>| json!({"since": sight.since, "fields": kept(&resource.fields, sight.object)});
    let payload = json!({
        "resource": resource.resource,
        "apiVersion": at("/apiVersion"),
        "namespace": at("/metadata/namespace"),
        "name": at("/metadata/name"),
        "uid": at("/metadata/uid"),
        "created": at("/metadata/creationTimestamp"),
        "before": seen(before),
        "after": seen(after),
    });
    let told_at: Option<jiff::Timestamp> = after.since.parse().ok();
    Observation {
        id: "018f3c5e-7c1a-7000-8000-000000000000".to_owned(),
        source_type: KUBERNETES.to_owned(),
        event: CHANGED.to_owned(),
        raw_data: payload.to_string().into_bytes(),
        detected_at: told_at.map_or(0, jiff::Timestamp::as_second)
            + i64::from(resource.settle_seconds),
    }
}

fn keep(paths: &[&[Step]], value: &Value) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let split = || paths.iter().filter_map(|path| path.split_first());
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, member)| {
                    let leads = |step: &Step| match step {
                        Step::Member(wanted) => wanted == name,
                        Step::EveryMember => true,
                        Step::EveryElement | Step::Elements { .. } => false,
                    };
                    let inner: Vec<&[Step]> = split()
                        .filter(|(step, _)| leads(step))
                        .map(|(_, rest)| rest)
                        .collect();
                    Some((name.clone(), keep(&inner, member)?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(elements) => {
            let kept: Vec<Value> = elements
                .iter()
                .filter_map(|element| {
                    let leads = |step: &Step| match step {
                        Step::EveryElement => true,
                        Step::Elements { key, value } => {
                            element.get(key).is_some_and(|v| v == value)
                        }
                        Step::Member(_) | Step::EveryMember => false,
                    };
                    let keys: Vec<Step> = split()
                        .filter(|(step, _)| leads(step))
                        .filter_map(|(step, _)| match step {
                            Step::Elements { key, .. } => Some(Step::Member(key.clone())),
                            _ => None,
                        })
                        .collect();
                    let rests = split()
                        .filter(|(step, _)| leads(step))
                        .map(|(_, rest)| rest);
                    let inner: Vec<&[Step]> = rests.chain(keys.chunks(1)).collect();
                    keep(&inner, element)
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn declared_fields_are_kept_and_nothing_else() {
        let pod = json!({
            "metadata": {"labels": {"app": "web", "team": "shop"}, "name": "web-1"},
            "spec": {"containers": [
                {"name": "a", "image": "a:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]},
                {"name": "b", "env": []},
            ]},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "message": "fine"},
                {"type": "Initialized", "status": "True"},
            ]},
        });
        let fields = [
            "metadata.labels.*",
            "spec.containers[].image",
            "spec.nodeName",
            "status.conditions[type=Ready].status",
        ]
        .map(str::to_owned);
        assert_eq!(
            kept(&fields, &pod),
            json!({
                "metadata": {"labels": {"app": "web", "team": "shop"}},
                "spec": {"containers": [{"image": "a:1"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            })
        );
        assert_eq!(kept(&fields, &json!([])), json!({}));
    }

    #[test]
    fn a_change_that_is_made_can_be_read() {
        let resource = KubernetesResource::new("deployments.apps", &["spec.replicas"]);
        let object = |replicas| {
            json!({
                "apiVersion": "apps/v1",
                "metadata": {"name": "web", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-02-01T08:00:00Z"},
                "spec": {"replicas": replicas, "paused": true},
            })
        };
        let (one, two) = (object(1), object(2));
        let before = Sight {
            since: "2026-02-02T08:00:00Z",
            object: &one,
        };
        let after = Sight {
            since: "2026-02-02T08:10:00Z",
            object: &two,
        };
        let change = crate::Change::read(&changed(&resource, before, after)).unwrap();
        assert_eq!(change.before_seconds(), 600);
        assert_eq!(change.after.fields, json!({"spec": {"replicas": 2}}));
    }
}
