//! Objects for the tests of plugins that read Kubernetes: whole ones with members changed, and broken ones.
//!
//! Each plugin's tests take this file in by its path.

#![allow(dead_code, clippy::unwrap_used)]

use farmops_plugin::kept::{Sight, changed};
use farmops_plugin::{KubernetesResource, Observation, Plugin, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Members of an object, by JSON pointer, and other values for them; null takes one away.
pub(crate) type Edits<'a> = &'a [(&'a str, Value)];

/// The object of a YAML document, with some members set to other values.
pub(crate) fn object(yaml: &str, edits: Edits<'_>) -> Value {
    let mut object: Value = serde_saphyr::from_str(yaml).unwrap();
    for (pointer, value) in edits {
        if let Some(place) = object.pointer_mut(pointer).filter(|_| !value.is_null()) {
            *place = value.clone();
            continue;
        }
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = object.pointer_mut(parent).unwrap();
        let members = parent.as_object_mut().unwrap();
        if value.is_null() {
            members.shift_remove(member).unwrap();
        } else {
            members.insert(member.to_owned(), value.clone());
        }
    }
    object
}

/// The resource that the plugin declares for objects of this kind.
pub(crate) fn resource(plugin: &impl Plugin, object: &Value) -> KubernetesResource {
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = match kind.strip_suffix('s') {
        Some(stem) => format!("{stem}ses"),
        None => format!("{kind}s"),
    };
    let description = plugin.describe();
    let of_kind = |resource: &&KubernetesResource| {
        resource.resource.split('.').next() == Some(plural.as_str())
    };
    description.resources().find(of_kind).unwrap().clone()
}

/// The observation of an object that was one thing from `span.0` on, and another from `span.1` on.
pub(crate) fn observed(
    plugin: &impl Plugin,
    span: (&str, &str),
    before: &Value,
    after: &Value,
) -> Observation {
    let before = Sight {
        since: span.0,
        object: before,
    };
    let resource = resource(plugin, after);
    let after = Sight {
        since: span.1,
        object: after,
    };
    changed(&resource, before, after)
}

/// The sentence of a verdict, held against the declaration; `- reason` and `? reason` where there is none.
pub(crate) fn told(plugin: &impl Plugin, verdict: &Verdict) -> String {
    let description = plugin.describe();
    match verdict {
        Verdict::Verified(finding) => {
            let subcategory = finding.subcategory.as_ref().unwrap();
            assert!(description.subcategories.contains(subcategory));
            assert!(description.categories.contains(&finding.category));
            assert!(finding.evidence.len() < 2048, "evidence is small");
            let evidence: Value = serde_json::from_slice(&finding.evidence).unwrap();
            assert!(evidence.is_object());
            assert!((1..=10).contains(&finding.hints.impact_radius));
            let template = description.template(&finding.template).unwrap();
            template.render(&finding.numbers, &finding.words).unwrap()
        }
        Verdict::Rejected(reason) => format!("- {reason}"),
        Verdict::Inconclusive(reason) => format!("? {reason}"),
    }
}

/// The name of the piece of work.
pub(crate) fn key(verdict: &Verdict) -> String {
    String::from_utf8(verdict.finding().unwrap().dedupe_key.clone()).unwrap()
}

/// Any JSON, small and nested.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("False")),
        Just(json!("True")),
        Just(json!("2026-02-21T08:00:00Z")),
        Just(json!("-009999-01-02T01:59:59Z")),
        Just(json!("9999-12-30T22:00:00Z")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..6)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Values, each for some place of a document.
pub(crate) fn wounds() -> impl Strategy<Value = Vec<(prop::sample::Index, Value)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4)
}

/// The observation with any value at all in the place of any other.
pub(crate) fn wounded(
    mut observation: Observation,
    wounds: Vec<(prop::sample::Index, Value)>,
) -> Observation {
    let mut document: Value = serde_json::from_slice(&observation.raw_data).unwrap();
    for (index, value) in wounds {
        let mut places = Vec::new();
        pointers(&document, "", &mut places);
        let place = index.get(places.as_slice());
        *document.pointer_mut(place).unwrap() = value;
    }
    observation.raw_data = document.to_string().into_bytes();
    observation
}

/// An observation of any bytes.
pub(crate) fn any_bytes() -> impl Strategy<Value = Observation> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(|raw_data| Observation {
        id: String::new(),
        source_type: "kubernetes".to_owned(),
        event: "changed".to_owned(),
        raw_data,
        detected_at: 0,
    })
}

/// Every pointer into a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}
