//! One Ingress, and who wrote it how.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use self::objects::{key, object, observed, wounded};
use super::*;

#[path = "../../tests/objects.rs"]
mod objects;

const INGRESS: &str = include_str!("../fixtures/ingress.yaml");
const SPAN: (&str, &str) = ("2026-02-20T08:00:00Z", "2026-02-21T09:00:00Z");

const OLD: &str = "networking.k8s.io/v1beta1";
const OLDEST: &str = "extensions/v1beta1";
const NEW: &str = "networking.k8s.io/v1";

/// The Ingress as written by these managers through these versions.
fn ingress(written: &[(&str, &str)]) -> Value {
    let entry = |&(manager, api_version): &(&str, &str)| {
        let mut entry = json!({
            "manager": manager.trim_end_matches("/status"),
            "apiVersion": api_version,
            "operation": "Update",
            "time": "2021-05-04T12:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:rules": {}}},
        });
        if manager.ends_with("/status") {
            entry["subresource"] = json!("status");
        }
        entry
    };
    let entries: Vec<Value> = written.iter().map(entry).collect();
    object(INGRESS, &[("/metadata/managedFields", json!(entries))])
}

fn verify(before: &[(&str, &str)], after: &[(&str, &str)]) -> Verdict {
    let plugin = DeprecatedApi::default();
    plugin.verify(&observed(&plugin, SPAN, &ingress(before), &ingress(after)))
}

fn told(verdict: &Verdict) -> String {
    objects::told(&DeprecatedApi::default(), verdict)
}

const MOVED: &str = "Moved one network object off an API version that Kubernetes 1.22 removed";

