//! Documents, schemas and vectors agree with the code and with one another: every file under `vectors/`
//! is run and tests a clause that the documents define.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "vectors/documents.rs"]
mod documents;
#[path = "vectors/keys.rs"]
mod keys;
#[path = "vectors/log.rs"]
mod log;
#[path = "vectors/run.rs"]
mod run;
#[path = "vectors/schemas.rs"]
mod schemas;
#[path = "vectors/tree.rs"]
mod tree;

use std::collections::BTreeMap;

#[test]
fn every_vector_holds() {
    let mut failures = Vec::new();
    let mut count = BTreeMap::<String, usize>::new();
    for (path, vector) in tree::vectors() {
        *count
            .entry(format!("{}/{}", path.verdict, path.kind))
            .or_default() += 1;
        let (verdict, outcome) = match run::run(&path.kind, &vector.input) {
            Ok(result) => ("valid", result),
            Err(refusal) => ("invalid", refusal),
        };
        if verdict != path.verdict || outcome != vector.expect {
            failures.push(format!(
                "{path} ({}): expected {} {}, found {verdict} {outcome}",
                vector.title, path.verdict, vector.expect
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for kind in run::KINDS {
        for verdict in ["valid", "invalid"] {
            let key = format!("{verdict}/{kind}");
            assert!(count.contains_key(&key), "no vector in {key}");
        }
    }
}

#[test]
fn every_vector_tests_a_clause_of_the_documents() {
    let clauses = tree::clauses();
    for (path, vector) in tree::vectors() {
        assert!(
            clauses.contains(&vector.clause),
            "{path}: {} is no clause of the documents",
            vector.clause
        );
        assert!(!vector.title.is_empty(), "{path}: no title");
        let is_refusal = path.verdict == "invalid";
        assert!(
            is_refusal || vector.structural.is_none(),
            "{path}: `structural` says how a refusal is found"
        );
    }
}
