//! Every check is seen passing on a correct server and failing on a faulty one.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use farmops_conformance::{
    checks,
    selftest::{self, Trial},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_check_passes_on_a_correct_server_and_finds_its_fault() {
    let trials = selftest::run().await.unwrap();
    let wrong: Vec<String> = trials
        .iter()
        .filter(|t| !t.holds())
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let seen = |result: &str, faulty: bool| -> BTreeSet<&str> {
        let fits = |t: &&Trial| t.result == result && t.fault.is_some() == faulty;
        trials.iter().filter(fits).map(|t| t.check).collect()
    };
    let (passed, failed) = (seen("pass", false), seen("fail", true));
    for check in checks::all() {
        assert!(
            passed.contains(check.name),
            "{} was never seen passing",
            check.name
        );
        assert!(
            failed.contains(check.name),
            "{} was never seen failing",
            check.name
        );
    }
}

#[test]
fn every_check_names_clauses_of_the_documents_and_has_a_name_of_its_own() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol-spec/docs");
    let mut text = String::new();
    for file in std::fs::read_dir(docs).unwrap() {
        text.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let mut names = BTreeSet::new();
    for check in checks::all() {
        assert!(names.insert(check.name), "{} twice", check.name);
        assert!(
            !check.clauses.is_empty(),
            "{} looks at no clause",
            check.name
        );
        for clause in check.clauses {
            assert!(
                text.contains(&format!("**{clause} (")),
                "{clause} is defined nowhere"
            );
        }
    }
}
