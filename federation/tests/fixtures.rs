//! Every document under `fixtures/` is read as what its name says.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, path::Path};

use farmops_federation::{
    ActorKind, Reach, Timestamp,
    activities::Incoming,
    actor::{ActorKeys, OsRng},
    protocol::{activity::Activity, actor, jrd::Jrd, tolerant},
};
use serde_json::Value;

fn fixtures() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let pem = ActorKeys::generate(&mut OsRng)
        .unwrap()
        .public_pem()
        .replace('\n', "\\n");
    let mut found = Vec::new();
    for software in fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !software.is_dir() {
            continue;
        }
        for file in fs::read_dir(&software)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let program = software.file_name().unwrap().to_str().unwrap();
            let name = file.file_name().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&file).unwrap().replace("{{PEM}}", &pem);
            let document = tolerant::document(text.as_bytes())
                .unwrap_or_else(|e| panic!("{program}/{name}: {e}"));
            found.push((format!("{program}/{name}"), document));
        }
    }
    assert!(found.len() >= 18, "the fixtures are missing");
    found
}

fn kind_of(incoming: &Incoming) -> &'static str {
    match incoming {
        Incoming::Follow(_) => "follow",
        Incoming::Accept(_) => "accept",
        Incoming::Reject(_) => "reject",
        Incoming::Undo(_) => "undo",
        Incoming::Create(_) => "create",
        Incoming::Update(_) => "update",
        Incoming::Announce(_) => "announce",
        Incoming::Delete(_) => "delete",
        Incoming::Other => "other",
    }
}

#[test]
fn every_fixture_is_read_as_what_it_is() {
    for (path, document) in fixtures() {
        let name = path.split_once('/').unwrap().1.trim_end_matches(".json");
        match name {
            "actor" | "person" | "group" => {
                let id = tolerant::required(&document, "id").unwrap();
                let now = Timestamp::from_second(1_790_000_000).unwrap();
                let actor =
                    actor::parse(&document, &id, now).unwrap_or_else(|e| panic!("{path}: {e}"));
                assert_eq!(actor.kind == ActorKind::Group, name == "group", "{path}");
                assert!(actor.shared_inbox.is_some(), "{path}");
                assert!(actor.key_id.starts_with(actor.id.as_str()), "{path}");
                let account = actor.account.unwrap().to_string();
                assert_eq!(
                    account,
                    format!("{}@{}", actor.username, id.host_str().unwrap())
                );
            }
            "webfinger" => {
                let jrd = Jrd::parse(&document, Reach::Public).unwrap();
                assert!(jrd.actor.as_str().starts_with("https://"), "{path}");
            }
            activity => {
                let parsed = Activity::from_document(document)
                    .and_then(|activity| Incoming::parse(&activity))
                    .unwrap_or_else(|e| panic!("{path}: {e}"));
                let want = match activity.split('-').next().unwrap() {
                    "emoji" => "other",
                    verb => verb,
                };
                assert_eq!(kind_of(&parsed), want, "{path}");
            }
        }
    }
}

/// Each member that matters, taken away from or spoilt in each actor: refused by name, no panic.
#[test]
fn a_spoilt_actor_is_refused_by_field() {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    for (path, document) in fixtures() {
        if document.get("publicKey").is_none() {
            continue;
        }
        let id = tolerant::required(&document, "id").unwrap();
        for member in ["id", "type", "preferredUsername", "inbox", "publicKey"] {
            for spoilt in [
                Value::Null,
                Value::from(7),
                Value::from(""),
                Value::Array(vec![]),
            ] {
                let mut document = document.clone();
                document[member] = spoilt;
                let refusal = actor::parse(&document, &id, now).unwrap_err();
                assert!(refusal.field.starts_with(member), "{path}: {refusal}");
            }
        }
    }
}
