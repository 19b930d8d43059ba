//! Checkpoints: trees, notes, and notes that lie.

use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_protocol::{
    checkpoint::{Checkpoint, leaf_hash, node_hash},
    digest::{Digest, sha256},
    key::SecretKey,
};
use serde_json::{Value, json};

use super::case::{Case, farm_key, malleated, replaced, strangers_key};

const KIND: &str = "checkpoint";
const ORIGIN: &str = "farm.example/ledger";

/// A signature line of the format's own making, so that it does not lean on the code under test.
fn line(name: &str, key: &SecretKey, text: &str) -> String {
    line_with(name, key, *key.sign(text.as_bytes()).as_bytes())
}

fn line_with(name: &str, key: &SecretKey, signature: [u8; 64]) -> String {
    let id = sha256(&[name.as_bytes(), b"\n\x01", key.public().as_bytes()].concat());
    let bytes = [&id.as_bytes()[..4], &signature].concat();
    format!("\u{2014} {name} {}\n", BASE64_STANDARD.encode(bytes))
}

fn note(text: &str) -> String {
    format!("{text}\n{}", line(ORIGIN, &farm_key(), text))
}

fn input(note: &str) -> Value {
    json!({ "note": note, "public_key": farm_key().public() })
}

pub(crate) fn cases() -> Vec<Case> {
    let root = leaf_hash(b"entry");
    let text = format!("{ORIGIN}\n7\n{}\n", BASE64_STANDARD.encode(root.as_bytes()));
    let whole = note(&text);
    let ours = Checkpoint {
        origin: ORIGIN.into(),
        size: 7,
        root,
    };
    assert_eq!(
        ours.sign(&farm_key()),
        whole,
        "the text here is what the program writes"
    );
    let witnessed = format!(
        "{whole}{}",
        line("witness.example", &strangers_key(), &text)
    );
    let witness_first = format!(
        "{text}\n{}{}",
        line("witness.example", &strangers_key(), &text),
        line(ORIGIN, &farm_key(), &text)
    );
    let extended = format!("{text}season 2026-Q4\n");
    let read = json!({ "origin": ORIGIN, "root": root, "size": 7 });
    let mut cases = vec![
        Case::valid(
            KIND,
            "note",
            "CHK-NOTE-001",
            "a checkpoint",
            input(&whole),
            read.clone(),
        ),
        Case::valid(
            KIND,
            "witnessed",
            "CHK-EXTRA-001",
            "with a witness's signature",
            input(&witnessed),
            read.clone(),
        ),
        Case::valid(
            KIND,
            "witness-first",
            "CHK-EXTRA-001",
            "a witness's signature stands first",
            input(&witness_first),
            read.clone(),
        ),
        Case::valid(
            KIND,
            "extended",
            "CHK-NOTE-001",
            "with a further line",
            input(&note(&extended)),
            read,
        ),
    ];
    cases.extend(trees());
    cases.extend(refused(&text, &whole));
    cases
}

/// Roots put together by hand from the definition.
fn trees() -> Vec<Case> {
    let leaf = |n: usize| leaf_hash(format!("entry {n}").as_bytes());
    let (ab, cd) = (node_hash(&leaf(0), &leaf(1)), node_hash(&leaf(2), &leaf(3)));
    let abcd = node_hash(&ab, &cd);
    let efg = node_hash(&node_hash(&leaf(4), &leaf(5)), &leaf(6));
    let case = |size: usize, root: Digest| {
        let entries: Vec<String> = (0..size).map(|n| format!("entry {n}")).collect();
        let title = format!("the root over {size} entries");
        Case::valid(
            KIND,
            &format!("tree-{size}"),
            "CHK-TREE-001",
            &title,
            json!({ "entries": entries }),
            json!({ "root": root, "size": size }),
        )
    };
    vec![
        case(0, sha256(b"")),
        case(1, leaf(0)),
        case(2, ab),
        case(3, node_hash(&ab, &leaf(2))),
        case(4, abcd),
        case(7, node_hash(&abcd, &efg)),
    ]
}

