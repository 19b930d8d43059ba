//! Proofs: their form, their signature, and every way to get either wrong.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use farmops_protocol::key::{PublicKey, Signature};
use serde_json::{Value, json};

use super::case::{AGENT_SEED, Case, agent_key, malleated, replaced, strangers_key};

const KIND: &str = "signing";

/// The first proof of Alice's agent, before it is signed.
pub(crate) const UNSIGNED: &str = concat!(
    r#"{"action":{"action_type":"verify","category":"maintenance","description":"Verified pod health (52 pods healthy)","plugin":"farmops/k8s-pod-health","subcategory":null},"#,
    r#""actor":{"actor_hash":"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90","actor_type":"human"},"#,
    r#""agent":{"agent_id":"0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11","cluster_alias":"prod-eu-1"},"#,
    r#""outcome":{"evidence_hash":"81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9","status":"success","verified":true},"#,
    r#""prev_proof_hash":null,"prev_proof_id":null,"proof_id":"0195d2c8-3000-7000-8000-000000000001","schema_version":"1","#,
    r#""scoring_hints":{"artifacts_touched":52,"complexity":"low","impact_radius":3,"time_spent_seconds":null},"#,
    r#""timestamp":"2026-02-21T09:30:00Z"}"#,
);

/// A signature over [`UNSIGNED`] that the agent's key can make and must not: R is the neutral element, S is
/// k·a for k = H(R ‖ A ‖ M), so S·B = R + k·A holds.
const SMALL_ORDER: &str = concat!(
    "0100000000000000000000000000000000000000000000000000000000000000",
    "eaf95a8399f3d07810f609fb7f1efb34a8b90c42d9de4de67746cc6ce87b4c07",
);

/// `unsigned` with the agent's signature over exactly these bytes, right or wrong as they may be.
pub(crate) fn sealed(unsigned: &str) -> String {
    with_signature(unsigned, &agent_key().sign(unsigned.as_bytes()).to_string())
}

