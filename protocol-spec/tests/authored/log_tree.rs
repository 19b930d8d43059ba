//! The log's tree: proofs, paths and contents of tiles.
//!
//! Hashes are put together here from the definitions, not by the code under test.

use base64::{Engine, prelude::BASE64_STANDARD};
use farmops_protocol::{
    checkpoint::{leaf_hash, node_hash},
    digest::{Digest, sha256},
};
use serde_json::{Value, json};

use super::{
    case::Case,
    log::{invalid, leaves, root, valid},
};

pub(crate) fn cases() -> Vec<Case> {
    [proofs(), paths(), tiles()].into_iter().flatten().collect()
}

fn head(size: u64) -> Value {
    json!({ "root": root(&leaves(size)), "size": size })
}

fn proofs() -> Vec<Case> {
    // The tree of seven entries, by name: abcd over the first four, efg over the others.
    let l = leaves(7);
    let (ab, cd, ef) = (
        node_hash(&l[0], &l[1]),
        node_hash(&l[2], &l[3]),
        node_hash(&l[4], &l[5]),
    );
    let (abcd, efg) = (node_hash(&ab, &cd), node_hash(&ef, &l[6]));
    let inclusion = |index: u64, size: u64, leaf: Digest, proof: Vec<Digest>| json!({ "what": "inclusion", "head": head(size), "index": index, "leaf": leaf, "proof": proof });
    let consistency = |old: Value, new: Value, proof: Vec<Digest>| json!({ "what": "consistency", "old": old, "new": new, "proof": proof });
    let mut cases = Vec::new();
    for (name, title, input) in [
        (
            "inclusion-alone",
            "the only entry",
            inclusion(0, 1, l[0], vec![]),
        ),
        (
            "inclusion-first",
            "the first of seven",
            inclusion(0, 7, l[0], vec![l[1], cd, efg]),
        ),
        (
            "inclusion-inside",
            "the fifth of seven",
            inclusion(4, 7, l[4], vec![l[5], l[6], abcd]),
        ),
        (
            "inclusion-last",
            "the last of seven, which has no sibling",
            inclusion(6, 7, l[6], vec![ef, abcd]),
        ),
    ] {
        cases.push(valid(name, "LOG-PROOF-001", title, input, json!({})));
    }
    for (name, title, input) in [
        (
            "consistency-3-7",
            "from three to seven",
            consistency(head(3), head(7), vec![l[2], l[3], ab, efg]),
        ),
        (
            "consistency-4-7",
            "from a full tree, which is not sent",
            consistency(head(4), head(7), vec![efg]),
        ),
        (
            "consistency-6-7",
            "from six to seven",
            consistency(head(6), head(7), vec![ef, l[6], abcd]),
        ),
        (
            "consistency-same",
            "the same head",
            consistency(head(7), head(7), vec![]),
        ),
        (
            "consistency-from-none",
            "from the empty log",
            consistency(head(0), head(7), vec![]),
        ),
    ] {
        cases.push(valid(name, "LOG-PROOF-002", title, input, json!({})));
    }
    let refused = json!({ "at": "verify" });
    for (name, title, input) in [
        (
            "inclusion-other-leaf",
            "another leaf",
            inclusion(4, 7, l[3], vec![l[5], l[6], abcd]),
        ),
        (
            "inclusion-other-index",
            "the proof of another entry",
            inclusion(5, 7, l[4], vec![l[5], l[6], abcd]),
        ),
        (
            "inclusion-outside",
            "an index at the size",
            inclusion(7, 7, l[6], vec![ef, abcd]),
        ),
        (
            "inclusion-short",
            "the last hash missing",
            inclusion(4, 7, l[4], vec![l[5], l[6]]),
        ),
        (
            "inclusion-long",
            "a hash too many",
            inclusion(6, 7, l[6], vec![ef, abcd, efg]),
        ),
        (
            "inclusion-swapped",
            "two hashes swapped",
            inclusion(4, 7, l[4], vec![l[6], l[5], abcd]),
        ),
        (
            "inclusion-node-as-leaf",
            "an inner node given out as a leaf",
            inclusion(2, 4, cd, vec![ab]),
        ),
    ] {
        cases.push(invalid(
            name,
            "LOG-PROOF-001",
            title,
            input,
            refused.clone(),
        ));
    }
    let forked = json!({ "root": root(&[l[1], l[0], l[2]]), "size": 3 });
    for (name, title, input) in [
        (
            "consistency-forked",
            "an earlier head of another story",
            consistency(forked, head(7), vec![l[2], l[3], ab, efg]),
        ),
        (
            "consistency-shrinks",
            "a log that became smaller",
            consistency(head(7), head(3), vec![]),
        ),
        (
            "consistency-no-hashes",
            "nothing shown",
            consistency(head(3), head(7), vec![]),
        ),
        (
            "consistency-full-tree-sent",
            "a full tree's root sent along",
            consistency(head(4), head(7), vec![abcd, efg]),
        ),
        (
            "consistency-short",
            "the last hash missing",
            consistency(head(3), head(7), vec![l[2], l[3], ab]),
        ),
        (
            "consistency-same-size",
            "two roots of one size",
            consistency(head(3), json!({ "root": root(&l), "size": 3 }), vec![]),
        ),
        (
            "consistency-same-with-hash",
            "equal heads and yet a hash",
            consistency(head(7), head(7), vec![efg]),
        ),
        (
            "consistency-empty-root",
            "an empty log with a root of its own",
            consistency(json!({ "root": l[0], "size": 0 }), head(7), vec![]),
        ),
    ] {
        cases.push(invalid(
            name,
            "LOG-PROOF-002",
            title,
            input,
            refused.clone(),
        ));
    }
    cases
}

