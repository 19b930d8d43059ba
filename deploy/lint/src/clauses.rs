//! Clause ids such as `PRF-CHAIN-003`: defined once in `protocol-spec/docs`, cited anywhere, tested by vectors.

use std::collections::{BTreeMap, BTreeSet};

use crate::Finding;
use crate::tree::ends;

const DOCS: &str = "protocol-spec/docs/";
const VECTORS: &str = "protocol-spec/vectors/";

/// Names of algorithms that look like a clause.
const NOT_CLAUSES: &[&str] = &["HMAC-SHA-", "PKCS-SHA-", "RSA-SHA-"];

/// Every clause defined twice, cited without being defined, and every vector without a known clause.
#[must_use]
pub fn check(texts: &[(String, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut defined: BTreeMap<&str, String> = BTreeMap::new();
    for (path, text) in texts.iter().filter(|(path, _)| path.starts_with(DOCS)) {
        for (number, line) in text.lines().enumerate() {
            for (at, id) in ids(line) {
                if !defines(&line[at + id.len()..]) {
                    continue;
                }
                let place = format!("{path}:{}", number + 1);
                if let Some(first) = defined.insert(id, place.clone()) {
                    findings.push(format!("{place}: {id} is defined in {first} already"));
                }
            }
        }
    }
    for (path, text) in texts.iter().filter(|(path, _)| cites(path)) {
        let unknown: BTreeSet<&str> = ids(text)
            .map(|(_, id)| id)
            .filter(|id| !defined.contains_key(id))
            .collect();
        for id in unknown {
            findings.push(format!("{path}: {id} is defined nowhere in {DOCS}"));
        }
        if path.starts_with(VECTORS) && ends(path, "json") && ids(text).next().is_none() {
            findings.push(format!("{path}: names no clause"));
        }
    }
    findings
}

/// What follows an id where it is defined: ` (MUST)`, ` (SHOULD NOT)`, …
fn defines(after: &str) -> bool {
    ["MUST", "SHOULD", "MAY"].iter().any(|word| {
        after
            .trim_start_matches('*')
            .starts_with(&format!(" ({word}"))
    })
}

fn cites(path: &str) -> bool {
    let ours = !path.contains("/fixtures/") && !path.starts_with("deploy/lint/");
    ours && (ends(path, "rs") || ends(path, "md") || path.starts_with(VECTORS))
}

/// The clause ids in `text` with their places: two or more capital words and three digits, joined by `-`.
fn ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let rest = &text[at..];
            let Some(start) = rest.find(is_part) else {
                at = text.len();
                return None;
            };
            let word = &rest[start..];
            let length = word.find(|c| !is_part(c)).unwrap_or(word.len());
            let place = at + start;
            at = place + length;
            let joined = text[..place]
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric)
                || text[at..].chars().next().is_some_and(char::is_alphanumeric);
            let word = &word[..length];
            if !joined && is_id(word) {
                return Some((place, word));
            }
        }
        None
    })
}

fn is_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let Some((number, names)) = parts.split_last() else {
        return false;
    };
    let all =
        |part: &str, test: fn(&char) -> bool| !part.is_empty() && part.chars().all(|c| test(&c));
    names.len() >= 2
        && number.len() == 3
        && all(number, char::is_ascii_digit)
        && names.iter().all(|name| all(name, char::is_ascii_uppercase))
        && !NOT_CLAUSES.iter().any(|prefix| word.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{check, ids};

    fn texts(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn ids_are_told_from_names_of_algorithms() {
        let found: Vec<&str> = ids("PRF-CHAIN-003, SHA-256, HMAC-SHA-256, A-B-12 and `SNP-ID-001`")
            .map(|(_, id)| id)
            .collect();
        assert_eq!(found, ["PRF-CHAIN-003", "SNP-ID-001"]);
    }

    #[test]
    fn a_clause_defined_twice_or_nowhere_and_a_vector_without_one_are_found() {
        let clean = texts(&[
            ("protocol-spec/docs/a.md", "**PRF-CHAIN-001 (MUST)** One."),
            ("agent/src/a.rs", "// PRF-CHAIN-001"),
            (
                "protocol-spec/vectors/valid/a.json",
                r#"{"clause":"PRF-CHAIN-001"}"#,
            ),
        ]);
        assert!(check(&clean).is_empty(), "{:?}", check(&clean));
        let faulty = texts(&[
            (
                "protocol-spec/docs/a.md",
                "PRF-CHAIN-001 (MUST) One.\nPRF-CHAIN-001 (MAY) Again.",
            ),
            ("agent/src/a.rs", "// PRF-CHAIN-002"),
            ("protocol-spec/vectors/valid/a.json", "{}"),
        ]);
        assert_eq!(check(&faulty).len(), 3, "{:?}", check(&faulty));
    }
}
