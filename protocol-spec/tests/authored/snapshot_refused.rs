//! Snapshots that are refused: wrong in form though rightly signed, and right in form though changed.

use farmops_protocol::integrity;
use serde_json::{Value, json};

use super::{
    case::{Case, farm_key, malleated, now, strangers_key},
    snapshot::{KIND, METHOD, sealed, unsigned, with},
};

fn input(document: &Value) -> Value {
    json!({ "document": document, "public_key": farm_key().public() })
}

fn refused_at(stage: &str, field: &str) -> Value {
    json!({ "at": stage, "field": field })
}

pub(crate) fn cases() -> Vec<Case> {
    [form(), missing(), text(), tampered(), keys(), proofs()]
        .into_iter()
        .flatten()
        .collect()
}

/// Signed by the farm's own key: only the form is wrong.
fn form() -> Vec<Case> {
    let slugs: Vec<String> = (0..257).map(|n| format!("badge-{n}")).collect();
    let upgrade = |slug: &str, level: u64| json!({ "farm:slug": slug, "farm:upgradeLevel": level });
    let rules = farmops_protocol::scoring::RuleSet::default().digest();
    let league = |slug: &str| json!({ "farm:league": slug, "farm:rules": rules, "farm:coins": 1 });
    let leagues: Vec<_> = (0..9).map(|n| league(&format!("league-{n}"))).collect();
    let total =
        |category: &str| json!({ "farm:category": category, "farm:proofs": 1, "farm:coins": 1 });
    [
        ("type-note-only", "SNP-TYPE-001", "only a note", json!({ "type": "Note" }), "type", true),
        ("type-ours-only", "SNP-TYPE-001", "only our own type", json!({ "type": ["farm:FarmSnapshot"] }), "type", true),
        ("season-fifth-quarter", "SNP-SEASON-001", "a fifth quarter", json!({ "farm:season": "2026-Q5" }), "farm:season", true),
        ("season-year-only", "SNP-SEASON-001", "a year", json!({ "farm:season": "2026" }), "farm:season", true),
        ("more-than-earned", "SNP-COIN-001", "more coins left than earned", json!({ "farm:currentCoins": 1205 }), "farm:currentCoins", false),
        ("level-0", "SNP-LEVEL-001", "level 0", json!({ "farm:level": 0 }), "farm:level", true),
        ("negative-coins", "SNP-FORM-001", "negative coins", json!({ "farm:totalCoins": -1 }), "farm:totalCoins", true),
        ("coins-as-text", "SNP-FORM-001", "coins as text", json!({ "farm:totalCoins": "1204" }), "farm:totalCoins", true),
        ("upgrade-level-0", "SNP-LEVEL-001", "an upgrade of level 0", json!({ "farm:upgrades": [upgrade("barn", 0)] }), "farm:upgrades", true),
        ("upgrade-twice", "SNP-LIST-001", "an upgrade twice", json!({ "farm:upgrades": [upgrade("barn", 1), upgrade("barn", 2)] }), "farm:upgrades", false),
        ("upgrade-no-slug", "SNP-LIST-001", "an upgrade that is no slug", json!({ "farm:upgrades": [upgrade("Big barn", 1)] }), "farm:upgrades", true),
        ("category-twice", "SNP-LIST-002", "a category twice", json!({ "farm:categoryTotals": [total("toil"), total("toil")] }), "farm:categoryTotals", false),
        ("category-unknown", "SNP-LIST-002", "an unknown category", json!({ "farm:categoryTotals": [total("fun")] }), "farm:categoryTotals[0].farm:category", true),
        ("league-twice", "SNP-LEAGUE-001", "a league twice", json!({ "farm:leagueTotals": [league("harvest"), league("harvest")] }), "farm:leagueTotals", false),
        ("league-no-slug", "SNP-LEAGUE-001", "a league that is no slug", json!({ "farm:leagueTotals": [league("The harvest")] }), "farm:leagueTotals", true),
        ("leagues-9", "SNP-LEAGUE-001", "nine leagues", json!({ "farm:leagueTotals": leagues }), "farm:leagueTotals", true),
        ("achievement-twice", "SNP-LIST-001", "an achievement twice", json!({ "farm:achievements": ["a", "b", "a"] }), "farm:achievements", true),
        ("achievements-257", "SNP-LIST-001", "257 achievements", json!({ "farm:achievements": slugs }), "farm:achievements", true),
        ("achievement-no-slug", "SNP-LIST-001", "an achievement that is markup", json!({ "farm:achievements": ["<b>"] }), "farm:achievements", true),
        ("key-of-small-order", "IDN-KEY-002", "a key of order 4", json!({ "farm:farmerKey": "z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP" }), "farm:farmerKey", false),
        ("checkpoint-too-long", "SNP-CHECK-001", "a checkpoint of 4,097 bytes", json!({ "farm:checkpoint": "x".repeat(4097) }), "farm:checkpoint", true),
        ("published-offset", "PRF-TIME-001", "a time with an offset", json!({ "published": "2026-02-21T09:30:00+00:00" }), "published", true),
        ("to-as-text", "SNP-FORM-001", "one audience instead of a list", json!({ "to": "https://www.w3.org/ns/activitystreams#Public" }), "to", true),
        ("picture-without-text", "SNP-FORM-001", "a picture without alternative text", json!({ "attachment": [{ "type": "Image", "mediaType": "image/png", "url": "https://farm.example/farm.png" }] }), "attachment[0]", true),
        ("too-long", "SNP-FORM-002", "more than 65,536 bytes", json!({ "content": "x".repeat(65_536) }), "$", true),
    ]
    .into_iter()
    .map(|(name, clause, title, changes, field, structural)| {
        let document = sealed(&with(unsigned(), changes));
        Case::invalid(KIND, name, clause, title, input(&document), refused_at("parse", field)).structural(structural)
    })
    .collect()
}

