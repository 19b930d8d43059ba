//! The JSON Schemas agree with the vectors, with their own examples and with the code.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::tree;

fn schema(name: &str) -> Value {
    let file = tree::root().join(format!("schemas/{name}.schema.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    let rules = schema("rule-set");
    // A league's schema refers to it by where it is published.
    let published = rules["$id"].as_str().unwrap();
    let registry = jsonschema::Registry::new().add(published, &rules).unwrap();
    let registry = registry.prepare().unwrap();
    let options = jsonschema::draft202012::options();
    let options = options.with_registry(&registry);
    options.build(&schema(name)).unwrap()
}

/// The document that a vector is about, with the schema for it; `None` where no schema speaks.
fn subject(kind: &str, input: &Value) -> Option<(&'static str, Value)> {
    let text = |member: &str| {
        let text = input.get(member)?.as_str()?;
        serde_json::from_str::<Value>(text).ok()
    };
    match kind {
        "signing" => Some(("proof", text("text")?)),
        "enrolment" => Some(("enrolment-request", text("text")?)),
        "keys" if input["kind"] == "rotation" => Some(("key-rotation", text("text")?)),
        "keys" if input["kind"] == "chain-reset" => Some(("chain-reset-request", text("text")?)),
        "registration" if input["kind"] == "departure" => {
            Some(("departure-request", text("text")?))
        }
        "registration" => Some(("registration-request", text("text")?)),
        "league" if input["kind"] == "list" => Some(("league-list", text("text")?)),
        "league" => Some(("league", text("text")?)),
        "scoring" => Some((
            "rule-set",
            input.get("rules").cloned().or_else(|| text("rules_text"))?,
        )),
        "snapshot" => Some((
            "snapshot",
            input.get("document").cloned().or_else(|| text("text"))?,
        )),
        _ => None,
    }
}

#[test]
fn schemas_take_every_valid_vector_and_refuse_what_is_wrong_in_structure() {
    let mut judged = 0;
    let mut failures = Vec::new();
    for (path, vector) in tree::vectors() {
        let Some((name, document)) = subject(&path.kind, &vector.input) else {
            assert_eq!(vector.structural, None, "{path}: no schema can judge it");
            continue;
        };
        let accepts = match (path.verdict.as_str(), vector.structural) {
            ("valid", _) => true,
            (_, Some(structural)) => !structural,
            (_, None) => continue,
        };
        let found: Vec<String> = validator(name)
            .iter_errors(&document)
            .map(|e| e.to_string())
            .collect();
        if found.is_empty() != accepts {
            failures.push(format!(
                "{path}: the schema takes it: {}; {found:?}",
                !accepts
            ));
        }
        judged += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(judged > 100, "only {judged} vectors were judged");
}

#[test]
fn every_schema_is_one_and_takes_its_own_examples() {
    for file in tree::files(&tree::root().join("schemas")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".schema.json").unwrap();
        let schema = schema(name);
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        assert!(
            schema["$id"]
                .as_str()
                .unwrap()
                .ends_with(&format!("/{name}.schema.json"))
        );
        let examples = schema["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} shows no example");
        for example in examples {
            if let Err(error) = validator(name).validate(example) {
                panic!("{name}: {error} at {}", error.instance_path());
            }
        }
    }
}

#[test]
fn answers_of_the_program_fit_their_schemas() {
    use farmops_protocol::{
        enrolment::{AgentStatus, EnrolmentAnswer},
        int::SafeUint,
        key::SecretKey,
        registration::{MembershipStatus, RegistrationAnswer},
        scoring::RuleSet,
    };
    let answer = EnrolmentAnswer {
        branch: SafeUint::ZERO,
        fingerprint: SecretKey::from_bytes([7; 32]).public().fingerprint(),
        head: None,
        reset_waiting: false,
        status: AgentStatus::Revoked,
    };
    let registered = RegistrationAnswer {
        account: "alice@orchard.example".into(),
        status: MembershipStatus::Pending,
        village: "https://orchard.example/ap/village".into(),
    };
    for (name, document) in [
        ("enrolment-answer", json!(answer)),
        ("registration-answer", json!(registered)),
        ("rule-set", json!(RuleSet::default())),
    ] {
        validator(name).validate(&document).unwrap();
    }
}

#[test]
fn the_context_file_has_the_terms_that_are_sent_inline() {
    let file = tree::root().join("context/farm.jsonld");
    let file: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let sent = farmops_protocol::snapshot::context();
    assert_eq!(sent.as_array().unwrap().last().unwrap(), &file["@context"]);
    assert_eq!(schema("snapshot")["properties"]["@context"]["const"], sent);
}
