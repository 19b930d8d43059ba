//! The rules of this repository that no compiler checks, as functions from what is there to what is wrong.
//!
//! In scope: which crate may import which, which library may appear where, licences, the shape of
//! source files, clause ids, words that do not belong in a commit. `tests/repository.rs` applies
//! every rule to the tree; each rule's own tests show it going red.
//!
//! Out of scope: formatting and style inside a function (rustfmt, clippy), behaviour (each crate's tests).
//!
//! To add a rule: 1. a module here with a pure `check` that answers a list of [`Finding`]s and a test with
//! a fault; 2. one test in `tests/repository.rs`.

pub mod arrows;
pub mod clauses;
pub mod files;
pub mod graph;
pub mod lean;
pub mod libraries;
pub mod licences;
pub mod links;
pub mod source;
pub mod spdx;
pub mod tree;
pub mod words;

/// One breach: where it is and what rule it breaks, in one readable line.
pub type Finding = String;

/// Panics with every finding on its own line, so that a red test shows the whole list.
///
/// # Panics
/// When there is any finding.
pub fn demand_none(rule: &str, findings: &[Finding]) {
    assert!(
        findings.is_empty(),
        "{rule}: {} breach(es)\n  {}",
        findings.len(),
        findings.join("\n  ")
    );
}