fn missing() -> Vec<Case> {
    [
        "attributedTo",
        "content",
        "published",
        "farm:farmerKey",
        "farm:season",
        "farm:sequence",
        "farm:checkpoint",
        "farm:upgrades",
    ]
    .into_iter()
    .map(|member| {
        let mut document = unsigned();
        document.as_object_mut().unwrap().remove(member);
        let name = format!("missing-{}", member.replace(':', "-").to_lowercase());
        let title = format!("{member} is missing");
        Case::invalid(
            KIND,
            &name,
            "SNP-FORM-001",
            &title,
            input(&sealed(&document)),
            refused_at("parse", "$"),
        )
        .structural(true)
    })
    .collect()
}

/// Documents that a tree cannot show.
fn text() -> Vec<Case> {
    let good = serde_json::to_string(&sealed(&unsigned())).unwrap();
    let from = r#""farm:sequence":41"#;
    [
        (
            "repeated-member",
            "CAN-MEMBER-001",
            "the sequence twice",
            r#""farm:sequence":41,"farm:sequence":42"#,
            "$",
        ),
        (
            "fraction",
            "CAN-INT-002",
            "a sequence of 41.0",
            r#""farm:sequence":41.0"#,
            "farm:sequence",
        ),
        (
            "two-to-the-53",
            "CAN-INT-001",
            "a sequence of 2^53",
            r#""farm:sequence":9007199254740992"#,
            "farm:sequence",
        ),
        (
            "not-json",
            "SNP-FORM-001",
            "broken in the middle",
            r#""farm:sequence":"#,
            "$",
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, to, field)| {
        let input = json!({ "public_key": farm_key().public(), "text": good.replace(from, to) });
        Case::invalid(KIND, name, clause, title, input, refused_at("parse", field))
    })
    .chain(
        [(
            "too-deep",
            "CAN-DEPTH-001",
            "an unknown member nested 40 deep",
            40,
        )]
        .map(|(name, clause, title, depth)| {
            let nested = format!(r#"{from},"x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
            let input =
                json!({ "public_key": farm_key().public(), "text": good.replace(from, &nested) });
            let field = format!("x{}", "[0]".repeat(31));
            Case::invalid(
                KIND,
                name,
                clause,
                title,
                input,
                refused_at("parse", &field),
            )
        }),
    )
    .collect()
}

/// Changed after signing, in ways that keep the form.
fn tampered() -> Vec<Case> {
    let signed = sealed(&unsigned());
    let changed = |changes| with(signed.clone(), changes);
    let edited = |edit: fn(&mut Value)| {
        let mut document = signed.clone();
        edit(&mut document);
        document
    };
    let longer_context = {
        let mut context = signed["@context"].as_array().unwrap().clone();
        context.push(json!({ "content": "https://evil.example/hidden" }));
        changed(json!({ "@context": context }))
    };
    [
        (
            "changed-coins",
            "SNP-PROOF-003",
            "one coin more",
            changed(json!({ "farm:totalCoins": 1205 })),
            "proof.proofValue",
            false,
        ),
        (
            "changed-text",
            "SNP-PROOF-003",
            "another text",
            changed(json!({ "content": "<p>Mallory's farm</p>" })),
            "proof.proofValue",
            false,
        ),
        (
            "changed-sequence",
            "SNP-PROOF-003",
            "an old snapshot made newer",
            changed(json!({ "farm:sequence": 42 })),
            "proof.proofValue",
            false,
        ),
        (
            "changed-audience",
            "SNP-PROOF-003",
            "another audience",
            changed(json!({ "to": [] })),
            "proof.proofValue",
            false,
        ),
        (
            "added-member",
            "SNP-PROOF-003",
            "a member added",
            changed(json!({ "summary": "x" })),
            "proof.proofValue",
            true,
        ),
        (
            "added-entry",
            "SNP-PROOF-003",
            "an achievement added",
            edited(|d| {
                d["farm:achievements"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!("champion"));
            }),
            "proof.proofValue",
            false,
        ),
        (
            "removed-entry",
            "SNP-PROOF-003",
            "an upgrade removed",
            edited(|d| {
                d["farm:upgrades"].as_array_mut().unwrap().remove(0);
            }),
            "proof.proofValue",
            false,
        ),
        (
            "reordered-entries",
            "SNP-PROOF-003",
            "two upgrades change places",
            edited(|d| d["farm:upgrades"].as_array_mut().unwrap().reverse()),
            "proof.proofValue",
            false,
        ),
        (
            "changed-created",
            "SNP-PROOF-003",
            "signed at another time, it says",
            edited(|d| d["proof"]["created"] = json!("2026-02-21T09:30:01Z")),
            "proof.proofValue",
            false,
        ),
        (
            "changed-context",
            "SNP-PROOF-004",
            "another context",
            changed(json!({ "@context": "https://www.w3.org/ns/activitystreams" })),
            "@context",
            true,
        ),
        (
            "longer-context",
            "SNP-PROOF-004",
            "a context made longer",
            longer_context,
            "@context",
            true,
        ),
        (
            "both-contexts",
            "SNP-PROOF-003",
            "both contexts changed alike",
            edited(|d| {
                d["@context"] = json!([]);
                d["proof"]["@context"] = json!([]);
            }),
            "proof.proofValue",
            true,
        ),
        (
            "no-proof",
            "SNP-PROOF-003",
            "no proof",
            edited(|d| {
                d.as_object_mut().unwrap().remove("proof");
            }),
            "proof",
            true,
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, document, field, structural)| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&document),
            refused_at("verify", field),
        )
        .structural(structural)
    })
    .collect()
}

