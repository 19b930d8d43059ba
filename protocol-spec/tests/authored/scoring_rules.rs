//! Rule sets: the one a farm starts with, an owner's own, and what none may be.

use farmops_protocol::{digest::sha256, scoring::RuleSet};
use serde_json::json;

use super::{
    case::{Case, replaced},
    scoring::KIND,
};

/// Alice's own rules, as she would write them.
const OWN_FILE: &str = r#"{
  "base_coins": { "maintenance": 10, "toil": 20, "reliability": 20, "security": 30, "incident": 30, "upgrade": 20 },
  "complexity_bp": { "low": 10000, "medium": 12500, "high": 15000 },
  "impact_bp": [10000, 10500, 11000, 11500, 12000, 12500, 13000, 13500, 14000, 15000],
  "streak_bp": [10000, 11000, 12000],
  "repetition": [
    { "factor_bp": 10000, "fewer_than": 10 },
    { "factor_bp": 2500, "fewer_than": null }
  ],
  "caps": { "per_proof": 80, "per_day": 600 },
  "freezes": { "held_max": 3, "recharge_days": 4 },
  "composites": [
    {
      "slug": "plan-to-rollout",
      "name": "From plan to rollout",
      "coins": 50,
      "within_seconds": 14400,
      "steps": [
        { "plugin": "farmops/git-pr-review", "action_type": null, "category": null },
        { "plugin": null, "action_type": "verify", "category": "reliability" },
        { "plugin": null, "action_type": "deploy", "category": null }
      ]
    }
  ]
}"#;

