//! Enrolment requests: when they are fresh, whole and signed by their own key.

use serde_json::{Value, json};

use super::case::{Case, NOW, agent_key, replaced, strangers_key};

const KIND: &str = "enrolment";
const AGENT: &str = "0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11";

fn unsigned(time: &str) -> String {
    let key = agent_key().public();
    format!(
        r#"{{"agent_id":"{AGENT}","cluster_alias":"prod-eu-1","public_key":"{key}","requested_at":"{time}"}}"#
    )
}

/// `unsigned` with the agent's signature over exactly these bytes.
fn sealed(unsigned: &str) -> String {
    let signature = agent_key().sign(unsigned.as_bytes());
    format!(
        r#"{},"signature":"{signature}"}}"#,
        unsigned.strip_suffix('}').unwrap()
    )
}

fn input(text: &str) -> Value {
    json!({ "now": NOW, "text": text })
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, clause, title, time) in [
        ("request", "ENR-FORM-001", "a request of this second", NOW),
        (
            "an-hour-old",
            "ENR-FRESH-001",
            "exactly 3,600 seconds old",
            "2026-02-21T08:30:00Z",
        ),
        (
            "five-minutes-ahead",
            "ENR-FRESH-001",
            "exactly 300 seconds ahead",
            "2026-02-21T09:35:00Z",
        ),
    ] {
        let expect =
            json!({ "agent_id": AGENT, "fingerprint": agent_key().public().fingerprint() });
        cases.push(Case::valid(
            KIND,
            name,
            clause,
            title,
            input(&sealed(&unsigned(time))),
            expect,
        ));
    }
    let good = unsigned(NOW);
    let key = agent_key().public().to_string();
    let long = "a".repeat(33);
    for (name, clause, title, from, to, field) in [
        (
            "alias-host-name",
            "PRF-ALIAS-001",
            "a host name as alias",
            "prod-eu-1",
            "prod.example",
            "cluster_alias",
        ),
        (
            "alias-empty",
            "PRF-ALIAS-001",
            "an empty alias",
            "prod-eu-1",
            "",
            "cluster_alias",
        ),
        (
            "alias-too-long",
            "PRF-ALIAS-001",
            "an alias of 33 characters",
            "prod-eu-1",
            long.as_str(),
            "cluster_alias",
        ),
        (
            "alias-of-wrong-type",
            "ENR-FORM-001",
            "a number as alias",
            r#""prod-eu-1""#,
            "1",
            "cluster_alias",
        ),
        (
            "agent-id-upper-case",
            "IDN-AGENT-001",
            "an id in upper case",
            "0195d2c8",
            "0195D2C8",
            "$",
        ),
        (
            "key-of-small-order",
            "IDN-KEY-002",
            "a key of order 4",
            key.as_str(),
            "z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP",
            "public_key",
        ),
        (
            "key-in-hexadecimal",
            "IDN-KEY-001",
            "hexadecimal digits as key",
            key.as_str(),
            "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
            "public_key",
        ),
        (
            "unknown-member",
            "ENR-FORM-001",
            "a member nobody knows",
            r#","public_key""#,
            r#","host":"x","public_key""#,
            "host",
        ),
        (
            "missing-member",
            "ENR-FORM-001",
            "the alias is missing",
            r#""cluster_alias":"prod-eu-1","#,
            "",
            "$",
        ),
        (
            "time-with-offset",
            "PRF-TIME-001",
            "a time with an offset",
            "09:30:00Z",
            "09:30:00+00:00",
            "requested_at",
        ),
    ] {
        cases.push(
            Case::invalid(
                KIND,
                name,
                clause,
                title,
                input(&sealed(&replaced(&good, from, to))),
                json!({ "field": field }),
            )
            .structural(name != "key-of-small-order"), // no pattern knows the curve
        );
    }
    for (name, title, time) in [
        ("too-old", "3,601 seconds old", "2026-02-21T08:29:59Z"),
        ("too-far-ahead", "301 seconds ahead", "2026-02-21T09:35:01Z"),
    ] {
        cases.push(
            Case::invalid(
                KIND,
                name,
                "ENR-FRESH-001",
                title,
                input(&sealed(&unsigned(time))),
                json!({ "field": "requested_at" }),
            )
            .structural(false),
        );
    }
    let whole = sealed(&good);
    let strangers = replaced(
        &whole,
        &agent_key().sign(good.as_bytes()).to_string(),
        &strangers_key().sign(good.as_bytes()).to_string(),
    );
    let refused = |name: &str, clause, title: &str, text: &str, field: &str| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(text),
            json!({ "field": field }),
        )
    };
    cases.extend([
        refused(
            "changed-alias",
            "ENR-SIGN-001",
            "the alias changed after signing",
            &replaced(&whole, "prod-eu-1", "prod-eu-2"),
            "signature",
        )
        .structural(false),
        refused(
            "strangers-signature",
            "ENR-SIGN-001",
            "signed by another key than it brings",
            &strangers,
            "signature",
        )
        .structural(false),
        refused(
            "missing-signature",
            "ENR-SIGN-001",
            "no signature",
            &good,
            "signature",
        )
        .structural(true),
        refused(
            "order",
            "CAN-FORM-001",
            "two members change places",
            &format!(
                r#"{{"signature":"{}",{}"#,
                agent_key().sign(good.as_bytes()),
                &good[1..]
            ),
            "$",
        )
        .structural(false),
        refused(
            "space",
            "CAN-FORM-001",
            "a space after a comma",
            &replaced(&whole, r#","public_key""#, r#", "public_key""#),
            "$",
        )
        .structural(false),
        refused(
            "repeated-member",
            "CAN-MEMBER-001",
            "the alias twice",
            &replaced(
                &whole,
                r#""cluster_alias":"prod-eu-1""#,
                r#""cluster_alias":"prod-eu-1","cluster_alias":"prod-eu-1""#,
            ),
            "$",
        ),
        refused(
            "too-long",
            "CAN-SIZE-001",
            "1,025 bytes",
            &format!("{whole}{}", " ".repeat(1025 - whole.len())),
            "$",
        )
        .structural(false),
        refused(
            "truncated",
            "ENR-FORM-001",
            "broken off",
            &whole[..100],
            "$",
        ),
    ]);
    cases
}