fn keys() -> Vec<Case> {
    let strangers = strangers_key();
    let forged = integrity::sign(&unsigned(), &strangers, METHOD, now()).unwrap();
    let own_name = with(unsigned(), json!({ "farm:farmerKey": strangers.public() }));
    let own_name = integrity::sign(&own_name, &strangers, METHOD, now()).unwrap();
    let by_method =
        |method: &str| integrity::sign(&unsigned(), &farm_key(), method, now()).unwrap();
    [
        (
            "strangers-signature",
            "SNP-KEY-001",
            "names the farm's key, signed by another",
            forged,
            "proof.proofValue",
        ),
        (
            "strangers-key",
            "SNP-KEY-001",
            "names and is signed by a key that is not the farmer's",
            own_name,
            "farm:farmerKey",
        ),
        (
            "method-of-another",
            "SNP-KEY-002",
            "a verification method of another actor",
            by_method("https://evil.example/ap/actor#farm-key"),
            "proof.verificationMethod",
        ),
        (
            "method-without-fragment",
            "SNP-KEY-002",
            "a verification method that names no key",
            by_method("https://farm.example/ap/actor"),
            "proof.verificationMethod",
        ),
        (
            "method-of-longer-name",
            "SNP-KEY-002",
            "an actor that only begins alike",
            by_method("https://farm.example/ap/actor2#farm-key"),
            "proof.verificationMethod",
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, document, field)| {
        let structural = name == "method-without-fragment";
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&document),
            refused_at("verify", field),
        )
        .structural(structural)
    })
    .collect()
}