fn paths() -> Vec<Case> {
    let input = |path: &str| json!({ "what": "path", "path": path });
    let mut cases = Vec::new();
    for (name, path, level, index, width) in [
        ("path-first", "tile/0/000", json!(0), "0", 256),
        (
            "path-groups",
            "tile/3/x001/x234/067",
            json!(3),
            "1234067",
            256,
        ),
        (
            "path-partial",
            "tile/0/x001/x234/067.p/8",
            json!(0),
            "1234067",
            8,
        ),
        ("path-narrowest", "tile/2/000.p/1", json!(2), "0", 1),
        ("path-highest", "tile/7/000.p/255", json!(7), "0", 255),
        (
            "path-largest",
            "tile/0/x072/x057/x594/x037/x927/934",
            json!(0),
            "72057594037927934",
            256,
        ),
        (
            "path-entries",
            "tile/entries/x001/000.p/34",
            json!("entries"),
            "1000",
            34,
        ),
    ] {
        let expect = json!({ "index": index, "level": level, "width": width });
        cases.push(valid(name, "LOG-TILE-001", path, input(path), expect));
    }
    for (name, title, path, field) in [
        ("path-bare", "nothing after the level", "tile/0/", "$"),
        (
            "path-level",
            "a level of its own making",
            "tile/hashes/000",
            "$",
        ),
        (
            "path-level-zero",
            "a level with a zero before it",
            "tile/00/000",
            "$",
        ),
        (
            "path-level-signed",
            "a level with a sign",
            "tile/+1/000",
            "$",
        ),
        (
            "path-level-8",
            "a level that no log has",
            "tile/8/000",
            "level",
        ),
        ("path-short", "an index of two digits", "tile/0/00", "$"),
        ("path-no-x", "a group without its x", "tile/0/001/234", "$"),
        (
            "path-x-last",
            "an x before the last group",
            "tile/0/x001/x234",
            "$",
        ),
        (
            "path-superfluous",
            "a group of zeros in front",
            "tile/0/x000/234",
            "$",
        ),
        (
            "path-four-digits",
            "a group of four digits",
            "tile/0/x0001/234",
            "$",
        ),
        ("path-width-0", "no hashes", "tile/0/000.p/0", "width"),
        (
            "path-width-256",
            "a full tile as a partial one",
            "tile/0/000.p/256",
            "$",
        ),
        (
            "path-width-zero",
            "a width with a zero before it",
            "tile/0/000.p/08",
            "$",
        ),
        ("path-slash", "a slash after it", "tile/0/000/", "$"),
        ("path-root", "a slash before it", "/tile/0/000", "$"),
        ("path-dots", "a step up", "tile/0/../000", "$"),
        (
            "path-beyond",
            "more entries than 64 bits count",
            "tile/0/x072/x057/x594/x037/x927/935",
            "index",
        ),
        (
            "path-overflow",
            "an index beyond 64 bits",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "$",
        ),
        (
            "path-long",
            "longer than any path",
            "tile/0/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/x001/001",
            "$",
        ),
        ("path-empty", "nothing at all", "", "$"),
    ] {
        cases.push(invalid(
            name,
            "LOG-TILE-001",
            title,
            input(path),
            json!({ "field": field }),
        ));
    }
    cases
}

