//! Joining and leaving a village: what is signed, for whom, and when.

use farmops_protocol::{
    departure::DepartureRequest,
    registration::{Applicant, RegistrationRequest},
};
use serde_json::{Value, json};

use super::case::{Case, NOW, farm_key, now, replaced, strangers_key};

const KIND: &str = "registration";
const VILLAGE: &str = "https://orchard.example";
const ACTOR: &str = "https://farm.example/ap/actor";

fn request(kind: &str, text: &str) -> Value {
    json!({ "kind": kind, "now": NOW, "text": text, "village_url": VILLAGE })
}

/// Alice's request without its signature.
fn unsigned() -> String {
    let key = farm_key().public();
    format!(
        r#"{{"actor":"{ACTOR}","display_name":"Alice's farm","farmer_key":"{key}","handle":"alice","invite":"welcome-1","requested_at":"{NOW}","tracker_url":"https://farm.example","village_url":"{VILLAGE}"}}"#
    )
}

/// `unsigned` with the farm's signature over exactly these bytes.
fn sealed(unsigned: &str) -> String {
    let signature = farm_key().sign(unsigned.as_bytes());
    replaced(
        unsigned,
        r#","tracker_url":"#,
        &format!(r#","signature":"{signature}","tracker_url":"#),
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let alice = Applicant {
        actor: ACTOR,
        display_name: "Alice's farm",
        handle: "alice",
        invite: Some("welcome-1"),
        tracker_url: "https://farm.example",
        village_url: VILLAGE,
    };
    let ours =
        String::from_utf8(RegistrationRequest::sign(alice, &farm_key(), now()).unwrap()).unwrap();
    assert_eq!(
        ours,
        sealed(&unsigned()),
        "the text here is what the program writes"
    );
    let leaving =
        String::from_utf8(DepartureRequest::sign(ACTOR, VILLAGE, &farm_key(), now()).unwrap())
            .unwrap();
    let accepted = json!({ "actor": ACTOR });
    let uninvited = sealed(&replaced(&unsigned(), r#""welcome-1""#, "null"));
    let mut cases = vec![
        Case::valid(
            KIND,
            "request",
            "REG-FORM-001",
            "a request with an invite",
            request("registration", &ours),
            accepted.clone(),
        ),
        Case::valid(
            KIND,
            "without-invite",
            "REG-INVITE-001",
            "a request without invite",
            request("registration", &uninvited),
            accepted.clone(),
        ),
        Case::valid(
            KIND,
            "departure",
            "REG-LEAVE-001",
            "a departure",
            request("departure", &leaving),
            accepted,
        ),
    ];
    cases.extend(refused_members());
    cases.extend(refused_otherwise(&ours, &leaving));
    cases
}

fn refused_members() -> Vec<Case> {
    let long = "a".repeat(33);
    [
        (
            "handle-upper-case",
            "IDN-HANDLE-001",
            "a capital letter",
            r#""alice""#,
            r#""Alice""#,
            "handle",
        ),
        (
            "handle-empty",
            "IDN-HANDLE-001",
            "no handle",
            r#""alice""#,
            r#""""#,
            "handle",
        ),
        (
            "handle-edge",
            "IDN-HANDLE-001",
            "a handle that begins with an underscore",
            r#""alice""#,
            r#""_alice""#,
            "handle",
        ),
        (
            "handle-with-host",
            "IDN-HANDLE-001",
            "a handle with a host",
            r#""alice""#,
            r#""alice@x""#,
            "handle",
        ),
        (
            "handle-too-long",
            "IDN-HANDLE-001",
            "33 characters",
            "alice\"",
            &format!("{long}\""),
            "handle",
        ),
        (
            "name-two-lines",
            "REG-NAME-001",
            "a name of two lines",
            "Alice's farm",
            r"two\nlines",
            "display_name",
        ),
        (
            "name-bidi",
            "REG-NAME-001",
            "a name that shows in another order",
            "Alice's farm",
            "\u{202e}mraf",
            "display_name",
        ),
        (
            "name-padded",
            "REG-NAME-001",
            "white space around the name",
            "Alice's farm",
            " Alice",
            "display_name",
        ),
        (
            "tracker-with-path",
            "REG-URL-001",
            "a tracker's URL with a slash",
            r#""https://farm.example","#,
            r#""https://farm.example/","#,
            "tracker_url",
        ),
        (
            "tracker-scheme",
            "REG-URL-001",
            "another scheme",
            r#""https://farm.example","#,
            r#""ftp://farm.example","#,
            "tracker_url",
        ),
        (
            "invite-with-space",
            "REG-INVITE-001",
            "an invite with a space",
            "welcome-1",
            "welcome 1",
            "invite",
        ),
        (
            "unknown-member",
            "REG-FORM-001",
            "a member nobody knows",
            r#""invite":"#,
            r#""http":1,"invite":"#,
            "http",
        ),
        (
            "wrong-type",
            "REG-FORM-001",
            "a number as handle",
            r#""alice""#,
            "1",
            "handle",
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, from, to, field)| {
        let text = sealed(&replaced(&unsigned(), from, to));
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            request("registration", &text),
            json!({ "field": field }),
        )
        .structural(true)
    })
    .chain(
        [
            (
                "actor-elsewhere",
                "an actor on another host",
                "https://other.example/ap/actor",
            ),
            (
                "actor-similar-host",
                "a host that only begins like the tracker's",
                "https://farm.example.evil/ap",
            ),
        ]
        .map(|(name, title, actor)| {
            let text = sealed(&replaced(&unsigned(), ACTOR, actor));
            Case::invalid(
                KIND,
                name,
                "REG-ACTOR-001",
                title,
                request("registration", &text),
                json!({ "field": "actor" }),
            )
            .structural(false)
        }),
    )
    .collect()
}

fn refused_otherwise(ours: &str, leaving: &str) -> Vec<Case> {
    let refused = |name: &str, clause, title: &str, kind: &str, text: &str, field: &str| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            request(kind, text),
            json!({ "field": field }),
        )
    };
    let stamped = |time: &str| sealed(&replaced(&unsigned(), NOW, time));
    let elsewhere = sealed(&replaced(&unsigned(), VILLAGE, "https://harbour.example"));
    let strangers = replaced(
        ours,
        &farm_key().sign(unsigned().as_bytes()).to_string(),
        &strangers_key().sign(unsigned().as_bytes()).to_string(),
    );
    vec![
        refused(
            "for-another-village",
            "REG-AUD-001",
            "meant for another village",
            "registration",
            &elsewhere,
            "village_url",
        )
        .structural(false),
        refused(
            "too-old",
            "REG-FRESH-001",
            "3,601 seconds old",
            "registration",
            &stamped("2026-02-21T08:29:59Z"),
            "requested_at",
        )
        .structural(false),
        refused(
            "too-far-ahead",
            "REG-FRESH-001",
            "301 seconds ahead",
            "registration",
            &stamped("2026-02-21T09:35:01Z"),
            "requested_at",
        )
        .structural(false),
        refused(
            "changed-handle",
            "REG-SIGN-001",
            "the handle changed after signing",
            "registration",
            &replaced(ours, r#""alice""#, r#""mallory""#),
            "signature",
        )
        .structural(false),
        refused(
            "strangers-signature",
            "REG-SIGN-001",
            "signed by another key",
            "registration",
            &strangers,
            "signature",
        )
        .structural(false),
        refused(
            "missing-signature",
            "REG-SIGN-001",
            "no signature",
            "registration",
            &unsigned(),
            "signature",
        )
        .structural(true),
        refused(
            "space",
            "CAN-FORM-001",
            "a space after a colon",
            "registration",
            &replaced(ours, r#""handle":"#, r#""handle": "#),
            "$",
        )
        .structural(false),
        refused(
            "repeated-member",
            "CAN-MEMBER-001",
            "the handle twice",
            "registration",
            &replaced(
                ours,
                r#""handle":"alice""#,
                r#""handle":"alice","handle":"bob""#,
            ),
            "$",
        ),
        refused(
            "too-long",
            "CAN-SIZE-001",
            "4,097 bytes",
            "registration",
            &format!("{ours}{}", " ".repeat(4097 - ours.len())),
            "$",
        )
        .structural(false),
        refused(
            "departure-for-another-village",
            "REG-AUD-001",
            "leaving another village",
            "departure",
            &replaced(leaving, VILLAGE, "https://harbour.example"),
            "village_url",
        )
        .structural(false),
        refused(
            "departure-changed",
            "REG-LEAVE-001",
            "the actor changed after signing",
            "departure",
            &replaced(leaving, ACTOR, "https://evil.example/ap/actor"),
            "signature",
        )
        .structural(false),
        refused(
            "departure-unknown-member",
            "REG-LEAVE-001",
            "a member nobody knows",
            "departure",
            &replaced(
                leaving,
                r#","requested_at""#,
                r#","reason":"","requested_at""#,
            ),
            "reason",
        )
        .structural(true),
    ]
}