#[test]
fn an_object_counts_when_a_person_s_tool_has_moved_it() {
    for (before, after, expected) in [
        (vec![("kubectl", OLD)], vec![("kubectl", NEW)], MOVED),
        (vec![("kubectl", OLD)], vec![("helm", NEW)], MOVED),
        (
            vec![("kubectl", OLD), ("helm", OLDEST)],
            vec![("argocd-controller", NEW)],
            MOVED,
        ),
        (
            vec![("kubectl", OLD), ("kubectl", NEW)],
            vec![("kubectl", NEW)],
            MOVED,
        ),
        (
            vec![("kubectl", NEW)],
            vec![("helm", NEW)],
            "- it was not written through a deprecated version",
        ),
        (
            vec![("kubectl", NEW)],
            vec![("kubectl", OLD)],
            "- it was not written through a deprecated version",
        ),
        (
            vec![("kubectl", OLD), ("helm", OLD)],
            vec![("kubectl", OLD), ("helm", NEW)],
            "- it still is written through a deprecated version",
        ),
        // Controllers, and what they report, are nobody's work.
        (
            vec![("kube-controller-manager", OLD)],
            vec![("kube-controller-manager", NEW)],
            "- it was not written through a deprecated version",
        ),
        (
            vec![("kubectl/status", OLD)],
            vec![("kubectl/status", NEW)],
            "- it was not written through a deprecated version",
        ),
        // The API server forgot the entry of a version that it no longer serves.
        (
            vec![("kubectl", OLD)],
            vec![("nginx-ingress-controller/status", NEW)],
            "- nobody has written it through another version",
        ),
        (
            vec![("kubectl", OLD), ("helm", NEW)],
            vec![("helm", NEW)],
            "- nobody has written it through another version",
        ),
        (
            vec![("kubectl", OLD)],
            vec![],
            "- nobody has written it through another version",
        ),
    ] {
        assert_eq!(
            told(&verify(&before, &after)),
            expected,
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn an_object_and_a_version_are_one_piece_of_work() {
    let moved = verify(&[("kubectl", OLD)], &[("kubectl", NEW)]);
    let by_another = verify(&[("helm", OLD)], &[("kubectl", NEW)]);
    assert_eq!(key(&moved), key(&by_another));
    assert_eq!(
        key(&moved),
        format!("ingresses.networking.k8s.io web/partner-portal {OLD}")
    );
    let from_oldest = verify(&[("kubectl", OLDEST)], &[("kubectl", NEW)]);
    assert_ne!(key(&moved), key(&from_oldest));
    let finding = moved.finding().unwrap();
    assert_eq!(finding.hints.complexity, Complexity::Medium);
    assert_eq!(finding.finished_at, 1_771_664_400); // 2026-02-21T09:00:00Z
}

/// Made through an old version a moment ago, to be moved.
#[test]
fn a_young_object_is_no_work() {
    let plugin = DeprecatedApi::default();
    let young = |written: &[(&str, &str)]| {
        let mut object = ingress(written);
        object["metadata"]["creationTimestamp"] = json!("2026-02-20T10:00:00Z");
        object
    };
    let (before, after) = (young(&[("kubectl", OLD)]), young(&[("kubectl", NEW)]));
    let span = ("2026-02-20T10:00:00Z", "2026-02-21T09:00:00Z");
    let observation = observed(&plugin, span, &before, &after);
    assert_eq!(
        told(&plugin.verify(&observation)),
        "- the object is too young"
    );
    let mut plugin = plugin;
    plugin.configure(&json!({"min_age_hours": 20})).unwrap();
    assert_eq!(told(&plugin.verify(&observation)), MOVED);
}

#[test]
fn settings_name_further_programs_and_unknown_ones_are_refused() {
    let mut plugin = DeprecatedApi::default();
    plugin
        .configure(&json!({"ignored_managers": ["our-bot"]}))
        .unwrap();
    let (before, after) = (ingress(&[("our-bot", OLD)]), ingress(&[("our-bot", NEW)]));
    let observation = observed(&plugin, SPAN, &before, &after);
    let verdict = told(&plugin.verify(&observation));
    assert_eq!(verdict, "- it was not written through a deprecated version");
    let schema = jsonschema::validator_for(&Settings::schema()).unwrap();
    for settings in [
        json!({"managers": []}),
        json!({"ignored_managers": "x"}),
        json!({"min_age_hours": -1}),
    ] {
        assert!(plugin.configure(&settings).is_err(), "{settings}");
        assert!(!schema.is_valid(&settings), "{settings}");
    }
}

#[test]
fn who_owns_which_field_is_not_kept_and_neither_is_the_object() {
    let plugin = DeprecatedApi::default();
    let object = object(INGRESS, &[]);
    let observation = observed(&plugin, SPAN, &object, &object);
    let kept = String::from_utf8(observation.raw_data).unwrap();
    for word in ["f:spec", "partners.shop", "auth-secret", "203.0.113"] {
        assert!(object.to_string().contains(word), "{word}");
        assert!(!kept.contains(word), "{word}");
    }
}

#[test]
fn the_declaration_keeps_its_rules_and_every_resource_is_optional() {
    let description = DeprecatedApi::default().describe();
    assert_eq!(description.check(), Ok(()));
    assert_eq!(description.resources().count(), 32);
    assert!(description.resources().all(|resource| resource.optional));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A change in which anything at all stands in the place of anything gets a verdict.
    #[test]
    fn a_mutilated_change_gets_a_verdict(wounds in objects::wounds()) {
        let plugin = DeprecatedApi::default();
        let (before, after) = (ingress(&[("kubectl", OLD)]), ingress(&[("kubectl", NEW)]));
        let verdict = plugin.verify(&wounded(observed(&plugin, SPAN, &before, &after), wounds));
        told(&verdict);
    }

    /// And so does what is no change.
    #[test]
    fn any_bytes_get_a_verdict(observation in objects::any_bytes()) {
        let verdict = DeprecatedApi::default().verify(&observation);
        prop_assert!(matches!(verdict, Verdict::Inconclusive(_)));
    }
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<DeprecatedApi>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
}
