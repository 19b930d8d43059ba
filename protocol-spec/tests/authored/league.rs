//! Leagues that a village supplies, one by one and listed.

use farmops_protocol::{canonical, digest::sha256, scoring::RuleSet};
use serde_json::{Value, json};

use super::case::{Case, replaced};

const KIND: &str = "league";

/// The league of the village Orchard, as its people would write it.
const HARVEST: &str = r#"{
  "league": "harvest",
  "name": "Harvest league",
  "rules": {
    "base_coins": { "maintenance": 20, "toil": 20, "reliability": 20, "security": 20, "incident": 20, "upgrade": 20 },
    "complexity_bp": { "low": 10000, "medium": 12500, "high": 15000 },
    "impact_bp": [10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000, 10000],
    "streak_bp": [10000],
    "repetition": [
      { "factor_bp": 10000, "fewer_than": 6 },
      { "factor_bp": 1000, "fewer_than": null }
    ],
    "caps": { "per_proof": null, "per_day": 300 },
    "freezes": { "held_max": 0, "recharge_days": 1 },
    "composites": []
  }
}"#;

fn given(kind: &str, text: &str) -> Value {
    json!({ "kind": kind, "text": text })
}

fn list(names: &[&str]) -> String {
    let digest = RuleSet::default().digest();
    let items = names.iter().map(|slug| {
        format!(r#"{{"league":"{slug}","name":"The {slug}","rules_digest":"{digest}"}}"#)
    });
    format!(r#"{{"items":[{}]}}"#, items.collect::<Vec<_>>().join(","))
}

pub(crate) fn cases() -> Vec<Case> {
    let tree: Value = serde_json::from_str(HARVEST).unwrap();
    let rules = sha256(&canonical::to_vec(&tree["rules"]).unwrap());
    let numbered: Vec<String> = (1..=16).map(|n| format!("league-{n}")).collect();
    let sixteen: Vec<&str> = numbered.iter().map(String::as_str).collect();
    let grown = replaced(&list(&["harvest"]), r#""name":"#, r#""since":2,"name":"#);
    let mut cases = vec![
        Case::valid(
            KIND,
            "league",
            "LGE-FORM-001",
            "a league as a village's people write it",
            given("league", HARVEST),
            json!({ "league": "harvest", "rules": rules }),
        ),
        Case::valid(
            KIND,
            "list",
            "LGE-LIST-001",
            "as many leagues as a village may have",
            given("list", &list(&sixteen)),
            json!({ "leagues": sixteen }),
        ),
        Case::valid(
            KIND,
            "list-empty",
            "LGE-LIST-001",
            "a village without leagues",
            given("list", &list(&[])),
            json!({ "leagues": [] }),
        ),
        Case::valid(
            KIND,
            "list-grown",
            "LGE-LIST-001",
            "a line with a member that nobody knows yet",
            given("list", &grown),
            json!({ "leagues": ["harvest"] }),
        ),
    ];
    cases.extend(refused_leagues());
    cases.extend(refused_lists());
    cases
}

fn refused_leagues() -> Vec<Case> {
    let long = format!(r#""Harvest {}""#, "x".repeat(80));
    [
        (
            "unknown-member",
            "a member nobody knows",
            r#""name":"#,
            r#""season":1,"name":"#,
            "season",
            true,
        ),
        (
            "no-name",
            "without a name",
            r#""name": "Harvest league","#,
            "",
            "$",
            true,
        ),
        (
            "slug-capital",
            "a slug with a capital",
            r#""harvest""#,
            r#""Harvest""#,
            "league",
            true,
        ),
        (
            "slug-path",
            "a slug that leads elsewhere",
            r#""harvest""#,
            r#""../farmers""#,
            "league",
            true,
        ),
        (
            "name-two-lines",
            "a name of two lines",
            "Harvest league",
            r"Harvest\nleague",
            "name",
            true,
        ),
        (
            "name-long",
            "a name of 88 characters",
            r#""Harvest league""#,
            long.as_str(),
            "name",
            true,
        ),
        (
            "name-number",
            "a number for a name",
            r#""Harvest league""#,
            "7",
            "name",
            true,
        ),
        (
            "rules-base-too-large",
            "a rate beyond the bounds",
            r#""toil": 20"#,
            r#""toil": 1000001"#,
            "rules.base_coins.toil",
            true,
        ),
        (
            "rules-missing-category",
            "rules without a rate",
            r#""toil": 20, "#,
            "",
            "rules.base_coins",
            true,
        ),
        (
            "rules-open-end",
            "a last step with an end",
            r#""fewer_than": null"#,
            r#""fewer_than": 9"#,
            "rules.repetition",
            false,
        ),
        (
            "rules-twice",
            "two sets of rules",
            r#""rules": {"#,
            r#""rules": {}, "rules": {"#,
            "$",
            false,
        ),
    ]
    .into_iter()
    .map(|(name, title, from, to, field, structural)| {
        let text = replaced(HARVEST, from, to);
        let case = Case::invalid(
            KIND,
            name,
            "LGE-FORM-001",
            title,
            given("league", &text),
            json!({ "field": field }),
        );
        case.structural(structural)
    })
    .collect()
}

fn refused_lists() -> Vec<Case> {
    let one = list(&["harvest"]);
    let seventeen: Vec<String> = (1..=17).map(|n| format!("league-{n}")).collect();
    let seventeen: Vec<&str> = seventeen.iter().map(String::as_str).collect();
    [
        (
            "list-17",
            "one league too many",
            list(&seventeen),
            "items",
            true,
        ),
        (
            "list-twice",
            "a league that stands twice",
            list(&["harvest", "harvest"]),
            "items[1].league",
            false,
        ),
        (
            "list-slug",
            "a slug that leads elsewhere",
            list(&["../x"]),
            "items[0].league",
            true,
        ),
        (
            "list-digest",
            "a digest that is none",
            replaced(&one, &RuleSet::default().digest().to_string(), "d1e0"),
            "items[0].rules_digest",
            true,
        ),
        (
            "list-no-items",
            "no list at all",
            "{}".to_owned(),
            "$",
            true,
        ),
    ]
    .into_iter()
    .map(|(name, title, text, field, structural)| {
        let case = Case::invalid(
            KIND,
            name,
            "LGE-LIST-001",
            title,
            given("list", &text),
            json!({ "field": field }),
        );
        case.structural(structural)
    })
    .collect()
}