fn own_file() -> Case {
    // The digest is of the canonical bytes: members in order, nothing between them.
    let tree: serde_json::Value = serde_json::from_str(OWN_FILE).unwrap();
    let canonical = serde_json_canonicalizer::to_vec(&tree).unwrap();
    Case::valid(
        KIND,
        "own-rules-file",
        "SCO-RULES-003",
        "rules as an owner writes them",
        json!({ "rules_text": OWN_FILE }),
        json!({ "digest": sha256(&canonical) }),
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let default = farmops_protocol::canonical::to_vec(&RuleSet::default()).unwrap();
    let default = String::from_utf8(default).unwrap();
    let mut cases = vec![
        own_file(),
        Case::valid(
            KIND,
            "default-rules",
            "SCO-RULES-002",
            "the rules a farm starts with",
            json!({ "rules_text": default }),
            json!({ "digest": farmops_protocol::digest::sha256(default.as_bytes()) }),
        ),
    ];
    let many_days = format!(r#""streak_bp":[{}]"#, vec!["1"; 367].join(","));
    let days = r#""streak_bp":[10000,10833,11667,12500,13333,14167,15000]"#;
    let steps = r#""repetition":[{"factor_bp":10000,"fewer_than":6},{"factor_bp":5000,"fewer_than":12},{"factor_bp":1000,"fewer_than":null}]"#;
    let many_steps = format!(
        r#""repetition":[{}{{"factor_bp":1,"fewer_than":null}}]"#,
        r#"{"factor_bp":1,"fewer_than":1},"#.repeat(16)
    );
    for (name, title, from, to, field, structural) in [
        (
            "rules-unknown-member",
            "a member nobody knows",
            r#""impact_bp":"#,
            r#""bonus":1,"impact_bp":"#,
            "bonus",
            Some(true),
        ),
        (
            "rules-missing-category",
            "a category without a rate",
            r#""toil":15,"#,
            "",
            "base_coins",
            Some(true),
        ),
        (
            "rules-base-too-large",
            "a base of 1,000,001",
            r#""toil":15"#,
            r#""toil":1000001"#,
            "base_coins.toil",
            Some(true),
        ),
        (
            "rules-base-negative",
            "a negative base",
            r#""toil":15"#,
            r#""toil":-1"#,
            "base_coins.toil",
            Some(true),
        ),
        (
            "rules-base-fraction",
            "a base of 1.5",
            r#""toil":15"#,
            r#""toil":1.5"#,
            "base_coins.toil",
            Some(true),
        ),
        (
            "rules-base-text",
            "a base as text",
            r#""toil":15"#,
            r#""toil":"15""#,
            "base_coins.toil",
            Some(true),
        ),
        (
            "rules-factor-too-large",
            "a factor of 100,001",
            r#""medium":12500"#,
            r#""medium":100001"#,
            "complexity_bp.medium",
            Some(true),
        ),
        (
            "rules-nine-radii",
            "nine factors for ten radii",
            "20000]",
            "20000]",
            "",
            None,
        ),
        (
            "rules-no-streak",
            "no factor for a streak",
            days,
            r#""streak_bp":[]"#,
            "streak_bp",
            Some(true),
        ),
        (
            "rules-long-streak",
            "367 days",
            days,
            many_days.as_str(),
            "streak_bp",
            Some(true),
        ),
        (
            "rules-no-repetition",
            "no step",
            steps,
            r#""repetition":[]"#,
            "repetition",
            Some(true),
        ),
        (
            "rules-many-steps",
            "17 steps",
            steps,
            many_steps.as_str(),
            "repetition",
            Some(true),
        ),
        (
            "rules-open-end",
            "a last step with a limit",
            r#""fewer_than":null"#,
            r#""fewer_than":20"#,
            "repetition",
            Some(false),
        ),
        (
            "rules-no-caps",
            "without caps",
            r#""caps":{"per_day":null,"per_proof":null},"#,
            "",
            "$",
            Some(true),
        ),
        (
            "rules-cap-negative",
            "a cap below nothing",
            r#""per_day":null"#,
            r#""per_day":-1"#,
            "caps.per_day",
            Some(true),
        ),
        (
            "rules-many-freezes",
            "32 freezes",
            r#""held_max":2"#,
            r#""held_max":32"#,
            "freezes.held_max",
            Some(true),
        ),
        (
            "rules-freezes-never-back",
            "freezes that come back after 0 days",
            r#""recharge_days":5"#,
            r#""recharge_days":0"#,
            "freezes.recharge_days",
            Some(true),
        ),
        (
            "rules-composite-slug",
            "a composite without a proper name",
            r#""slug":"careful-change""#,
            r#""slug":"Careful change""#,
            "composites[0].slug",
            Some(true),
        ),
        (
            "rules-composite-twice",
            "two composites of one name",
            r#""slug":"lasting-repair""#,
            r#""slug":"careful-change""#,
            "composites[1].slug",
            Some(false),
        ),
        (
            "rules-composite-too-long",
            "a composite within more than a week",
            r#""within_seconds":86400"#,
            r#""within_seconds":604801"#,
            "composites[0].within_seconds",
            Some(true),
        ),
        (
            "rules-composite-anything",
            "a step that anything fits",
            r#"{"action_type":"review","category":null,"plugin":null}"#,
            r#"{"action_type":null,"category":null,"plugin":null}"#,
            "composites[0].steps",
            Some(false),
        ),
        (
            "rules-streak-too-large",
            "a day of a streak worth more than ten times",
            "14167,15000]",
            "14167,100001]",
            "streak_bp[6]",
            Some(true),
        ),
        (
            "rules-step-too-large",
            "a step worth more than ten times",
            r#""factor_bp":5000"#,
            r#""factor_bp":100001"#,
            "repetition[1].factor_bp",
            Some(true),
        ),
        (
            "rules-step-without-end",
            "a step that does not say how long it holds",
            r#","fewer_than":null"#,
            "",
            "repetition[2]",
            Some(true),
        ),
        (
            "rules-half-a-cap",
            "a cap left out is not null",
            r#""per_day":null,"#,
            "",
            "caps",
            Some(true),
        ),
        (
            "rules-cap-too-large",
            "a cap of 2^32",
            r#""per_proof":null"#,
            r#""per_proof":4294967296"#,
            "caps.per_proof",
            Some(true),
        ),
        (
            "rules-composite-coins",
            "a composite of 1,000,001 coins",
            r#""coins":40"#,
            r#""coins":1000001"#,
            "composites[0].coins",
            Some(true),
        ),
        (
            "rules-composite-plugin",
            "a step by a plugin that cannot be",
            r#"{"action_type":"review","category":null,"plugin":null}"#,
            r#"{"action_type":"review","category":null,"plugin":"review"}"#,
            "composites[0].steps[1].plugin",
            Some(true),
        ),
        (
            "rules-composite-word",
            "a step with a word that no proof has",
            r#"{"action_type":"review","category":null,"plugin":null}"#,
            r#"{"action_type":"rollout","category":null,"plugin":null}"#,
            "composites[0].steps[1].action_type",
            Some(true),
        ),
        (
            "rules-composite-short-step",
            "a step that leaves out its category",
            r#"{"action_type":"review","category":null,"plugin":null}"#,
            r#"{"action_type":"review","plugin":null}"#,
            "composites[0].steps[1]",
            Some(true),
        ),
        (
            "rules-composite-of-one",
            "a composite of one step",
            r#",{"action_type":"review","category":null,"plugin":null},{"action_type":"deploy","category":null,"plugin":null}]"#,
            "]",
            "composites[0].steps",
            Some(true),
        ),
        (
            "rules-repeated-member",
            "a rate twice",
            r#""toil":15"#,
            r#""toil":15,"toil":16"#,
            "base_coins",
            None,
        ),
    ] {
        let (text, field) = if name == "rules-nine-radii" {
            (replaced(&default, "10000,11111,", "11111,"), "impact_bp")
        } else {
            (replaced(&default, from, to), field)
        };
        let structural = if name == "rules-nine-radii" {
            Some(true)
        } else {
            structural
        };
        let case = Case::invalid(
            KIND,
            name,
            "SCO-RULES-001",
            title,
            json!({ "rules_text": text }),
            json!({ "field": field }),
        );
        cases.push(match structural {
            Some(found) => case.structural(found),
            None => case,
        });
    }
    cases
}
