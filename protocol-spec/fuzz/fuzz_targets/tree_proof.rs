//! Proofs over the tree from any numbers and hashes: no verdict but by the root.

#![no_main]

use farmops_protocol::{
    checkpoint::leaf_hash,
    digest::Digest,
    log::{Plan, TreeHead, verify_consistency, verify_inclusion},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, u64, Vec<[u8; 32]>)| {
    let (first, size, hashes) = input;
    let proof: Vec<Digest> = hashes.into_iter().map(Digest::from_bytes).collect();
    let (leaf, other) = (leaf_hash(b"one"), leaf_hash(b"other"));
    let head = |size, root| TreeHead { size, root };
    if verify_inclusion(&leaf, first, &head(size, leaf), &proof).is_ok() {
        assert!(
            first == 0 && proof.is_empty(),
            "a leaf is a root only of itself"
        );
    }
    if first > 0 && verify_consistency(&head(first, leaf), &head(size, other), &proof).is_ok() {
        panic!("found two trees with roots chosen beforehand");
    }
    if let Ok(plan) = Plan::inclusion(first, size) {
        assert!(plan.nodes().all(|node| node.end() <= size));
    }
    if let Ok(plan) = Plan::consistency(first, size) {
        assert!(plan.tiles().iter().all(|tile| tile.entries().end <= size));
    }
});
