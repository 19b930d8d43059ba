//! Key rotations, chain reset requests, and chains over several keys.

use farmops_protocol::{digest::sha256, key::SecretKey};
use serde_json::{Value, json};

use super::{
    case::{Case, NOW, agent_key, replaced, strangers_key},
    signing::UNSIGNED,
};

const KIND: &str = "keys";
const AGENT: &str = "0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11";
const OTHER_AGENT: &str = "0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d12";
const PROOF: &str = "0195d2c8-3000-7000-8000-000000000001";
const NO_HEAD: &str = r#""prev_proof_hash":null,"prev_proof_id":null"#;

fn new_key() -> SecretKey {
    SecretKey::from_bytes([11; 32])
}

/// The head that most rotations are made at: the first proof of Alice's agent.
fn head() -> Value {
    json!({ "hash": sha256(UNSIGNED.as_bytes()), "length": 1, "proof_id": PROOF, "timestamp": NOW })
}

fn rotation(time: &str) -> String {
    let (key, hash) = (new_key().public(), sha256(UNSIGNED.as_bytes()));
    format!(
        r#"{{"agent_id":"{AGENT}","new_key":"{key}","prev_proof_hash":"{hash}","prev_proof_id":"{PROOF}","requested_at":"{time}"}}"#
    )
}

