//! What a proof may say, and what it never says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use farmops_plugin as plugin;
use farmops_plugin::{SourceRequirement, Template};
use farmops_protocol::key::SecretKey;
use farmops_protocol::proof::Category;

use super::*;
use crate::keys::Keys;

const DETECTED: i64 = 1_771_666_200;

fn generator() -> Generator {
    let identity = Identity {
        key: Keys::new(Path::new(""), SecretKey::from_bytes([7; 32])),
        agent_id: Uuid::nil(),
        farm_secret: [9; 32],
    };
    let farmer = Farmer {
        name: "alice".to_owned(),
        on_call: false,
        identities: Identities {
            github: vec!["Alice-Dev".to_owned()],
            ..Identities::default()
        },
    };
    Generator::new(identity, farmer, "home".to_owned())
}

fn description() -> Description {
    Description {
        plugin_id: "farmops/test".to_owned(),
        version: "0.1.0".to_owned(),
        description: "Tests.".to_owned(),
        categories: vec![plugin::Category::Reliability],
        sources: vec![SourceRequirement::new("github", &[])],
        templates: vec![
            Template::new("did", "Looked at {count} things").number("count", 1_000_000),
        ],
        subcategories: vec!["review".to_owned()],
        settings_schema: None,
    }
}

fn finding() -> Finding {
    Finding {
        action_type: plugin::ActionType::Review,
        category: plugin::Category::Reliability,
        subcategory: Some("review".to_owned()),
        template: "did".to_owned(),
        numbers: BTreeMap::from([("count".to_owned(), 3)]),
        words: BTreeMap::new(),
        hints: plugin::Hints {
            complexity: plugin::Complexity::Low,
            impact_radius: 99,
            artifacts_touched: u64::MAX,
            time_spent_seconds: None,
        },
        outcome: plugin::OutcomeStatus::Success,
        evidence: b"the evidence".to_vec(),
        actor: plugin::Actor {
            who: Who::Identifier("alice-dev".to_owned()),
            kind: plugin::ActorType::Human,
        },
        dedupe_key: b"work 1".to_vec(),
        finished_at: DETECTED - 60,
    }
}

fn observation() -> Waiting {
    Waiting {
        seq: 1,
        id: Uuid::now_v7(),
        source: "hook".to_owned(),
        source_type: "github".to_owned(),
        event: "pull_request_review".to_owned(),
        payload: br#"{"title": "Fix ticket 4711 for Acme", "login": "alice-dev"}"#.to_vec(),
        detected_at: DETECTED,
    }
}

fn around(head: Option<&ChainHead>) -> Circumstances<'_> {
    Circumstances {
        head,
        proof_id: Uuid::now_v7(),
        salt: [1; 32],
        now: Timestamp::from_second(DETECTED + 5).unwrap(),
    }
}

fn draft(finding: &Finding) -> Result<Draft, NoProof> {
    generator().draft(&description(), &observation(), finding, around(None))
}

#[test]
fn a_proof_says_the_sentence_and_hides_the_rest() {
    let draft = draft(&finding()).unwrap();
    let body = draft.proof.body();
    assert_eq!(body.action.description, "Looked at 3 things");
    assert_eq!(body.action.category, Category::Reliability);
    assert_eq!(body.timestamp.second(), DETECTED - 60);
    assert_eq!(body.scoring_hints.impact_radius.value(), 10);
    let salted = [[1; 32].as_slice(), b"the evidence"].concat();
    assert_eq!(body.outcome.evidence_hash, sha256(&salted));
    let text = String::from_utf8(draft.proof.bytes().to_vec()).unwrap();
    for raw in ["alice", "evidence is", "Acme", "4711", "work 1"] {
        assert!(!text.to_lowercase().contains(&raw.to_lowercase()), "{raw}");
    }
    assert_ne!(body.actor.actor_hash, sha256(b"alice"));
}

#[test]
fn only_the_farmers_own_work_counts() {
    let mut by_another = finding();
    by_another.actor.who = Who::Identifier("bob".to_owned());
    assert!(matches!(draft(&by_another), Err(NoProof::NotTheFarmers)));
    let mut by_someone_on_call = finding();
    by_someone_on_call.actor.who = Who::OnCall;
    assert!(matches!(
        draft(&by_someone_on_call),
        Err(NoProof::NotTheFarmers)
    ));
    let mut elsewhere = observation();
    elsewhere.source_type = "gitea".to_owned();
    let drafted = generator().draft(&description(), &elsewhere, &finding(), around(None));
    assert!(matches!(drafted, Err(NoProof::NotTheFarmers)));
}

#[test]
fn a_number_that_stands_in_the_observation_is_a_leak() {
    let mut smuggler = finding();
    smuggler.numbers.insert("count".to_owned(), 4711);
    let refused = draft(&smuggler);
    let field = "action.description";
    assert!(matches!(refused, Err(NoProof::Leak { field: f }) if f == field));
    let shown = draft(&smuggler).unwrap_err().to_string();
    assert!(!shown.contains("4711"), "{shown}");
}

#[test]
fn undeclared_words_are_refused() {
    let mut other = finding();
    other.subcategory = Some("acme".to_owned());
    assert!(matches!(
        draft(&other),
        Err(NoProof::Undeclared(Undeclared::Subcategory))
    ));
    let mut other = finding();
    other.category = plugin::Category::Incident;
    assert!(matches!(
        draft(&other),
        Err(NoProof::Undeclared(Undeclared::Category))
    ));
    let mut other = finding();
    other.template = "Acme".to_owned();
    assert!(matches!(
        draft(&other),
        Err(NoProof::Undeclared(Undeclared::Template))
    ));
}

#[test]
fn time_never_runs_backwards_and_long_past_work_counts_as_seen() {
    let first = draft(&finding()).unwrap();
    let mut earlier = finding();
    earlier.finished_at = DETECTED - 600;
    let second = generator().draft(
        &description(),
        &observation(),
        &earlier,
        around(Some(&first.head)),
    );
    let second = second.unwrap();
    assert_eq!(second.proof.body().timestamp, first.head.timestamp);
    assert_eq!(second.head.length.value(), 2);
    let mut ancient = finding();
    ancient.finished_at = 1_557_933_638;
    assert_eq!(draft(&ancient).unwrap().head.timestamp.second(), DETECTED);
    let mut tomorrow = finding();
    tomorrow.finished_at = DETECTED + 86_400;
    assert_eq!(
        draft(&tomorrow).unwrap().head.timestamp.second(),
        DETECTED + 5
    );
}

#[test]
fn the_same_work_has_the_same_name_and_another_farm_calls_it_otherwise() {
    let (one, two) = (draft(&finding()).unwrap(), draft(&finding()).unwrap());
    assert_eq!(one.work, two.work);
    assert_ne!(one.proof.hash(), two.proof.hash());
    let mut elsewhere = generator();
    elsewhere.identity.farm_secret = [8; 32];
    assert_ne!(elsewhere.work("farmops/test", &finding()), one.work);
}
