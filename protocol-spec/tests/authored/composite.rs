//! Composites, by the rules a farm starts with.

use serde_json::{Value, json};

use super::{case::Case, scoring::KIND};

pub(crate) fn cases() -> Vec<Case> {
    let part = |n: u32, at: &str, action: &str, category: &str| {
        json!({
            "proof_id": format!("0195d2c8-3000-7000-8000-{n:012}"), "timestamp": format!("2026-02-20T{at}Z"),
            "plugin": "farmops/any", "action_type": action, "category": category,
        })
    };
    let id = |n: u32| format!("0195d2c8-3000-7000-8000-{n:012}");
    let case = |name: &str, clause, title: &str, proofs: Vec<Value>, earned: Value| {
        Case::valid(
            KIND,
            name,
            clause,
            title,
            json!({ "proofs": proofs }),
            json!({ "earned": earned }),
        )
    };
    let change = |parts: &[u32]| {
        let parts: Vec<_> = parts.iter().map(|&n| id(n)).collect();
        json!({ "parts": parts, "slug": "careful-change" })
    };
    vec![
        case(
            "composite-in-order",
            "SCO-COMP-001",
            "configured, reviewed, deployed",
            vec![
                part(1, "09:00:00", "configure", "toil"),
                part(2, "10:00:00", "review", "maintenance"),
                part(3, "11:00:00", "deploy", "upgrade"),
            ],
            json!([change(&[1, 2, 3])]),
        ),
        case(
            "composite-out-of-order",
            "SCO-COMP-002",
            "deployed before it was reviewed",
            vec![
                part(1, "09:00:00", "configure", "toil"),
                part(2, "10:00:00", "deploy", "upgrade"),
                part(3, "11:00:00", "review", "maintenance"),
            ],
            json!([]),
        ),
        case(
            "composite-told-late",
            "SCO-COMP-002",
            "times decide, not the order in which the proofs came",
            vec![
                part(3, "11:00:00", "deploy", "upgrade"),
                part(1, "09:00:00", "configure", "toil"),
                part(2, "10:00:00", "review", "maintenance"),
            ],
            json!([change(&[1, 2, 3])]),
        ),
        case(
            "composite-nearest-parts",
            "SCO-COMP-002",
            "of two reviews the one nearest to what completes it",
            vec![
                part(1, "08:00:00", "configure", "toil"),
                part(2, "09:00:00", "review", "maintenance"),
                part(3, "10:00:00", "review", "maintenance"),
                part(4, "11:00:00", "deploy", "upgrade"),
            ],
            json!([change(&[1, 3, 4])]),
        ),
        case(
            "composite-each-proof-once",
            "SCO-COMP-003",
            "a second deployment finds nothing left",
            vec![
                part(1, "08:00:00", "configure", "toil"),
                part(2, "09:00:00", "review", "maintenance"),
                part(3, "10:00:00", "deploy", "upgrade"),
                part(4, "11:00:00", "deploy", "upgrade"),
            ],
            json!([change(&[1, 2, 3])]),
        ),
        case(
            "composite-too-slow",
            "SCO-COMP-002",
            "a day and a second",
            vec![
                json!({
                    "proof_id": id(1), "timestamp": "2026-02-19T08:59:59Z", "plugin": "farmops/any",
                    "action_type": "configure", "category": "toil",
                }),
                part(2, "08:00:00", "review", "maintenance"),
                part(3, "09:00:00", "deploy", "upgrade"),
            ],
            json!([]),
        ),
        case(
            "composite-two-at-once",
            "SCO-COMP-003",
            "one proof may be a part of composites of several names",
            vec![
                part(1, "08:00:00", "resolve", "incident"),
                part(2, "09:00:00", "fix", "incident"),
                part(3, "10:00:00", "verify", "incident"),
            ],
            json!([{ "parts": [id(1), id(2), id(3)], "slug": "lasting-repair" }]),
        ),
    ]
}