fn with_signature(unsigned: &str, signature: &str) -> String {
    replaced(
        unsigned,
        r#","timestamp":"#,
        &format!(r#","signature":"{signature}","timestamp":"#),
    )
}

fn input(text: &str) -> Value {
    json!({ "public_key": agent_key().public(), "text": text })
}

fn refused_at(stage: &str, field: &str) -> Value {
    json!({ "at": stage, "field": field })
}

pub(crate) fn cases() -> Vec<Case> {
    [
        accepted(),
        refused_members(),
        refused_values(),
        refused_bytes(),
        refused_signatures(),
        refused_keys(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn accepted() -> Vec<Case> {
    let long = format!(r#""description":"{}""#, "🌾".repeat(140));
    let description = r#""description":"Verified pod health (52 pods healthy)""#;
    let previous = r#""prev_proof_hash":"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90","prev_proof_id":"0195d2c8-3000-7000-8000-000000000000""#;
    let changes = [
        ("first-proof", "PRF-SIGN-001", "a first proof", vec![], true),
        (
            "following-proof",
            "PRF-CHAIN-002",
            "a proof that names its predecessor",
            vec![(r#""prev_proof_hash":null,"prev_proof_id":null"#, previous)],
            true,
        ),
        (
            "failure",
            "PRF-OUTCOME-001",
            "a failure is a proof, but earns nothing",
            vec![("success", "failure")],
            false,
        ),
        (
            "partial",
            "PRF-OUTCOME-001",
            "partial work is a proof, but earns nothing",
            vec![("success", "partial")],
            false,
        ),
        (
            "unverified",
            "PRF-OUTCOME-001",
            "a success that nobody verified earns nothing",
            vec![(r#""verified":true"#, r#""verified":false"#)],
            false,
        ),
        (
            "subcategory",
            "PRF-ACTION-003",
            "a subcategory",
            vec![(r#""subcategory":null"#, r#""subcategory":"pod-health-2""#)],
            true,
        ),
        (
            "longest-description",
            "PRF-TEXT-001",
            "140 characters of four bytes each",
            vec![(description, long.as_str())],
            true,
        ),
        (
            "escaped-description",
            "PRF-TEXT-001",
            "quotation marks and a backslash",
            vec![("pod health", r#"\"pod\" \\ health"#)],
            true,
        ),
        (
            "largest-counts",
            "PRF-HINT-002",
            "the largest counts",
            vec![
                ("52,", "9007199254740991,"),
                (
                    r#""time_spent_seconds":null"#,
                    r#""time_spent_seconds":9007199254740991"#,
                ),
            ],
            true,
        ),
        (
            "smallest-impact",
            "PRF-HINT-001",
            "impact radius 1",
            vec![(r#""impact_radius":3"#, r#""impact_radius":1"#)],
            true,
        ),
        (
            "largest-impact",
            "PRF-HINT-001",
            "impact radius 10",
            vec![(r#""impact_radius":3"#, r#""impact_radius":10"#)],
            true,
        ),
        (
            "leap-day",
            "PRF-TIME-001",
            "a leap day",
            vec![("2026-02-21T", "2024-02-29T")],
            true,
        ),
    ];
    let make = |(name, clause, title, edits, earns): (&str, _, &str, Vec<(&str, &str)>, bool)| {
        let unsigned = edits
            .iter()
            .fold(UNSIGNED.to_owned(), |t, (from, to)| replaced(&t, from, to));
        let input = json!({
            "public_key": agent_key().public(),
            "secret_key": hex::encode(AGENT_SEED),
            "text": sealed(&unsigned),
        });
        let hash = farmops_protocol::digest::sha256(unsigned.as_bytes());
        Case::valid(
            KIND,
            name,
            clause,
            title,
            input,
            json!({ "earns": earns, "hash": hash }),
        )
    };
    changes.into_iter().map(make).collect()
}

/// Every member once with a type that is not its own, and members missing or unknown.
fn refused_members() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, member, wrong, field) in [
        (
            "action",
            r#""action":{"action_type":"verify","category":"maintenance","description":"Verified pod health (52 pods healthy)","plugin":"farmops/k8s-pod-health","subcategory":null}"#,
            r#""action":[]"#,
            "action",
        ),
        (
            "action-type",
            r#""action_type":"verify""#,
            r#""action_type":1"#,
            "action.action_type",
        ),
        (
            "category",
            r#""category":"maintenance""#,
            r#""category":null"#,
            "action.category",
        ),
        (
            "description",
            r#""description":"Verified pod health (52 pods healthy)""#,
            r#""description":["x"]"#,
            "action.description",
        ),
        (
            "plugin",
            r#""plugin":"farmops/k8s-pod-health""#,
            r#""plugin":{}"#,
            "action.plugin",
        ),
        (
            "subcategory",
            r#""subcategory":null"#,
            r#""subcategory":false"#,
            "action.subcategory",
        ),
        (
            "actor-hash",
            r#""actor_hash":"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90""#,
            r#""actor_hash":0"#,
            "actor.actor_hash",
        ),
        (
            "actor-type",
            r#""actor_type":"human""#,
            r#""actor_type":true"#,
            "actor.actor_type",
        ),
        (
            "agent-id",
            r#""agent_id":"0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11""#,
            r#""agent_id":null"#,
            "agent.agent_id",
        ),
        (
            "cluster-alias",
            r#""cluster_alias":"prod-eu-1""#,
            r#""cluster_alias":1"#,
            "agent.cluster_alias",
        ),
        (
            "evidence-hash",
            r#""evidence_hash":"81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9""#,
            r#""evidence_hash":[]"#,
            "outcome.evidence_hash",
        ),
        (
            "status",
            r#""status":"success""#,
            r#""status":{}"#,
            "outcome.status",
        ),
        (
            "verified",
            r#""verified":true"#,
            r#""verified":"true""#,
            "outcome.verified",
        ),
        (
            "prev-proof-hash",
            r#""prev_proof_hash":null"#,
            r#""prev_proof_hash":0"#,
            "prev_proof_hash",
        ),
        (
            "prev-proof-id",
            r#""prev_proof_id":null"#,
            r#""prev_proof_id":false"#,
            "prev_proof_id",
        ),
        (
            "proof-id",
            r#""proof_id":"0195d2c8-3000-7000-8000-000000000001""#,
            r#""proof_id":1"#,
            "proof_id",
        ),
        (
            "schema-version",
            r#""schema_version":"1""#,
            r#""schema_version":1"#,
            "schema_version",
        ),
        (
            "artifacts-touched",
            r#""artifacts_touched":52"#,
            r#""artifacts_touched":"52""#,
            "scoring_hints.artifacts_touched",
        ),
        (
            "complexity",
            r#""complexity":"low""#,
            r#""complexity":0"#,
            "scoring_hints.complexity",
        ),
        (
            "impact-radius",
            r#""impact_radius":3"#,
            r#""impact_radius":null"#,
            "scoring_hints.impact_radius",
        ),
        (
            "time-spent",
            r#""time_spent_seconds":null"#,
            r#""time_spent_seconds":"60""#,
            "scoring_hints.time_spent_seconds",
        ),
        (
            "timestamp",
            r#""timestamp":"2026-02-21T09:30:00Z""#,
            r#""timestamp":1771666200"#,
            "timestamp",
        ),
    ] {
        let text = sealed_edit(member, wrong);
        let title = format!("{field} has the wrong type");
        cases.push(
            Case::invalid(
                KIND,
                &format!("type-of-{name}"),
                "PRF-FORM-001",
                &title,
                input(&text),
                refused_at("parse", field),
            )
            .structural(true),
        );
    }
    for (name, title, from, to, field) in [
        (
            "unknown-member",
            "a member nobody knows",
            r#""prev_proof_hash":null"#,
            r#""note":"","prev_proof_hash":null"#,
            "note",
        ),
        (
            "unknown-member-inside",
            "a member nobody knows, inside",
            r#""subcategory":null"#,
            r#""repository":"x","subcategory":null"#,
            "action.repository",
        ),
        (
            "missing-member",
            "proof_id is missing",
            r#""proof_id":"0195d2c8-3000-7000-8000-000000000001","#,
            "",
            "$",
        ),
        (
            "missing-member-inside",
            "category is missing",
            r#""category":"maintenance","#,
            "",
            "action",
        ),
    ] {
        cases.push(
            Case::invalid(
                KIND,
                name,
                "PRF-FORM-001",
                title,
                input(&sealed_edit(from, to)),
                refused_at("parse", field),
            )
            .structural(true),
        );
    }
    // A null that is left out is another document: its bytes are not those of the full one.
    for (name, title, from) in [
        (
            "missing-null",
            "subcategory is left out instead of null",
            r#","subcategory":null"#,
        ),
        (
            "missing-null-predecessor",
            "prev_proof_id is left out instead of null",
            r#""prev_proof_id":null,"#,
        ),
    ] {
        cases.push(
            Case::invalid(
                KIND,
                name,
                "PRF-FORM-001",
                title,
                input(&sealed_edit(from, "")),
                refused_at("parse", "$"),
            )
            .structural(true),
        );
    }
    cases.push(
        Case::invalid(
            KIND,
            "missing-signature",
            "PRF-SIGN-001",
            "no signature",
            input(UNSIGNED),
            refused_at("parse", "signature"),
        )
        .structural(true),
    );
    cases
}

/// The text with `from` replaced, signed as it then stands.
fn sealed_edit(from: &str, to: &str) -> String {
    // A changed `timestamp` member leaves no place for the signature: sign first, then it moves along.
    if from.starts_with(r#""timestamp""#) {
        return replaced(&sealed(UNSIGNED), from, to);
    }
    sealed(&replaced(UNSIGNED, from, to))
}

fn refused_values() -> Vec<Case> {
    let description = "Verified pod health (52 pods healthy)";
    let (long_text, long_alias) = ("x".repeat(141), "a".repeat(33));
    let long_plugin = format!("farmops/{}", "p".repeat(65));
    let make = |(name, clause, title, from, to, field): (&str, _, &str, &str, &str, &str)| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&sealed_edit(from, to)),
            refused_at("parse", field),
        )
        .structural(true)
    };
    [
        ("version-2", "PRF-VERSION-001", "another schema version", r#""schema_version":"1""#, r#""schema_version":"2""#, "schema_version"),
        ("uuid-v4", "PRF-ID-001", "a random UUID", "0195d2c8-3000-7000-8000-000000000001", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "proof_id"),
        ("uuid-upper-case", "PRF-ID-001", "a UUID in upper case", "0195d2c8-3000", "0195D2C8-3000", "$"),
        ("uuid-without-hyphens", "PRF-ID-001", "a UUID without hyphens", "0195d2c8-3000-7000-8000-000000000001", "0195d2c8300070008000000000000001", "$"),
        ("uuid-in-braces", "PRF-ID-001", "a UUID in braces", "0195d2c8-3000-7000-8000-000000000001", "{0195d2c8-3000-7000-8000-000000000001}", "$"),
        ("uuid-urn", "IDN-AGENT-001", "a UUID as URN", "0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11", "urn:uuid:0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11", "$"),
        ("digest-upper-case", "IDN-HASH-001", "a digest in upper case", "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9", "81B637D8FCD2C6DA6359E6963113A1170DE795E4B725B84D1E0B4CFD9EC58CE9", "outcome.evidence_hash"),
        ("digest-too-short", "IDN-HASH-001", "a digest of 63 digits", "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9", "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce", "outcome.evidence_hash"),
        ("alias-host-name", "PRF-ALIAS-001", "a host name as alias", "prod-eu-1", "db1.internal", "agent.cluster_alias"),
        ("alias-address", "PRF-ALIAS-001", "an address as alias", "prod-eu-1", "fe80::1", "agent.cluster_alias"),
        ("alias-empty", "PRF-ALIAS-001", "an empty alias", "prod-eu-1", "", "agent.cluster_alias"),
        ("alias-too-long", "PRF-ALIAS-001", "an alias of 33 characters", "prod-eu-1", long_alias.as_str(), "agent.cluster_alias"),
        ("alias-not-ascii", "PRF-ALIAS-001", "an alias that looks like ASCII", "prod-eu-1", "рrod", "agent.cluster_alias"),
        ("actor-type-unknown", "PRF-ACTOR-002", "an unknown kind of actor", "human", "Human", "actor.actor_type"),
        ("action-type-unknown", "PRF-ACTION-002", "an unknown kind of action", r#""verify""#, r#""delete""#, "action.action_type"),
        ("category-unknown", "PRF-ACTION-002", "an unknown category", "maintenance", "fun", "action.category"),
        ("plugin-without-owner", "PRF-ACTION-001", "a plugin without owner", "farmops/k8s-pod-health", "k8s-pod-health", "action.plugin"),
        ("plugin-three-parts", "PRF-ACTION-001", "a plugin of three parts", "farmops/k8s-pod-health", "farmops/k8s/pods", "action.plugin"),
        ("plugin-upper-case", "PRF-ACTION-001", "a plugin in upper case", "farmops/k8s-pod-health", "FarmOps/k8s-pod-health", "action.plugin"),
        ("plugin-edge-hyphen", "PRF-ACTION-001", "a slug that ends in a hyphen", "farmops/k8s-pod-health", "farmops-/k8s-pod-health", "action.plugin"),
        ("plugin-too-long", "PRF-ACTION-001", "a slug of 65 characters", "farmops/k8s-pod-health", long_plugin.as_str(), "action.plugin"),
        ("subcategory-with-dot", "PRF-ACTION-003", "a subcategory that could be a file", r#""subcategory":null"#, r#""subcategory":"main.rs""#, "action.subcategory"),
        ("description-empty", "PRF-TEXT-001", "an empty description", description, "", "action.description"),
        ("description-too-long", "PRF-TEXT-001", "141 characters", description, long_text.as_str(), "action.description"),
        ("description-two-lines", "PRF-TEXT-001", "a line end", description, r"two\nlines", "action.description"),
        ("description-bell", "PRF-TEXT-001", "a control character", description, r"ding\u0007", "action.description"),
        ("description-delete", "PRF-TEXT-001", "the control character U+007F", description, "x\u{7f}", "action.description"),
        ("description-c1", "PRF-TEXT-001", "a control character of the upper set", description, "x\u{9b}31m", "action.description"),
        ("description-bidi-override", "PRF-TEXT-001", "text that shows in another order", description, "x\u{202e}gnp.exe", "action.description"),
        ("description-bidi-isolate", "PRF-TEXT-001", "an isolate", description, "x\u{2066}y", "action.description"),
        ("description-bidi-mark", "PRF-TEXT-001", "a mark of direction", description, "x\u{200f}y", "action.description"),
        ("status-unknown", "PRF-OUTCOME-001", "an unknown status", r#""status":"success""#, r#""status":"ok""#, "outcome.status"),
        ("complexity-unknown", "PRF-HINT-001", "an unknown complexity", r#""low""#, r#""extreme""#, "scoring_hints.complexity"),
        ("impact-0", "PRF-HINT-001", "impact radius 0", r#""impact_radius":3"#, r#""impact_radius":0"#, "scoring_hints.impact_radius"),
        ("impact-11", "PRF-HINT-001", "impact radius 11", r#""impact_radius":3"#, r#""impact_radius":11"#, "scoring_hints.impact_radius"),
        ("impact-fraction", "CAN-INT-002", "impact radius 3.5", r#""impact_radius":3"#, r#""impact_radius":3.5"#, "scoring_hints.impact_radius"),
        ("touched-negative", "PRF-HINT-002", "a negative count", ":52,", ":-1,", "scoring_hints.artifacts_touched"),
        ("touched-two-to-the-53", "CAN-INT-001", "a count of 2^53", ":52,", ":9007199254740992,", "scoring_hints.artifacts_touched"),
        ("time-two-to-the-53", "CAN-INT-001", "2^53 seconds", r#""time_spent_seconds":null"#, r#""time_spent_seconds":9007199254740992"#, "scoring_hints.time_spent_seconds"),
        ("time-offset", "PRF-TIME-001", "a time with an offset", "2026-02-21T09:30:00Z", "2026-02-21T10:30:00+01:00", "timestamp"),
        ("time-fraction", "PRF-TIME-001", "a time with a fraction", "2026-02-21T09:30:00Z", "2026-02-21T09:30:00.0Z", "timestamp"),
        ("time-lower-case", "PRF-TIME-001", "a time with small letters", "2026-02-21T09:30:00Z", "2026-02-21t09:30:00z", "timestamp"),
        ("half-genesis", "PRF-CHAIN-001", "a predecessor's hash without its id", r#""prev_proof_hash":null"#, r#""prev_proof_hash":"2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90""#, "prev_proof_hash"),
    ]
    .into_iter()
    .map(make)
    .chain([
        // Patterns cannot know the calendar.
        Case::invalid(KIND, "time-no-such-day", "PRF-TIME-001", "30 February", input(&sealed_edit("2026-02-21", "2026-02-30")), refused_at("parse", "timestamp")).structural(false),
        Case::invalid(KIND, "touched-fraction-of-zero", "CAN-INT-002", "a count of 52.0, an integer to a schema", input(&sealed_edit(":52,", ":52.0,")), refused_at("parse", "scoring_hints.artifacts_touched")).structural(false),
    ])
    .collect()
}

fn refused_bytes() -> Vec<Case> {
    let good = sealed(UNSIGNED);
    let make = |name: &str, clause, title: &str, text: String, field: &str| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&text),
            refused_at("parse", field),
        )
    };
    let raw = |name: &str, title: &str, bytes: &[u8], field: &str| {
        let input =
            json!({ "public_key": agent_key().public(), "base64": BASE64_STANDARD.encode(bytes) });
        Case::invalid(
            KIND,
            name,
            "CAN-FORM-002",
            title,
            input,
            refused_at("parse", field),
        )
    };
    let mut not_utf8 = good.clone().into_bytes();
    let place = good.find("Verified").unwrap();
    not_utf8[place] = 0xff;
    let out_of_order = replaced(
        &good,
        r#""prev_proof_hash":null,"prev_proof_id":null"#,
        r#""prev_proof_id":null,"prev_proof_hash":null"#,
    );
    vec![
        make(
            "space",
            "PRF-FORM-003",
            "a space after a colon",
            replaced(&good, r#""complexity":"#, r#""complexity": "#),
            "$",
        )
        .structural(false),
        make(
            "order",
            "PRF-FORM-003",
            "two members change places",
            out_of_order,
            "$",
        )
        .structural(false),
        make(
            "escape",
            "PRF-FORM-003",
            "an escape for a letter",
            replaced(&good, "Verified", r"\u0056erified"),
            "$",
        )
        .structural(false),
        make(
            "line-end",
            "PRF-FORM-003",
            "a line end after the proof",
            format!("{good}\n"),
            "$",
        )
        .structural(false),
        make(
            "repeated-member",
            "CAN-MEMBER-001",
            "verified twice",
            replaced(
                &good,
                r#""verified":true"#,
                r#""verified":false,"verified":true"#,
            ),
            "outcome",
        ),
        make(
            "repeated-signature",
            "CAN-MEMBER-001",
            "signature twice",
            replaced(
                &good,
                r#","timestamp":"#,
                r#","signature":null,"timestamp":"#,
            ),
            "$",
        ),
        make(
            "truncated",
            "PRF-FORM-001",
            "broken off",
            good[..good.len() - 40].to_owned(),
            "$",
        ),
        make(
            "empty",
            "PRF-FORM-001",
            "nothing at all",
            String::new(),
            "$",
        ),
        make("null", "PRF-FORM-001", "null", "null".into(), "$").structural(true),
        make(
            "list",
            "PRF-FORM-001",
            "a list with a proof",
            format!("[{good}]"),
            "$",
        )
        .structural(true),
        make(
            "two-proofs",
            "PRF-FORM-001",
            "a second proof behind",
            format!("{good}{good}"),
            "$",
        ),
        make(
            "byte-order-mark",
            "CAN-FORM-002",
            "a byte order mark",
            format!("\u{feff}{good}"),
            "$",
        ),
        make(
            "lone-surrogate",
            "CAN-FORM-002",
            "half a surrogate pair",
            sealed_edit("Verified pod", r"\ud800 pod"),
            "$",
        ),
        make(
            "too-long",
            "PRF-FORM-002",
            "4,097 bytes",
            format!("{good}{}", " ".repeat(4097 - good.len())),
            "$",
        )
        .structural(false),
        make(
            "too-deep",
            "CAN-DEPTH-001",
            "a member nested 1,000 deep",
            replaced(
                &good,
                r#""subcategory":null"#,
                &format!(
                    r#""subcategory":{}null{}"#,
                    "[".repeat(1000),
                    "]".repeat(1000)
                ),
            ),
            "$",
        ),
        make(
            "open-brackets",
            "CAN-DEPTH-001",
            "4,000 opening brackets",
            "[".repeat(4000),
            "$",
        ),
        raw("not-utf8", "a byte that UTF-8 never has", &not_utf8, "$"),
        raw(
            "utf16",
            "UTF-16",
            &good
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>(),
            "$",
        ),
    ]
}

fn refused_signatures() -> Vec<Case> {
    let good = sealed(UNSIGNED);
    let signature = agent_key().sign(UNSIGNED.as_bytes());
    let other = strangers_key().sign(UNSIGNED.as_bytes());
    let malleated = Signature::from_bytes(malleated(*signature.as_bytes()));
    let over_all = agent_key().sign(with_signature(UNSIGNED, "").as_bytes());
    let text = |signature: &dyn std::fmt::Display| with_signature(UNSIGNED, &signature.to_string());
    let parse = |name: &str, title: &str, text: String| {
        Case::invalid(
            KIND,
            name,
            "IDN-SIG-002",
            title,
            input(&text),
            refused_at("parse", "signature"),
        )
        .structural(true)
    };
    let verify = |name: &str, clause, title: &str, text: String| {
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input(&text),
            refused_at("verify", "signature"),
        )
        .structural(false)
    };
    vec![
        parse(
            "signature-upper-case",
            "a signature in upper case",
            text(&signature.to_string().to_uppercase()),
        ),
        parse(
            "signature-too-short",
            "a signature of 126 digits",
            text(&&signature.to_string()[..126]),
        ),
        parse(
            "signature-too-long",
            "a signature of 130 digits",
            text(&format!("{signature}00")),
        ),
        parse(
            "signature-base58",
            "a signature in base58",
            text(&bs58::encode(signature.as_bytes()).into_string()),
        ),
        verify(
            "strangers-signature",
            "PRF-SIGN-001",
            "signed by another key",
            text(&other),
        ),
        verify(
            "changed-count",
            "PRF-SIGN-001",
            "one digit changed after signing",
            replaced(&good, ":52,", ":53,"),
        ),
        verify(
            "changed-text",
            "PRF-SIGN-001",
            "one letter changed after signing",
            replaced(&good, "healthy", "Healthy"),
        ),
        verify(
            "changed-signature",
            "PRF-SIGN-001",
            "one digit of the signature changed",
            text(&flipped(&signature.to_string())),
        ),
        verify(
            "malleated-signature",
            "IDN-SIG-001",
            "S plus the group's order: the same signature to a lax verifier",
            text(&malleated),
        ),
        verify(
            "small-order-signature",
            "IDN-SIG-001",
            "R is the neutral element and S fits it: the verification equation holds, strict rules do not",
            text(&SMALL_ORDER),
        ),
        verify(
            "zero-signature",
            "IDN-SIG-001",
            "a signature of zeros",
            text(&"0".repeat(128)),
        ),
        verify(
            "signature-over-itself",
            "PRF-SIGN-001",
            "signed with an empty signature member in place",
            text(&over_all),
        ),
    ]
}

/// The last digit becomes another one.
fn flipped(signature: &str) -> String {
    let (rest, last) = signature.split_at(127);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn refused_keys() -> Vec<Case> {
    let multikey = |bytes: &[u8]| {
        format!(
            "z{}",
            bs58::encode([&[0xed, 0x01], bytes].concat()).into_string()
        )
    };
    let good = agent_key().public().to_string();
    let identity = {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        bytes
    };
    let order_8 =
        hex::decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").unwrap();
    let raw_key = *agent_key().public().as_bytes();
    [
        (
            "key-identity",
            "IDN-KEY-002",
            "the neutral element as key",
            multikey(&identity),
        ),
        (
            "key-order-4",
            "IDN-KEY-002",
            "a key of order 4",
            multikey(&[0; 32]),
        ),
        (
            "key-order-8",
            "IDN-KEY-002",
            "a key of order 8",
            multikey(&order_8),
        ),
        (
            "key-second-spelling",
            "IDN-KEY-002",
            "a point's second spelling",
            multikey(&second_spelling()),
        ),
        (
            "key-no-point",
            "IDN-KEY-002",
            "bytes that are no point",
            multikey(&no_point()),
        ),
        (
            "key-without-prefix",
            "IDN-KEY-001",
            "base58 without the multicodec prefix",
            format!("z{}", bs58::encode(raw_key).into_string()),
        ),
        (
            "key-of-another-kind",
            "IDN-KEY-001",
            "the prefix of an X25519 key",
            format!(
                "z{}",
                bs58::encode([&[0xec, 0x01], &raw_key[..]].concat()).into_string()
            ),
        ),
        (
            "key-too-short",
            "IDN-KEY-001",
            "31 bytes",
            multikey(&raw_key[..31]),
        ),
        (
            "key-too-long",
            "IDN-KEY-001",
            "33 bytes",
            multikey(&[&raw_key[..], &[0]].concat()),
        ),
        (
            "key-base64",
            "IDN-KEY-001",
            "another multibase",
            format!("u{}", &good[1..]),
        ),
        (
            "key-hexadecimal",
            "IDN-KEY-001",
            "hexadecimal digits",
            hex::encode(raw_key),
        ),
    ]
    .into_iter()
    .map(|(name, clause, title, key)| {
        let input = json!({ "public_key": key, "text": sealed(UNSIGNED) });
        Case::invalid(
            KIND,
            name,
            clause,
            title,
            input,
            refused_at("key", "public_key"),
        )
    })
    .collect()
}

/// The first y from p upwards that is a point not of small order: it is also written as y − p.
fn second_spelling() -> [u8; 32] {
    let from_p = |low: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        bytes[31] = 0x7f;
        bytes
    };
    (0xed..=0xff)
        .map(from_p)
        .find(|bytes| VerifyingKey::from_bytes(bytes).is_ok_and(|key| !key.is_weak()))
        .unwrap()
}

fn no_point() -> [u8; 32] {
    (2..=255_u8)
        .map(|low| {
            let mut bytes = [0; 32];
            bytes[0] = low;
            bytes
        })
        .find(|bytes| {
            VerifyingKey::from_bytes(bytes).is_err() && PublicKey::from_bytes(bytes).is_err()
        })
        .unwrap()
}