fn proofs() -> Vec<Case> {
    let signed = sealed(&unsigned());
    let value = signed["proof"]["proofValue"].as_str().unwrap().to_owned();
    let signature: [u8; 64] = bs58::decode(&value[1..])
        .into_vec()
        .unwrap()
        .try_into()
        .unwrap();
    let base58 = |bytes: &[u8]| format!("z{}", bs58::encode(bytes).into_string());
    [
        (
            "proof-list",
            "SNP-PROOF-001",
            "a list of proofs",
            json!([signed["proof"]]),
            "proof",
            true,
        ),
        (
            "proof-type",
            "SNP-PROOF-001",
            "another type",
            json!({ "type": "Ed25519Signature2020" }),
            "proof.type",
            true,
        ),
        (
            "proof-suite",
            "SNP-PROOF-001",
            "another suite",
            json!({ "cryptosuite": "eddsa-rdfc-2022" }),
            "proof.cryptosuite",
            true,
        ),
        (
            "proof-purpose",
            "SNP-PROOF-001",
            "another purpose",
            json!({ "proofPurpose": "authentication" }),
            "proof.proofPurpose",
            true,
        ),
        (
            "proof-created",
            "SNP-PROOF-001",
            "a time that is none",
            json!({ "created": "yesterday" }),
            "proof.created",
            true,
        ),
        (
            "proof-no-method",
            "SNP-PROOF-001",
            "no verification method",
            json!({ "verificationMethod": null }),
            "proof.verificationMethod",
            true,
        ),
        (
            "proof-value-hexadecimal",
            "SNP-PROOF-001",
            "hexadecimal digits",
            json!({ "proofValue": hex::encode(signature) }),
            "proof.proofValue",
            true,
        ),
        (
            "proof-value-short",
            "SNP-PROOF-001",
            "63 bytes",
            json!({ "proofValue": base58(&signature[..63]) }),
            "proof.proofValue",
            false,
        ),
        (
            "proof-value-long",
            "SNP-PROOF-001",
            "65 bytes",
            json!({ "proofValue": base58(&[&signature[..], &[1]].concat()) }),
            "proof.proofValue",
            false,
        ),
        (
            "proof-value-malleated",
            "IDN-SIG-001",
            "S plus the group's order",
            json!({ "proofValue": base58(&malleated(signature)) }),
            "proof.proofValue",
            false,
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, changes, field, structural)| {
        let mut document = signed.clone();
        document["proof"] = if changes.is_array() {
            changes
        } else {
            with(document["proof"].clone(), changes)
        };
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&document),
            refused_at("verify", field),
        )
        .structural(structural)
    })
    .collect()
}
