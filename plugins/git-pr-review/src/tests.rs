//! Recorded webhooks, and what a second person would have made of them.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

const DETECTED_AT: i64 = 1_771_666_260;
const OPENED: &str = include_str!("../fixtures/recorded/pull_request.opened.json");
const CLOSED: &str = include_str!("../fixtures/recorded/pull_request.closed.json");
const SUBMITTED: &str = include_str!("../fixtures/recorded/pull_request_review.submitted.json");
const DISMISSED: &str = include_str!("../fixtures/recorded/pull_request_review.dismissed.json");
const APPROVED: &str = include_str!("../fixtures/adapted/pull_request_review.approved.json");
const CHANGES: &str =
    include_str!("../fixtures/adapted/pull_request_review.changes_requested.json");
const MERGED: &str = include_str!("../fixtures/adapted/pull_request.merged.json");

fn verify(source_type: &str, event: &str, payload: &str) -> Verdict {
    PrReview::default().verify(&Observation {
        id: "018f".to_owned(),
        source_type: source_type.to_owned(),
        event: event.to_owned(),
        raw_data: payload.as_bytes().to_vec(),
        detected_at: DETECTED_AT,
    })
}

fn told(verdict: &Verdict) -> String {
    let finding = verdict.finding().unwrap();
    let description = PrReview::default().describe();
    assert!(description.categories.contains(&finding.category));
    let template = description.template(&finding.template).unwrap();
    template.render(&finding.numbers, &finding.words).unwrap()
}

/// The payload with one member, named by its path, set to another value.
fn with(payload: &str, path: &str, value: Value) -> String {
    let mut payload: Value = serde_json::from_str(payload).unwrap();
    *payload.pointer_mut(path).unwrap() = value;
    payload.to_string()
}

#[test]
fn the_declaration_keeps_its_rules() {
    assert_eq!(PrReview::default().describe().check(), Ok(()));
}

#[test]
fn an_approval_with_words_is_a_review_by_its_author() {
    let verdict = verify("github", "pull_request_review", APPROVED);
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.actor.who, Who::Identifier("monalisa".to_owned()));
    assert_eq!(finding.actor.kind, ActorType::Human);
    assert_eq!(finding.finished_at, 1_557_933_638); // 2019-05-15T15:20:38Z
    assert_eq!(told(&verdict), "Reviewed a pull request and approved it");
}

#[test]
fn asking_for_changes_weighs_more_than_a_short_approval() {
    let verdict = verify("github", "pull_request_review", CHANGES);
    assert_eq!(
        verdict.finding().unwrap().hints.complexity,
        Complexity::Medium
    );
    assert_eq!(
        told(&verdict),
        "Reviewed a pull request and asked for changes"
    );
}

#[test]
fn a_merge_counts_for_whoever_merged_another_ones_work() {
    let verdict = verify("github", "pull_request", MERGED);
    assert_eq!(verdict.finding().unwrap().hints.complexity, Complexity::Low);
    assert_eq!(told(&verdict), "Merged a small pull request");
    let large = with(MERGED, "/pull_request/additions", json!(900));
    let verdict = verify("github", "pull_request", &large);
    assert_eq!(told(&verdict), "Merged a large pull request");
}

#[test]
fn recorded_webhooks_of_one_person_alone_are_no_work() {
    for (event, payload) in [
        ("pull_request", OPENED),
        ("pull_request", CLOSED),
        ("pull_request_review", SUBMITTED),
        ("pull_request_review", DISMISSED),
        ("push", "{}"),
    ] {
        let verdict = verify("github", event, payload);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{event}");
    }
}

#[test]
fn ones_own_pull_request_and_a_wordless_nod_are_rejected() {
    let own = with(SUBMITTED, "/review/state", json!("approved"));
    let own = with(&own, "/review/body", json!("I like what I did here"));
    let nod = with(APPROVED, "/review/body", json!("LGTM"));
    let silent = with(APPROVED, "/review/body", Value::Null);
    for payload in [own, nod, silent] {
        let verdict = verify("github", "pull_request_review", &payload);
        assert!(matches!(verdict, Verdict::Rejected(_)));
    }
}

#[test]
fn a_bot_is_said_to_be_one() {
    let bot = with(APPROVED, "/review/user/type", json!("Bot"));
    let verdict = verify("github", "pull_request_review", &bot);
    assert_eq!(verdict.finding().unwrap().actor.kind, ActorType::Bot);
}

#[test]
fn one_view_of_one_commit_is_one_piece_of_work() {
    let key = |payload: &str| {
        let verdict = verify("github", "pull_request_review", payload);
        verdict.finding().unwrap().dedupe_key.clone()
    };
    let again = with(APPROVED, "/review/id", json!(1));
    assert_eq!(key(APPROVED), key(&again));
    assert_ne!(key(APPROVED), key(CHANGES));
}

#[test]
fn gitea_names_its_events_and_reviews_otherwise() {
    let payload = json!({
        "action": "reviewed",
        "number": 3,
        "pull_request": {
            "id": 41, "number": 3, "merged": false, "merged_at": null, "merged_by": null,
            "user": {"id": 7, "login": "carol"}, "head": {"ref": "fix", "sha": "77aa"},
        },
        "repository": {"id": 12, "full_name": "carol/tools"},
        "sender": {"id": 8, "login": "bob"},
        "review": {"type": "pull_request_review_approved", "content": "Works on my pi, too."},
    });
    let verdict = verify("gitea", "pull_request_approved", &payload.to_string());
    let finding = verdict.finding().unwrap();
    assert_eq!(finding.actor.who, Who::Identifier("bob".to_owned()));
    assert_eq!(finding.finished_at, DETECTED_AT);
    assert_eq!(told(&verdict), "Reviewed a pull request and approved it");
}

#[test]
fn a_payload_that_is_none_is_inconclusive() {
    for payload in ["", "[]", "{\"action\":\"submitted\"}"] {
        let verdict = verify("github", "pull_request_review", payload);
        assert!(matches!(verdict, Verdict::Inconclusive(_)), "{payload}");
    }
}

#[test]
fn recorded_observations_get_their_verdicts() {
    farmops_plugin::testing::run::<PrReview>(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors"));
}