fn tiles() -> Vec<Case> {
    let new = |old: u64, new: u64| json!({ "what": "new-tiles", "old": old, "new": new });
    let contents = |path: &str, size: u64, hashes: &[Digest]| {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        (
            json!({ "what": "tile", "path": path, "size": size }),
            json!({ "length": hashes.len() * 32, "sha256": sha256(&bytes) }),
        )
    };
    let l = leaves(600);
    let entries: Vec<Digest> = (0..2_u8).map(|n| sha256(&[n])).collect();
    let bundle: Vec<u8> = entries
        .iter()
        .flat_map(|entry| [&[0, 32], &entry.as_bytes()[..]].concat())
        .collect();
    let bundle_input = |path: &str, bytes: &[u8]| json!({ "what": "bundle", "path": path, "contents": { "base64": BASE64_STANDARD.encode(bytes) } });
    let mut cases = vec![
        valid(
            "tiles-70000",
            "LOG-TILE-003",
            "from 69,887 to 70,000 entries",
            new(69_887, 70_000),
            json!({ "tiles": ["tile/0/272", "tile/0/273.p/112", "tile/1/001.p/17"] }),
        ),
        valid(
            "tiles-256",
            "LOG-TILE-003",
            "a full tile is the first hash of the next level",
            new(255, 256),
            json!({ "tiles": ["tile/0/000", "tile/1/000.p/1"] }),
        ),
        valid(
            "tiles-same",
            "LOG-TILE-003",
            "nothing new",
            new(300, 300),
            json!({ "tiles": [] }),
        ),
        valid(
            "bundle",
            "LOG-BUNDLE-001",
            "two entries",
            bundle_input("tile/entries/000.p/2", &bundle),
            json!({
                "entries": entries,
                "leaves": entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect::<Vec<_>>(),
            }),
        ),
    ];
    for (name, title, path, hashes) in [
        (
            "tile-full",
            "256 leaves",
            "tile/0/001",
            l[256..512].to_vec(),
        ),
        (
            "tile-partial",
            "the leaves after the last full tile",
            "tile/0/002.p/88",
            l[512..].to_vec(),
        ),
        (
            "tile-above",
            "the roots of two full tiles",
            "tile/1/000.p/2",
            vec![root(&l[..256]), root(&l[256..512])],
        ),
    ] {
        let (input, expect) = contents(path, 600, &hashes);
        cases.push(valid(name, "LOG-TILE-002", title, input, expect));
    }
    let mut lengthened = bundle.clone();
    lengthened[35] = 33;
    for (name, title, path, bytes, field) in [
        (
            "bundle-short",
            "an entry missing",
            "tile/entries/000.p/3",
            bundle.clone(),
            "$",
        ),
        (
            "bundle-cut",
            "the last byte missing",
            "tile/entries/000.p/2",
            bundle[..67].to_vec(),
            "$",
        ),
        (
            "bundle-long",
            "a byte too many",
            "tile/entries/000.p/2",
            [&bundle[..], &[0]].concat(),
            "$",
        ),
        (
            "bundle-length",
            "an entry of 33 bytes",
            "tile/entries/000.p/2",
            lengthened,
            "[1]",
        ),
        (
            "bundle-of-hashes",
            "a tile of hashes",
            "tile/0/000.p/2",
            bundle,
            "$",
        ),
    ] {
        cases.push(invalid(
            name,
            "LOG-BUNDLE-001",
            title,
            bundle_input(path, &bytes),
            json!({ "field": field }),
        ));
    }
    cases
}