fn reset(time: &str) -> String {
    format!(r#"{{"agent_id":"{AGENT}","requested_at":"{time}","resumes_after":"{PROOF}"}}"#)
}

/// `unsigned` with the signature of `key` over exactly these bytes.
fn sealed(unsigned: &str, key: &SecretKey) -> String {
    ended(unsigned, &key.sign(unsigned.as_bytes()).to_string())
}

fn ended(unsigned: &str, signature: &str) -> String {
    format!(
        r#"{},"signature":"{signature}"}}"#,
        unsigned.strip_suffix('}').unwrap()
    )
}

/// `unsigned` with the signatures of both keys over exactly these bytes.
fn handed_over(unsigned: &str, old: &SecretKey, new: &SecretKey) -> String {
    let by_new = new.sign(unsigned.as_bytes());
    let with_new = replaced(
        unsigned,
        r#","prev_proof_hash""#,
        &format!(r#","new_key_signature":"{by_new}","prev_proof_hash""#),
    );
    ended(&with_new, &old.sign(unsigned.as_bytes()).to_string())
}

fn good(unsigned: &str) -> String {
    handed_over(unsigned, &agent_key(), &new_key())
}

fn rotation_input(text: &str, head: &Value) -> Value {
    json!({
        "kind": "rotation", "agent_id": AGENT, "head": head, "now": NOW,
        "public_key": agent_key().public(), "text": text,
    })
}

fn reset_input(text: &str) -> Value {
    json!({
        "kind": "chain-reset", "agent_id": AGENT, "now": NOW,
        "public_key": agent_key().public(), "text": text,
    })
}

pub(crate) fn cases() -> Vec<Case> {
    [rotations(), refused_rotations(), resets(), histories()]
        .into_iter()
        .flatten()
        .collect()
}

fn rotations() -> Vec<Case> {
    let handed = json!({ "fingerprint": new_key().public().fingerprint() });
    let valid = |name: &str, clause, title: &str, text: &str, head: &Value| {
        let input = rotation_input(text, head);
        Case::valid(KIND, name, clause, title, input, handed.clone())
    };
    let hash = sha256(UNSIGNED.as_bytes());
    let given = format!(r#""prev_proof_hash":"{hash}","prev_proof_id":"{PROOF}""#);
    let before_any = replaced(&rotation(NOW), &given, NO_HEAD);
    let hour_old = rotation("2026-02-21T08:30:00Z");
    vec![
        valid(
            "rotation",
            "KEY-ROT-001",
            "a rotation at the head of the chain",
            &good(&rotation(NOW)),
            &head(),
        ),
        valid(
            "rotation-before-any-proof",
            "KEY-ROT-005",
            "a rotation of an agent without a proof",
            &good(&before_any),
            &Value::Null,
        ),
        valid(
            "rotation-an-hour-old",
            "ENR-FRESH-001",
            "exactly 3,600 seconds old",
            &good(&hour_old),
            &head(),
        ),
    ]
}

fn refused_rotations() -> Vec<Case> {
    let unsigned = rotation(NOW);
    let whole = good(&unsigned);
    let by_new = new_key().sign(unsigned.as_bytes()).to_string();
    let by_old = agent_key().sign(unsigned.as_bytes()).to_string();
    let key = new_key().public().to_string();
    let old_key = agent_key().public().to_string();
    let same = replaced(&unsigned, &key, &old_key);
    let half_a_head = replaced(
        &unsigned,
        &format!(r#""prev_proof_id":"{PROOF}""#),
        r#""prev_proof_id":null"#,
    );
    let refused = |name: &str, clause, title: &str, text: &str, field: &str| {
        let input = rotation_input(text, &head());
        Case::invalid(KIND, name, clause, title, input, json!({ "field": field }))
    };
    let mut cases = vec![
        refused(
            "rotation-by-wrong-key",
            "KEY-ROT-002",
            "signed by a stranger instead of the old key",
            &handed_over(&unsigned, &strangers_key(), &new_key()),
            "signature",
        )
        .structural(false),
        refused(
            "rotation-by-new-key-only",
            "KEY-ROT-002",
            "the new key signs in the place of the old one",
            &handed_over(&unsigned, &new_key(), &new_key()),
            "signature",
        )
        .structural(false),
        refused(
            "rotation-to-a-key-nobody-showed",
            "KEY-ROT-002",
            "the new key's signature is the old key's",
            &replaced(&whole, &by_new, &by_old),
            "new_key_signature",
        )
        .structural(false),
        refused(
            "rotation-without-self-signature",
            "KEY-ROT-001",
            "the new key has not signed",
            &sealed(&unsigned, &agent_key()),
            "new_key_signature",
        )
        .structural(true),
        refused(
            "rotation-without-signature",
            "KEY-ROT-001",
            "the old key has not signed",
            &replaced(&whole, &format!(r#","signature":"{by_old}""#), ""),
            "signature",
        )
        .structural(true),
        refused(
            "rotation-of-another-agent",
            "KEY-ROT-004",
            "well signed, by the same key, for another agent",
            &good(&replaced(&unsigned, AGENT, OTHER_AGENT)),
            "agent_id",
        )
        .structural(false),
        refused(
            "rotation-moved-to-another-agent",
            "KEY-ROT-002",
            "another agent's rotation with the id replaced",
            &replaced(
                &good(&replaced(&unsigned, AGENT, OTHER_AGENT)),
                OTHER_AGENT,
                AGENT,
            ),
            "signature",
        )
        .structural(false),
        refused(
            "rotation-to-the-same-key",
            "KEY-ROT-003",
            "the new key is the old one",
            &handed_over(&same, &agent_key(), &agent_key()),
            "new_key",
        )
        .structural(false),
        refused(
            "rotation-at-half-a-head",
            "KEY-ROT-005",
            "a hash without an id",
            &good(&half_a_head),
            "prev_proof_hash",
        )
        .structural(true),
        refused(
            "rotation-too-old",
            "ENR-FRESH-001",
            "3,601 seconds old",
            &good(&rotation("2026-02-21T08:29:59Z")),
            "requested_at",
        )
        .structural(false),
        refused(
            "rotation-with-unknown-member",
            "KEY-ROT-001",
            "a member nobody knows",
            &good(&replaced(
                &unsigned,
                r#","new_key""#,
                r#","host":"x","new_key""#,
            )),
            "host",
        )
        .structural(true),
        refused(
            "rotation-too-long",
            "CAN-SIZE-001",
            "1,025 bytes",
            &format!("{whole}{}", " ".repeat(1025 - whole.len())),
            "$",
        )
        .structural(false),
    ];
    cases.extend(other_heads(&whole));
    cases
}

/// Good rotations, but the tracker's head is another one.
fn other_heads(whole: &str) -> Vec<Case> {
    let mut elsewhere = head();
    elsewhere["proof_id"] = json!("0195d2c8-3000-7000-8000-000000000002");
    let mut otherwise = head();
    otherwise["hash"] = json!(sha256(b"another proof"));
    let unnamed = good(&replaced(
        &rotation(NOW),
        &format!(
            r#""prev_proof_hash":"{}","prev_proof_id":"{PROOF}""#,
            sha256(UNSIGNED.as_bytes())
        ),
        NO_HEAD,
    ));
    [
        (
            "rotation-at-another-head",
            "the chain has grown since",
            whole,
            elsewhere,
            "not-the-head",
            "prev_proof_id",
        ),
        (
            "rotation-at-another-hash",
            "the head's id with another hash",
            whole,
            otherwise,
            "wrong-hash",
            "prev_proof_hash",
        ),
        (
            "rotation-at-a-lost-head",
            "the tracker has no proof",
            whole,
            Value::Null,
            "no-genesis",
            "prev_proof_id",
        ),
        (
            "rotation-at-no-head",
            "names no proof, but the chain has one",
            unnamed.as_str(),
            head(),
            "second-genesis",
            "prev_proof_id",
        ),
    ]
    .map(|(name, title, text, head, code, field)| {
        let expect = json!({ "code": code, "field": field });
        let input = rotation_input(text, &head);
        Case::invalid(KIND, name, "KEY-ROT-005", title, input, expect).structural(false)
    })
    .into()
}

fn resets() -> Vec<Case> {
    let unsigned = reset(NOW);
    let anew = replaced(&unsigned, &format!(r#""{PROOF}""#), "null");
    let valid = |name: &str, title: &str, text: &str, after: Value| {
        let expect = json!({ "resumes_after": after });
        let input = reset_input(&sealed(text, &agent_key()));
        Case::valid(KIND, name, "PRF-RESET-005", title, input, expect)
    };
    let refused = |name: &str, clause, title: &str, text: &str, field: &str| {
        let expect = json!({ "field": field });
        Case::invalid(KIND, name, clause, title, reset_input(text), expect)
    };
    let whole = sealed(&unsigned, &agent_key());
    let elsewhere = replaced(&unsigned, AGENT, OTHER_AGENT);
    vec![
        valid(
            "chain-reset",
            "resumes after a proof",
            &unsigned,
            json!(PROOF),
        ),
        valid("chain-reset-anew", "begins anew", &anew, Value::Null),
        refused(
            "chain-reset-by-wrong-key",
            "PRF-RESET-005",
            "signed by a stranger",
            &sealed(&unsigned, &strangers_key()),
            "signature",
        )
        .structural(false),
        refused(
            "chain-reset-without-signature",
            "PRF-RESET-005",
            "not signed",
            &unsigned,
            "signature",
        )
        .structural(true),
        refused(
            "chain-reset-of-another-agent",
            "PRF-RESET-005",
            "well signed, by the same key, for another agent",
            &sealed(&elsewhere, &agent_key()),
            "agent_id",
        )
        .structural(false),
        refused(
            "chain-reset-changed",
            "PRF-RESET-005",
            "another place to resume at, put in after signing",
            &replaced(&whole, PROOF, "0195d2c8-3000-7000-8000-000000000009"),
            "signature",
        )
        .structural(false),
        refused(
            "chain-reset-without-place",
            "PRF-RESET-005",
            "resumes_after is missing",
            &sealed(
                &replaced(&unsigned, &format!(r#","resumes_after":"{PROOF}""#), ""),
                &agent_key(),
            ),
            "$",
        )
        .structural(true),
        refused(
            "chain-reset-too-old",
            "ENR-FRESH-001",
            "3,601 seconds old",
            &sealed(&reset("2026-02-21T08:29:59Z"), &agent_key()),
            "requested_at",
        )
        .structural(false),
    ]
}

/// A proof signed with `key`.
fn proof(unsigned: &str, key: &SecretKey) -> String {
    let signature = key.sign(unsigned.as_bytes());
    replaced(
        unsigned,
        r#","timestamp":"#,
        &format!(r#","signature":"{signature}","timestamp":"#),
    )
}

fn histories() -> Vec<Case> {
    let second_id = "0195d2c8-3000-7000-8000-000000000002";
    let second = replaced(UNSIGNED, PROOF, second_id);
    let hash = sha256(UNSIGNED.as_bytes());
    let second = replaced(
        &second,
        NO_HEAD,
        &format!(r#""prev_proof_hash":"{hash}","prev_proof_id":"{PROOF}""#),
    );
    let events = |key: &SecretKey| {
        json!([
            { "proof": proof(UNSIGNED, &agent_key()) },
            { "rotation": good(&rotation(NOW)) },
            { "proof": proof(&second, key) },
        ])
    };
    let input = |key| {
        json!({
            "kind": "history", "agent_id": AGENT, "events": events(key), "now": NOW,
            "public_key": agent_key().public(),
        })
    };
    let expect = json!({
        "head": { "hash": sha256(second.as_bytes()), "length": 2, "proof_id": second_id, "timestamp": NOW },
        "keys": [
            { "from": 0, "public_key": agent_key().public() },
            { "from": 1, "public_key": new_key().public() },
        ],
    });
    vec![
        Case::valid(
            KIND,
            "history",
            "KEY-ROT-006",
            "one proof, a rotation, and a proof by the new key",
            input(&new_key()),
            expect,
        ),
        Case::invalid(
            KIND,
            "history-of-an-old-key",
            "KEY-ROT-006",
            "the old key signs after its rotation",
            input(&agent_key()),
            json!({ "at": 2, "field": "signature" }),
        ),
    ]
}
