//! The committed vectors are what the cases here say. `UPDATE=1` writes them.
//!
//! Keys are fixed and Ed25519 is deterministic, so each vector has one form. What a case expects is
//! written beside it by hand; only digests and signatures are computed.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// Tables of cases read best in one piece, and JSON literals are made to be given away.
#![allow(clippy::too_many_lines, clippy::needless_pass_by_value)]

#[path = "authored/canonical_json.rs"]
mod canonical_json;
#[path = "authored/case.rs"]
mod case;
#[path = "authored/chain.rs"]
mod chain;
#[path = "authored/checkpoint.rs"]
mod checkpoint;
#[path = "authored/composite.rs"]
mod composite;
#[path = "authored/enrolment.rs"]
mod enrolment;
#[path = "authored/keys.rs"]
mod keys;
#[path = "authored/league.rs"]
mod league;
#[path = "authored/log.rs"]
mod log;
#[path = "authored/log_tree.rs"]
mod log_tree;
#[path = "authored/registration.rs"]
mod registration;
#[path = "authored/scoring.rs"]
mod scoring;
#[path = "authored/scoring_rules.rs"]
mod scoring_rules;
#[path = "authored/signing.rs"]
mod signing;
#[path = "authored/snapshot.rs"]
mod snapshot;
#[path = "authored/snapshot_refused.rs"]
mod snapshot_refused;
#[path = "authored/streak.rs"]
mod streak;

use std::{collections::BTreeMap, env, fs, path::Path};

#[test]
fn committed_vectors_are_what_the_cases_say() {
    let cases = [
        canonical_json::cases(),
        chain::cases(),
        checkpoint::cases(),
        enrolment::cases(),
        keys::cases(),
        league::cases(),
        log::cases(),
        log_tree::cases(),
        registration::cases(),
        scoring::cases(),
        scoring_rules::cases(),
        streak::cases(),
        composite::cases(),
        signing::cases(),
        snapshot::cases(),
        snapshot_refused::cases(),
    ];
    let mut files = BTreeMap::new();
    for case in cases.into_iter().flatten() {
        let path = case.path();
        assert!(
            files.insert(path.clone(), case.text()).is_none(),
            "{path} twice"
        );
    }
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut stale = Vec::new();
    for (path, text) in files {
        let file = base.join(&path);
        if fs::read_to_string(&file).is_ok_and(|committed| committed == text) {
            continue;
        }
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "run with UPDATE=1 to refresh: {stale:?}");
}
