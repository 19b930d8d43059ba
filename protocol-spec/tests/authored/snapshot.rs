//! Snapshots as a tracker signs them.

use farmops_protocol::{
    checkpoint::{Checkpoint, leaf_hash},
    digest::sha256,
    integrity, snapshot,
};
use serde_json::{Value, json};

use super::case::{Case, farm_key, now};

pub(crate) const KIND: &str = "snapshot";
pub(crate) const METHOD: &str = "https://farm.example/ap/actor#farm-key";

/// Alice's snapshot without its proof.
pub(crate) fn unsigned() -> Value {
    let note = Checkpoint {
        origin: "farm.example/ledger".into(),
        size: 7,
        root: leaf_hash(b"entry"),
    };
    json!({
        "@context": snapshot::context(),
        "type": ["Note", "farm:FarmSnapshot"],
        "id": "https://farm.example/ap/snapshots/41",
        "attributedTo": "https://farm.example/ap/actor",
        "published": "2026-02-21T09:30:00Z",
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "cc": ["https://farm.example/ap/actor/followers"],
        "url": "https://farm.example/farm",
        "content": "<p>Alice&#39;s farm: level 3, 1204 coins, day 4 of a streak.</p>",
        "attachment": [{
            "type": "Image",
            "mediaType": "image/svg+xml",
            "url": "https://farm.example/farm.svg",
            "name": "A small farm with two fields of wheat and a barn",
        }],
        "farm:farmerKey": farm_key().public(),
        "farm:season": "2026-Q1",
        "farm:sequence": 41,
        "farm:totalCoins": 1204,
        "farm:currentCoins": 204,
        "farm:streakDays": 4,
        "farm:level": 3,
        "farm:upgrades": [
            { "farm:slug": "barn", "farm:upgradeLevel": 1 },
            { "farm:slug": "irrigation", "farm:upgradeLevel": 2 },
        ],
        "farm:categoryTotals": [
            { "farm:category": "maintenance", "farm:proofs": 80, "farm:coins": 904 },
            { "farm:category": "incident", "farm:proofs": 7, "farm:coins": 300 },
        ],
        "farm:achievements": ["first-harvest"],
        "farm:checkpoint": note.sign(&farm_key()),
    })
}

/// `object` with the farm's proof over exactly this content, right or wrong as it may be.
pub(crate) fn sealed(object: &Value) -> Value {
    integrity::sign(object, &farm_key(), METHOD, now()).unwrap()
}

/// `object` with the members of `changes` put over its own.
pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    object
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    object
}

fn accepted(name: &str, clause: &'static str, title: &str, document: Value) -> Case {
    let bytes = farmops_protocol::canonical::to_vec(&document).unwrap();
    let expect = json!({ "sequence": document["farm:sequence"], "sha256": sha256(&bytes) });
    let input = json!({ "document": document, "public_key": farm_key().public() });
    Case::valid(KIND, name, clause, title, input, expect)
}

pub(crate) fn cases() -> Vec<Case> {
    let with = |changes| sealed(&with(unsigned(), changes));
    let empty = json!({
        "attachment": [], "cc": [], "content": "", "farm:achievements": [], "farm:categoryTotals": [], "farm:currentCoins": 0,
        "farm:level": 1, "farm:sequence": 0, "farm:streakDays": 0, "farm:totalCoins": 0, "farm:upgrades": [],
    });
    let slugs: Vec<String> = (0..256).map(|n| format!("badge-{n}")).collect();
    let largest = 9_007_199_254_740_991_u64;
    let rules = farmops_protocol::scoring::RuleSet::default().digest();
    vec![
        accepted(
            "leagues",
            "SNP-LEAGUE-001",
            "two leagues",
            with(json!({ "farm:leagueTotals": [
                { "farm:league": "harvest", "farm:rules": rules, "farm:coins": 120 },
                { "farm:league": "night-watch", "farm:rules": rules, "farm:coins": 0 },
            ] })),
        ),
        accepted(
            "snapshot",
            "SNP-FORM-001",
            "a snapshot",
            sealed(&unsigned()),
        ),
        accepted(
            "first",
            "SNP-FORM-001",
            "a farm on its first day",
            with(empty),
        ),
        accepted(
            "nothing-spent",
            "SNP-COIN-001",
            "all coins are still there",
            with(json!({ "farm:currentCoins": 1204 })),
        ),
        accepted(
            "largest-numbers",
            "CAN-INT-001",
            "the largest numbers",
            with(json!({ "farm:sequence": largest, "farm:totalCoins": largest })),
        ),
        accepted(
            "most-achievements",
            "SNP-LIST-001",
            "256 achievements",
            with(json!({ "farm:achievements": slugs })),
        ),
        accepted(
            "proof-without-context",
            "SNP-PROOF-004",
            "a proof that carries no context of its own",
            resigned_without_context(),
        ),
    ]
}

/// A proof may leave out its context; then the object's own is covered as part of the object.
fn resigned_without_context() -> Value {
    let mut object = unsigned();
    let options = json!({
        "created": "2026-02-21T09:30:00Z", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
        "type": "DataIntegrityProof", "verificationMethod": METHOD,
    });
    let digest =
        |value: &Value| *sha256(&farmops_protocol::canonical::to_vec(value).unwrap()).as_bytes();
    let signature = farm_key().sign(&[digest(&options), digest(&object)].concat());
    let value = format!("z{}", bs58::encode(signature.as_bytes()).into_string());
    object["proof"] = with(options, json!({ "proofValue": value }));
    object
}