fn refused(text: &str, whole: &str) -> Vec<Case> {
    let signed_edit = |from: &str, to: &str| note(&replaced(text, from, to));
    let signature = *farm_key().sign(text.as_bytes()).as_bytes();
    let of_stranger = format!("{text}\n{}", line(ORIGIN, &strangers_key(), text));
    let other_name = format!("{text}\n{}", line("other.example", &farm_key(), text));
    let wrong_id = format!(
        "{text}\n{}",
        line(ORIGIN, &strangers_key(), text).replace(
            &BASE64_STANDARD.encode(strangers_key().sign(text.as_bytes()).as_bytes()),
            "",
        )
    );
    let foreign_bytes = [&[0, 0, 0, 0][..], &signature].concat();
    let foreign_id = format!(
        "{text}\n\u{2014} {ORIGIN} {}\n",
        BASE64_STANDARD.encode(foreign_bytes)
    );
    let lax = format!(
        "{text}\n{}",
        line_with(ORIGIN, &farm_key(), malleated(signature))
    );
    let short_root = BASE64_STANDARD.encode([1; 31]);
    let root = text.lines().nth(2).unwrap().to_owned();
    [
        (
            "strangers-key",
            "CHK-SIGN-001",
            "signed by another key",
            of_stranger,
        ),
        (
            "other-name",
            "CHK-SIGN-001",
            "the log's key under another name",
            other_name,
        ),
        (
            "other-key-id",
            "CHK-SIGN-001",
            "the id of another key",
            wrong_id,
        ),
        (
            "zero-key-id",
            "CHK-SIGN-001",
            "the key's hash replaced by zeros",
            foreign_id,
        ),
        ("malleated", "IDN-SIG-001", "S plus the group's order", lax),
        (
            "changed-size",
            "CHK-SIGN-001",
            "the size changed after signing",
            replaced(whole, "\n7\n", "\n8\n"),
        ),
        (
            "unsigned",
            "CHK-SIGN-001",
            "no signature line",
            format!("{text}\n"),
        ),
        (
            "no-empty-line",
            "CHK-NOTE-001",
            "no empty line before the signatures",
            replaced(whole, "\n\n", "\n"),
        ),
        (
            "leading-zero",
            "CHK-NOTE-001",
            "a size with a leading zero",
            signed_edit("\n7\n", "\n07\n"),
        ),
        (
            "negative-size",
            "CHK-NOTE-001",
            "a negative size",
            signed_edit("\n7\n", "\n-7\n"),
        ),
        (
            "size-beyond-64-bits",
            "CHK-NOTE-001",
            "a size of 2^64",
            signed_edit("\n7\n", "\n18446744073709551616\n"),
        ),
        (
            "no-size",
            "CHK-NOTE-001",
            "an empty size",
            signed_edit("\n7\n", "\n\n"),
        ),
        (
            "short-root",
            "CHK-NOTE-001",
            "a root of 31 bytes",
            signed_edit(&root, &short_root),
        ),
        (
            "root-in-hexadecimal",
            "CHK-NOTE-001",
            "a root in hexadecimal",
            signed_edit(&root, &leaf_hash(b"entry").to_string()),
        ),
        (
            "two-lines",
            "CHK-NOTE-001",
            "no root",
            note("farm.example/ledger\n7\n"),
        ),
        (
            "carriage-return",
            "CHK-NOTE-001",
            "line ends of another system",
            note(&text.replace('\n', "\r\n")),
        ),
        (
            "control-character",
            "CHK-NOTE-001",
            "a control character",
            note(&format!("{text}x\u{1b}[2J\n")),
        ),
        (
            "empty-line-inside",
            "CHK-NOTE-001",
            "an empty line inside the text",
            note(&format!("{text}\nmore\n")),
        ),
        (
            "empty-origin",
            "CHK-NOTE-001",
            "no origin",
            format!("{}{}", replaced(text, ORIGIN, ""), "\n"),
        ),
        (
            "too-long",
            "CAN-SIZE-001",
            "more than 4,096 bytes",
            note(&format!("{text}{}\n", "x".repeat(4096))),
        ),
        ("empty", "CHK-NOTE-001", "nothing at all", String::new()),
    ]
    .into_iter()
    .map(|(name, clause, title, note)| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&note),
            json!({ "field": "checkpoint" }),
        )
    })
    .chain([Case::invalid(
        KIND,
        "origin-with-space",
        "CHK-NOTE-001",
        "an origin with a space",
        input(&{
            let text = replaced(text, ORIGIN, "farm example");
            format!("{text}\n{}", line("farm example", &farm_key(), &text))
        }),
        json!({ "field": "checkpoint" }),
    )])
    .collect()
}
