//! What paths keep, by example and by rule.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn kept(paths: &[&str], object: &Value) -> Value {
    let text = Projection::new(paths).unwrap().project(object, 1 << 20);
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[test]
fn a_path_keeps_what_it_ends_at_and_the_way_there() {
    let object = json!({
        "spec": {"replicas": 3, "paused": false},
        "status": {"conditions": [
            {"type": "Available", "status": "True", "reason": "x"},
            {"type": "Progressing", "status": "False"},
        ]},
    });
    assert_eq!(
        kept(&["spec.replicas", "spec.absent", "absent.deep"], &object),
        json!({"spec": {"replicas": 3}})
    );
    assert_eq!(
        kept(&["status.conditions[type=Available].status"], &object),
        json!({"status": {"conditions": [{"status": "True", "type": "Available"}]}})
    );
    assert_eq!(
        kept(&["status.conditions[type=Available]"], &object),
        json!({"status": {"conditions": [{"reason": "x", "status": "True", "type": "Available"}]}})
    );
    assert_eq!(
        kept(&["status.conditions[].status"], &object),
        json!({"status": {"conditions": [{"status": "True"}, {"status": "False"}]}})
    );
    assert_eq!(
        kept(&["*.replicas"], &object),
        json!({"spec": {"replicas": 3}})
    );
}

#[test]
fn paths_into_the_same_place_are_added_up() {
    let object = json!({"spec": {"containers": [
        {"name": "a", "image": "x:1", "env": [{"name": "PASSWORD", "value": "hunter2"}]},
        {"name": "b", "image": "y:1"},
    ]}});
    let paths = [
        "spec.containers[].image",
        "spec.containers[name=b].name",
        "spec.containers[].absent",
    ];
    assert_eq!(
        kept(&paths, &object),
        json!({"spec": {"containers": [{"image": "x:1"}, {"image": "y:1", "name": "b"}]}})
    );
}

#[test]
fn equal_values_are_equal_texts_in_whatever_order_they_came() {
    let projection = Projection::new(&["metadata.labels"]).unwrap();
    let one = json!({"metadata": {"labels": {"b": "2", "a": {"d": 1, "c": 2}}}});
    let other = json!({"metadata": {"labels": {"a": {"c": 2, "d": 1}, "b": "2"}, "x": 1}});
    assert_eq!(projection.project(&one, 99), projection.project(&other, 99));
    assert_eq!(projection.project(&one, 10), Err(TooLarge(10)));
}

#[test]
fn a_digest_names_the_set_of_paths() {
    let digest = |paths: &[&str]| Projection::new(paths).unwrap().digest();
    assert_eq!(digest(&["a", "b"]), digest(&["b", "a"]));
    assert_ne!(digest(&["a", "b"]), digest(&["a.b"]));
    assert!(Projection::new(&["a..b"]).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn paths() -> impl Strategy<Value = Vec<String>> {
    let part = prop_oneof![
        4 => "[a-c]",
        1 => Just("*".to_owned()),
        1 => "[a-c]\\[\\]",
        1 => "[a-c]\\[[a-c]=[a-c]{1,2}\\]",
    ];
    let path = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("."));
    prop::collection::vec(path, 1..4)
}

/// Whether everything in `part` is in `whole` too: nothing was made up.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| is_part(part, whole))),
        (Value::Array(part), Value::Array(whole)) => {
            let mut rest = whole.iter();
            part.iter()
                .all(|part| rest.by_ref().any(|whole| is_part(part, whole)))
        }
        _ => part == whole,
    }
}

proptest! {
    #[test]
    fn nothing_is_made_up_and_projecting_again_changes_nothing(object in value(), paths in paths()) {
        let projection = Projection::new(&paths).unwrap();
        let text = projection.project(&object, 1 << 20).unwrap();
        let kept: Value = serde_json::from_str(&text).unwrap();
        if kept != json!({}) {
            prop_assert!(is_part(&kept, &object), "{kept} of {object}");
        }
        prop_assert_eq!(projection.project(&kept, 1 << 20).unwrap(), text);
    }

    #[test]
    fn more_paths_keep_no_less(object in value(), paths in paths(), more in paths()) {
        let few = Projection::new(&paths).unwrap().project(&object, 1 << 20).unwrap();
        let both = [paths, more].concat();
        let many = Projection::new(&both).unwrap().project(&object, 1 << 20).unwrap();
        let few: Value = serde_json::from_str(&few).unwrap();
        let many: Value = serde_json::from_str(&many).unwrap();
        prop_assert!(is_part(&few, &many), "{few} in {many}");
    }

    #[test]
    fn a_member_that_no_path_names_is_never_kept(object in value(), paths in paths()) {
        let hidden = json!({"a": object, "hidden": "s3cret", "b": {"hidden": ["s3cret"]}});
        let named: Vec<String> = paths.iter().filter(|path| !path.contains('*')).cloned().collect();
        prop_assume!(!named.is_empty());
        // What a path ends at is kept whole, so the secret lies beside, not below.
        prop_assume!(!named.iter().any(|path| path == "b"));
        let text = Projection::new(&named).unwrap().project(&hidden, 1 << 20).unwrap();
        prop_assert!(!text.contains("s3cret"), "{text}");
    }
}
