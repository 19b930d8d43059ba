//! Plugins that are not what the manifest asks for, and settings that do not fit.

#![allow(clippy::unwrap_used)]

use farmops_plugin::{Category, SourceRequirement, Template};
use serde_json::json;

use super::*;
use crate::plugins::manifest::{PluginLimits, PluginSource};

fn spec(version: &str, config: &Value) -> PluginSpec {
    PluginSpec {
        id: "a/b".to_owned(),
        version: Some(version.parse().unwrap()),
        source: PluginSource::Binary {
            file: "/b".into(),
            digest: farmops_protocol::digest::sha256(b""),
        },
        grants: Vec::new(),
        config: config.as_object().unwrap().clone(),
        limits: PluginLimits::default(),
    }
}

fn description(schema: Option<Value>) -> Description {
    Description {
        plugin_id: "a/b".to_owned(),
        version: "0.2.1".to_owned(),
        description: "Looks.".to_owned(),
        categories: vec![Category::Toil],
        sources: vec![SourceRequirement::new("github", &[])],
        templates: vec![Template::new("done", "Done")],
        subcategories: Vec::new(),
        settings_schema: schema,
    }
}

fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {"rules": {"type": "array", "items": {"type": "integer", "minimum": 1}}},
    })
}

fn refused(version: &str, config: &Value, description: &Description) -> String {
    let refused = check(&spec(version, config), &[], description);
    refused.unwrap_err().to_string()
}

#[test]
fn what_fits_is_admitted() {
    let fits = spec("^0.2", &json!({"rules": [1, 2]}));
    check(&fits, &[], &description(Some(schema()))).unwrap();
    check(&spec("*", &json!({})), &[], &description(None)).unwrap();
}

#[test]
fn settings_that_do_not_fit_are_named_by_their_place() {
    let described = description(Some(schema()));
    let error = refused("*", &json!({"rules": [1, 0]}), &described);
    assert!(error.contains("`config/rules/1`"), "{error}");
    assert!(error.contains("the minimum of 1"), "{error}");
    let error = refused("*", &json!({"rulez": []}), &described);
    assert!(error.contains("'rulez'"), "{error}");
    let error = refused("*", &json!({"rules": []}), &description(None));
    assert!(error.contains("takes no settings"), "{error}");
    // Nothing is fetched for a schema.
    let outside = json!({"$ref": "https://schema.example/x.json"});
    let error = refused("*", &json!({}), &description(Some(outside)));
    assert!(error.contains("the schema of its settings"), "{error}");
}

#[test]
fn a_secret_that_was_set_in_the_wrong_place_is_not_repeated() {
    let text = json!({"type": "string", "maxLength": 5, "pattern": "^[a-z]*$"});
    let described = description(Some(json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer"}, "mode": {"enum": ["fast", "slow"]}, "text": text,
            "nested": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        },
    })));
    for (field, expected) in [
        ("count", "\"integer\""),
        ("mode", "\"slow\""),
        ("text", "5 characters"),
        ("nested", "anyOf"),
    ] {
        let error = refused("*", &json!({field: "ghp_16C7e42F"}), &described);
        assert!(error.contains(&format!("`config/{field}`")), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("ghp"), "{error}");
    }
}

#[test]
fn another_id_another_version_and_a_useless_grant_are_named() {
    let described = description(None);
    let error = refused("^0.3", &json!({}), &described);
    assert!(error.contains("0.2.1") && error.contains("^0.3"), "{error}");
    let mut other = description(None);
    other.plugin_id = "a/c".to_owned();
    let error = refused("*", &json!({}), &other);
    assert!(error.contains("calls itself `a/c`"), "{error}");
    let mut unversioned = description(None);
    unversioned.version = "new".to_owned();
    assert!(refused("*", &json!({}), &unversioned).contains("`new`"));
    let granted = [("alerts".to_owned(), SourceType::Alertmanager)];
    let error = check(&spec("*", &json!({})), &granted, &described).unwrap_err();
    assert!(error.to_string().contains("`alerts`"), "{error}");
}
