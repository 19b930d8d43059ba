//! The log: entries, what is opened of them, and cosignatures.
//!
//! Hashes are put together here from the definitions, not by the code under test.

use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_protocol::{
    checkpoint::{leaf_hash, node_hash},
    digest::{Digest, keyed, sha256},
};
use serde_json::{Value, json};

use super::case::{Case, NOW, farm_key, replaced, strangers_key};

const KIND: &str = "log";
const ORIGIN: &str = "farm.example/ledger";
const WITNESS: &str = "orchard.example/witness";

pub(crate) fn cases() -> Vec<Case> {
    [entries(), openings(), cosignatures()]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn valid(
    name: &str,
    clause: &'static str,
    title: &str,
    input: Value,
    expect: Value,
) -> Case {
    Case::valid(KIND, name, clause, title, input, expect)
}

pub(crate) fn invalid(
    name: &str,
    clause: &'static str,
    title: &str,
    input: Value,
    expect: Value,
) -> Case {
    Case::invalid(KIND, name, clause, title, input, expect)
}

fn entry_leaf(n: u64) -> Digest {
    leaf_hash(format!("entry {n}").as_bytes())
}

/// RFC 6962 §2.1, word for word.
pub(crate) fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

pub(crate) fn leaves(size: u64) -> Vec<Digest> {
    (0..size).map(entry_leaf).collect()
}

fn salt(half: &str) -> Digest {
    let message = [
        format!("farmops log {half} salt\n").as_bytes(),
        &5_u64.to_be_bytes(),
    ]
    .concat();
    keyed(b"secret", &message)
}

fn half(tag: u8, salt: &Digest, text: &str) -> Digest {
    sha256(&[&[tag], &salt.as_bytes()[..], text.as_bytes()].concat())
}

fn event_text() -> String {
    format!("proof-accepted\n{NOW}\nwhat the agent sent")
}

fn score_text() -> String {
    format!(r#"{{"coins":42,"rules":"{}"}}"#, sha256(b"rules"))
}

fn entry(event: &Digest, score: &Digest) -> Digest {
    sha256(&[&[4], &event.as_bytes()[..], score.as_bytes()].concat())
}

fn entries() -> Vec<Case> {
    let (event_salt, score_salt) = (salt("event"), salt("score"));
    let commitment = |name: &str, clause, title: &str, score: &str| {
        let (event, closed) = (
            half(2, &event_salt, &event_text()),
            half(3, &score_salt, score),
        );
        let entry = entry(&event, &closed);
        valid(
            name,
            clause,
            title,
            json!({
                "what": "commitment",
                "event": { "salt": event_salt, "text": event_text() },
                "score": { "salt": score_salt, "text": score },
            }),
            json!({
                "entry": entry,
                "event": event,
                "leaf": leaf_hash(entry.as_bytes()),
                "score": closed,
            }),
        )
    };
    let event = |text: &str| json!({ "what": "event", "text": text });
    let score = |text: &str| json!({ "what": "score", "text": text });
    let rules = sha256(b"rules");
    let mut cases = vec![
        commitment(
            "scored",
            "LOG-ENTRY-001",
            "an event and its score",
            &score_text(),
        ),
        commitment("unscored", "LOG-ENTRY-002", "an event without a score", ""),
        valid(
            "salts",
            "LOG-SALT-001",
            "both salts of the sixth entry",
            json!({ "what": "salt", "index": 5, "secret": "secret" }),
            json!({ "event": event_salt, "score": score_salt }),
        ),
        valid(
            "event",
            "LOG-EVENT-001",
            "a kind, a time and a body",
            event(&event_text()),
            json!({ "body": "what the agent sent", "kind": "proof-accepted", "recorded_at": NOW }),
        ),
        valid(
            "event-of-lines",
            "LOG-EVENT-001",
            "a body of several lines, the first of them empty",
            event(&format!("rest-day\n{NOW}\n\na\n")),
            json!({ "body": "\na\n", "kind": "rest-day", "recorded_at": NOW }),
        ),
        valid(
            "score",
            "LOG-SCORE-001",
            "a score",
            score(&score_text()),
            json!({ "score": { "coins": 42, "rules": rules } }),
        ),
        valid(
            "no-score",
            "LOG-SCORE-001",
            "an event that has no score",
            score(""),
            json!({ "score": null }),
        ),
    ];
    for (name, title, text, field) in [
        (
            "event-one-line",
            "no time and no body",
            "rest-day".to_owned(),
            "$",
        ),
        (
            "event-no-body",
            "no line end after the time",
            format!("rest-day\n{NOW}"),
            "$",
        ),
        (
            "event-empty-kind",
            "an empty kind",
            format!("\n{NOW}\n"),
            "kind",
        ),
        (
            "event-capital-kind",
            "a kind with a capital",
            format!("Rest-day\n{NOW}\n"),
            "kind",
        ),
        (
            "event-long-kind",
            "a kind of 65 characters",
            format!("{}\n{NOW}\n", "a".repeat(65)),
            "kind",
        ),
        (
            "event-time",
            "a time with an offset",
            "rest-day\n2026-02-21T10:30:00+01:00\n".to_owned(),
            "recorded_at",
        ),
    ] {
        cases.push(invalid(
            name,
            "LOG-EVENT-001",
            title,
            event(&text),
            json!({ "field": field }),
        ));
    }
    for (name, title, text, field) in [
        (
            "score-space",
            "a score that is not canonical",
            replaced(&score_text(), ":42", ": 42"),
            "$",
        ),
        (
            "score-more",
            "a score that tells more",
            replaced(&score_text(), "}", r#","streak":3}"#),
            "streak",
        ),
        (
            "score-negative",
            "fewer coins than none",
            replaced(&score_text(), ":42", ":-1"),
            "coins",
        ),
        (
            "score-list",
            "a list in the place of the object",
            format!(r#"[42,"{rules}"]"#),
            "$",
        ),
    ] {
        cases.push(invalid(
            name,
            "LOG-SCORE-001",
            title,
            score(&text),
            json!({ "field": field }),
        ));
    }
    cases
}

/// A signed checkpoint over these leaves.
fn checkpoint(leaves: &[Digest]) -> String {
    let text = format!(
        "{ORIGIN}\n{}\n{}\n",
        leaves.len(),
        BASE64_STANDARD.encode(root(leaves).as_bytes())
    );
    let id = sha256(&[ORIGIN.as_bytes(), b"\n\x01", farm_key().public().as_bytes()].concat());
    let line = [
        &id.as_bytes()[..4],
        farm_key().sign(text.as_bytes()).as_bytes(),
    ]
    .concat();
    format!(
        "{text}\n\u{2014} {ORIGIN} {}\n",
        BASE64_STANDARD.encode(line)
    )
}

fn opened(extra: &Value) -> String {
    let (event, score) = (
        half(2, &salt("event"), &event_text()),
        half(3, &salt("score"), &score_text()),
    );
    let mut log = leaves(7);
    log[5] = leaf_hash(entry(&event, &score).as_bytes());
    let beside = [log[4], log[6], root(&log[..4])];
    let hashes: String = beside
        .iter()
        .map(|hash| BASE64_STANDARD.encode(hash.as_bytes()) + "\n")
        .collect();
    let extra = BASE64_STANDARD.encode(extra.to_string());
    format!(
        "c2sp.org/tlog-proof@v1\nextra {extra}\nindex 5\n{hashes}\n{}",
        checkpoint(&log)
    )
}

fn openings() -> Vec<Case> {
    let open = |name: &str, text: &str| json!({ "bytes": BASE64_STANDARD.encode(text), "salt": salt(name) });
    let closed =
        |tag: u8, name: &str, text: &str| json!({ "commitment": half(tag, &salt(name), text) });
    let (event_closed, score_closed) = (
        closed(2, "event", &event_text()),
        closed(3, "score", &score_text()),
    );
    let (event_open, score_open) = (open("event", &event_text()), open("score", &score_text()));
    let input =
        |text: &str| json!({ "what": "opening", "public_key": farm_key().public(), "text": text });
    let expect = |event: Value, score: Value| json!({ "event": event, "index": 5, "score": score, "size": 7 });
    let shown = opened(&json!({ "event": event_closed, "score": score_open }));
    let mut cases = vec![
        valid(
            "score-shown",
            "LOG-OPEN-001",
            "the score alone",
            input(&shown),
            expect(Value::Null, json!(score_text())),
        ),
        valid(
            "event-shown",
            "LOG-OPEN-002",
            "the event alone",
            input(&opened(
                &json!({ "event": event_open, "score": score_closed }),
            )),
            expect(json!(event_text()), Value::Null),
        ),
        valid(
            "both-shown",
            "LOG-OPEN-002",
            "both halves",
            input(&opened(
                &json!({ "event": event_open, "score": score_open }),
            )),
            expect(json!(event_text()), json!(score_text())),
        ),
    ];
    let richer = open("score", &replaced(&score_text(), ":42", ":43"));
    let other_salt = json!({ "bytes": score_open["bytes"], "salt": salt("event") });
    let both = json!({ "bytes": score_open["bytes"], "commitment": score_closed["commitment"], "salt": score_open["salt"] });
    for (name, title, score, expect) in [
        (
            "score-richer",
            "a coin more than was earned",
            richer,
            json!({ "at": "verify" }),
        ),
        (
            "other-salt",
            "another salt",
            other_salt,
            json!({ "at": "verify" }),
        ),
        (
            "open-and-closed",
            "a half both open and closed",
            both,
            json!({ "field": "extra.score" }),
        ),
        (
            "salt-alone",
            "a salt without bytes",
            json!({ "salt": salt("score") }),
            json!({ "field": "extra.score" }),
        ),
    ] {
        let text = opened(&json!({ "event": event_closed, "score": score }));
        cases.push(invalid(name, "LOG-OPEN-002", title, input(&text), expect));
    }
    let swapped = opened(&json!({ "event": score_open, "score": event_closed }));
    cases.push(invalid(
        "halves-swapped",
        "LOG-OPEN-002",
        "the score in the event's place",
        input(&swapped),
        json!({ "at": "verify" }),
    ));
    let extra = shown.lines().nth(1).unwrap();
    let without_extra = replaced(&shown, &format!("{extra}\n"), "");
    let hash = shown.lines().nth(3).unwrap();
    for (name, title, text, expect) in [
        (
            "proof-first-line",
            "another format",
            replaced(&shown, "proof@v1", "proof@v2"),
            json!({ "field": "$" }),
        ),
        (
            "proof-no-extra",
            "nothing opened",
            without_extra,
            json!({ "field": "extra" }),
        ),
        (
            "proof-index-zero",
            "an index with a zero before it",
            replaced(&shown, "index 5", "index 05"),
            json!({ "field": "index" }),
        ),
        (
            "proof-other-index",
            "another index",
            replaced(&shown, "index 5", "index 4"),
            json!({ "at": "verify" }),
        ),
        (
            "proof-hash",
            "a hash in hexadecimal",
            replaced(&shown, hash, &"0".repeat(64)),
            json!({ "field": "hashes[0]" }),
        ),
        (
            "proof-hash-missing",
            "a hash missing",
            replaced(&shown, &format!("{hash}\n"), ""),
            json!({ "at": "verify" }),
        ),
        (
            "proof-many-hashes",
            "65 hashes",
            replaced(&shown, hash, &[hash; 63].join("\n")),
            json!({ "field": "hashes[64]" }),
        ),
        (
            "proof-other-size",
            "another size in the checkpoint",
            replaced(&shown, "\n7\n", "\n8\n"),
            json!({ "field": "checkpoint" }),
        ),
        (
            "proof-no-checkpoint",
            "no checkpoint",
            shown.split("\n\n").next().unwrap().to_owned(),
            json!({ "field": "$" }),
        ),
    ] {
        cases.push(invalid(name, "LOG-OPEN-001", title, input(&text), expect));
    }
    cases
}

fn cosignatures() -> Vec<Case> {
    let note = checkpoint(&leaves(7));
    let text = format!("{}\n", note.split("\n\n").next().unwrap());
    let line = |name: &str, algorithm: u8, seconds: u64, message: &str| {
        let key = strangers_key();
        let id = sha256(
            &[
                name.as_bytes(),
                b"\n",
                &[algorithm],
                key.public().as_bytes(),
            ]
            .concat(),
        );
        let signature = key.sign(message.as_bytes());
        let bytes = [
            &id.as_bytes()[..4],
            &seconds.to_be_bytes(),
            signature.as_bytes(),
        ]
        .concat();
        format!("\u{2014} {name} {}\n", BASE64_STANDARD.encode(bytes))
    };
    let message = |seconds: u64| format!("cosignature/v1\ntime {seconds}\n{text}");
    // 2026-02-21T09:30:00Z and a minute before.
    let (now, before) = (1_771_666_200, 1_771_666_140);
    let good = line(WITNESS, 4, now, &message(now));
    let input = |lines: &str| json!({ "what": "cosignature", "name": WITNESS, "note": format!("{note}{lines}"), "public_key": strangers_key().public() });
    let expect = json!({ "time": NOW });
    let mut cases = vec![
        valid(
            "cosigned",
            "CHK-COSIGN-001",
            "a checkpoint that a witness saw",
            input(&good),
            expect.clone(),
        ),
        valid(
            "cosigned-twice",
            "CHK-COSIGN-001",
            "the later of two times counts",
            input(&format!(
                "{good}{}",
                line(WITNESS, 4, before, &message(before))
            )),
            expect,
        ),
    ];
    for (name, title, lines) in [
        ("cosign-none", "no witness", String::new()),
        (
            "cosign-other-time",
            "another time than was signed",
            line(WITNESS, 4, now, &message(before)),
        ),
        (
            "cosign-bare-text",
            "the text without the time",
            line(WITNESS, 4, now, &text),
        ),
        (
            "cosign-other-name",
            "another witness's name",
            line("other.example", 4, now, &message(now)),
        ),
        (
            "cosign-as-log",
            "the key's hash as of a log's own key",
            line(WITNESS, 1, now, &message(now)),
        ),
        (
            "cosign-beyond",
            "a time beyond 2^63 − 1",
            line(WITNESS, 4, u64::MAX, &message(u64::MAX)),
        ),
        (
            "cosign-no-line",
            "a line that is no signature line",
            format!("{good}seen\n"),
        ),
    ] {
        let clause = if name == "cosign-no-line" {
            "CHK-EXTRA-001"
        } else {
            "CHK-COSIGN-001"
        };
        cases.push(invalid(
            name,
            clause,
            title,
            input(&lines),
            json!({ "field": "$" }),
        ));
    }
    cases
}
