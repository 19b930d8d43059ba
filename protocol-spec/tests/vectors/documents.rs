//! What the documents show is real: every quoted document is a vector's, every clause they name exists.

use std::{collections::BTreeSet, env, fs};

use farmops_protocol::{key::SecretKey, scoring::RuleSet};
use serde_json::Value;

use crate::tree;

/// The text that a fence like ` ```json vector=valid/chain/x.json pointer=/input/document ` quotes.
fn quoted(fence: &str) -> Option<String> {
    let option = |name: &str| {
        fence
            .split(' ')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let file = tree::root().join("vectors").join(option("vector")?);
    let vector: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let value = vector
        .pointer(option("pointer").unwrap_or("/input/text"))
        .unwrap();
    Some(match value {
        Value::String(text) => text.trim_end_matches('\n').to_owned(),
        tree => serde_json::to_string_pretty(tree).unwrap(),
    })
}

#[test]
fn quoted_documents_are_those_of_the_vectors() {
    for file in tree::files(&tree::root().join("docs")) {
        let text = fs::read_to_string(&file).unwrap();
        let mut fresh = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            fresh.push_str(line);
            fresh.push('\n');
            if let Some(quoted) = line.strip_prefix("```").and_then(quoted) {
                fresh.push_str(&quoted);
                fresh.push_str("\n```\n");
                lines
                    .by_ref()
                    .take_while(|line| *line != "```")
                    .for_each(drop);
            }
        }
        if env::var_os("UPDATE").is_some() {
            fs::write(&file, fresh).unwrap();
        } else {
            assert_eq!(
                text,
                fresh,
                "{}: run with UPDATE=1 to refresh",
                file.display()
            );
        }
    }
}

#[test]
fn every_clause_that_a_document_names_is_defined() {
    let clauses = tree::clauses();
    assert!(clauses.len() > 100);
    for file in tree::files(&tree::root().join("docs")) {
        let text = fs::read_to_string(&file).unwrap();
        let words =
            text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
        let named: BTreeSet<&str> = words
            .filter(|word| {
                let parts: Vec<&str> = word.split('-').collect();
                let is_name = |p: &&str| p.len() > 1 && p.bytes().all(|b| b.is_ascii_uppercase());
                parts.len() == 3
                    && parts[..2].iter().all(is_name)
                    && parts[2].len() == 3
                    && parts[2].bytes().all(|b| b.is_ascii_digit())
            })
            .collect();
        for id in named {
            assert!(clauses.contains(id), "{}: {id}", file.display());
        }
    }
}

#[test]
fn figures_in_the_documents_are_those_of_the_program() {
    let read = |name: &str| fs::read_to_string(tree::root().join("docs").join(name)).unwrap();
    let key = SecretKey::from_bytes([7; 32]).public();
    let identity = read("identity.md");
    assert!(identity.contains(&key.to_string()));
    assert!(identity.contains(&key.fingerprint().to_string()));
    assert!(read("scoring.md").contains(&RuleSet::default().digest().to_string()));
}
