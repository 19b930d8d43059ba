//! Scores. What each must be is worked out by hand beside the case.

use farmops_protocol::scoring::RuleSet;
use serde_json::{Value, json};

use super::case::Case;

pub(crate) const KIND: &str = "scoring";

/// A routine action in full: 10 coins.
fn routine() -> Value {
    json!({
        "category": "maintenance", "complexity": "low", "earns": true, "impact_radius": 1,
        "like_this_hour": 0, "streak_days": 1, "upgrade_bp": 10_000, "coins_today": 0,
    })
}

/// The routine score with some members replaced.
pub(crate) fn with(base: Value, changes: Value) -> Value {
    let mut merged = base;
    merged
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    merged
}

fn score(name: &str, clause: &'static str, title: &str, given: Value, expected: Value) -> Case {
    let plain = json!({
        "base_coins": 10, "capped": 0, "coins": 10, "complexity_bp": 10_000, "impact_bp": 10_000,
        "repetition_bp": 10_000, "streak_bp": 10_000, "upgrade_bp": 10_000,
    });
    Case::valid(
        KIND,
        name,
        clause,
        title,
        json!({ "score": with(routine(), given) }),
        with(plain, expected),
    )
}

pub(crate) fn cases() -> Vec<Case> {
    [factors(), rounding(), own_rules(), caps()]
        .into_iter()
        .flatten()
        .collect()
}

fn factors() -> Vec<Case> {
    let mut cases = Vec::new();
    for (category, coins) in [
        ("maintenance", 10),
        ("toil", 15),
        ("reliability", 20),
        ("security", 25),
        ("incident", 30),
        ("upgrade", 20),
    ] {
        cases.push(score(
            &format!("category-{category}"),
            "SCO-RATE-001",
            &format!("the base rate of {category}"),
            json!({ "category": category }),
            json!({ "base_coins": coins, "coins": coins }),
        ));
    }
    // 10 × 1.25 = 12.5 and 10 × 1.5 = 15
    for (complexity, factor, coins) in [("medium", 12_500, 13), ("high", 15_000, 15)] {
        cases.push(score(
            &format!("complexity-{complexity}"),
            "SCO-RATE-001",
            &format!("{complexity} complexity"),
            json!({ "complexity": complexity }),
            json!({ "complexity_bp": factor, "coins": coins }),
        ));
    }
    for (radius, factor, coins) in [
        (2, 11_111, 11),
        (5, 14_444, 14),
        (6, 15_556, 16),
        (9, 18_889, 19),
        (10, 20_000, 20),
    ] {
        cases.push(score(
            &format!("impact-{radius}"),
            "SCO-IMPACT-001",
            &format!("impact radius {radius}"),
            json!({ "impact_radius": radius }),
            json!({ "impact_bp": factor, "coins": coins }),
        ));
    }
    for (days, factor, coins) in [
        (0, 10_000, 10),
        (2, 10_833, 11),
        (3, 11_667, 12),
        (6, 14_167, 14),
        (7, 15_000, 15),
        (8, 15_000, 15),
        (4_294_967_295_u32, 15_000, 15),
    ] {
        cases.push(score(
            &format!("streak-{days}"),
            "SCO-STREAK-003",
            &format!("day {days} of a streak"),
            json!({ "streak_days": days }),
            json!({ "streak_bp": factor, "coins": coins }),
        ));
    }
    for (like, factor, coins) in [
        (5, 10_000, 10),
        (6, 5_000, 5),
        (11, 5_000, 5),
        (12, 1_000, 1),
        (4_294_967_295_u32, 1_000, 1),
    ] {
        cases.push(score(
            &format!("repetition-{like}"),
            "SCO-REPEAT-001",
            &format!("{like} like proofs before"),
            json!({ "like_this_hour": like }),
            json!({ "repetition_bp": factor, "coins": coins }),
        ));
    }
    cases.push(score(
        "not-earning",
        "SCO-EARN-001",
        "a proof that is no verified success",
        json!({ "earns": false, "category": "incident", "complexity": "high" }),
        json!({ "base_coins": 0, "coins": 0, "complexity_bp": 15_000 }),
    ));
    cases
}

fn rounding() -> Vec<Case> {
    vec![
        score(
            "half-up",
            "SCO-ROUND-001",
            "15 × 0.5 = 7.5 becomes 8",
            json!({ "category": "toil", "like_this_hour": 6 }),
            json!({ "base_coins": 15, "repetition_bp": 5_000, "coins": 8 }),
        ),
        score(
            "half-up-not-to-even",
            "SCO-ROUND-001",
            "25 × 0.1 = 2.5 becomes 3, not the even 2",
            json!({ "category": "security", "like_this_hour": 12 }),
            json!({ "base_coins": 25, "repetition_bp": 1_000, "coins": 3 }),
        ),
        score(
            "below-half",
            "SCO-ROUND-001",
            "10 × 1.0499 = 10.499 becomes 10",
            json!({ "upgrade_bp": 10_499 }),
            json!({ "upgrade_bp": 10_499, "coins": 10 }),
        ),
        // 15 × 0.5 × 1.1 = 8.25 → 8; rounding 7.5 to 8 first would give 8.8 → 9.
        score(
            "rounded-once",
            "SCO-ROUND-001",
            "rounded at the end only",
            json!({ "category": "toil", "like_this_hour": 6, "upgrade_bp": 11_000 }),
            json!({ "base_coins": 15, "repetition_bp": 5_000, "upgrade_bp": 11_000, "coins": 8 }),
        ),
        // 30 × 1.5 × 1.3333 × 1.1667 × 1.05 = 73.5002…
        score(
            "worked-example",
            "SCO-FORM-001",
            "every factor at once",
            json!({ "category": "incident", "complexity": "high", "impact_radius": 4, "streak_days": 3, "upgrade_bp": 10_500 }),
            json!({ "base_coins": 30, "complexity_bp": 15_000, "impact_bp": 13_333, "streak_bp": 11_667, "upgrade_bp": 10_500, "coins": 74 }),
        ),
        // 10 × 10
        score(
            "upgrade-at-the-limit",
            "SCO-UPGRADE-001",
            "the largest factor of upgrades",
            json!({ "upgrade_bp": 100_000 }),
            json!({ "upgrade_bp": 100_000, "coins": 100 }),
        ),
        score(
            "upgrade-nothing",
            "SCO-UPGRADE-001",
            "a factor of nothing",
            json!({ "upgrade_bp": 0 }),
            json!({ "upgrade_bp": 0, "coins": 0 }),
        ),
    ]
}

fn own_rules() -> Vec<Case> {
    let base = |coins: u32| json!({ "incident": coins, "maintenance": coins, "reliability": coins, "security": coins, "toil": coins, "upgrade": coins });
    let rules = |coins, factor: u32| {
        json!({
            "base_coins": base(coins),
            "complexity_bp": { "high": factor, "low": factor, "medium": factor },
            "impact_bp": [factor, factor, factor, factor, factor, factor, factor, factor, factor, factor],
            "repetition": [{ "factor_bp": factor, "fewer_than": null }],
            "streak_bp": [factor],
            "caps": { "per_proof": null, "per_day": null },
            "freezes": { "held_max": 0, "recharge_days": 1 },
            "composites": [],
        })
    };
    let all = |factor: u32| json!({ "capped": 0, "complexity_bp": factor, "impact_bp": factor, "repetition_bp": factor, "streak_bp": factor, "upgrade_bp": factor });
    let case = |name: &str, title: &str, rules: Value, upgrade: u32, expected: Value| {
        let input =
            json!({ "rules": rules, "score": with(routine(), json!({ "upgrade_bp": upgrade })) });
        Case::valid(KIND, name, "SCO-ROUND-001", title, input, expected)
    };
    vec![
        // 10⁶ × 10⁵ = 10¹¹; the product in basis points is 10³¹ and needs 104 bits.
        case(
            "largest-product",
            "the largest product there can be",
            rules(1_000_000, 100_000),
            100_000,
            with(
                all(100_000),
                json!({ "base_coins": 1_000_000, "coins": 100_000_000_000_u64 }),
            ),
        ),
        // (1.0001)⁵ × 10⁶ = 1 000 500.100010000…
        case(
            "exact-product",
            "factors that a float would not hold",
            rules(1_000_000, 10_001),
            10_001,
            with(
                all(10_001),
                json!({ "base_coins": 1_000_000, "coins": 1_000_500 }),
            ),
        ),
    ]
}

fn caps() -> Vec<Case> {
    let rules = |per_proof: Value, per_day: Value| {
        let mut rules = serde_json::to_value(RuleSet::default()).unwrap();
        rules["caps"] = json!({ "per_proof": per_proof, "per_day": per_day });
        rules
    };
    let case = |name: &str, title: &str, rules: Value, today: u64, coins: u64| {
        let plain = json!({
            "base_coins": 10, "capped": 10 - coins, "coins": coins, "complexity_bp": 10_000,
            "impact_bp": 10_000, "repetition_bp": 10_000, "streak_bp": 10_000, "upgrade_bp": 10_000,
        });
        let given = with(routine(), json!({ "coins_today": today }));
        let input = json!({ "rules": rules, "score": given });
        Case::valid(KIND, name, "SCO-CAP-001", title, input, plain)
    };
    vec![
        case(
            "cap-of-a-proof",
            "a proof brings 7 at most",
            rules(json!(7), Value::Null),
            0,
            7,
        ),
        case(
            "cap-not-reached",
            "10 of 10",
            rules(json!(10), json!(10)),
            0,
            10,
        ),
        case(
            "cap-of-a-day",
            "97 of 100 were there already",
            rules(Value::Null, json!(100)),
            97,
            3,
        ),
        case(
            "cap-of-a-day-passed",
            "a day that is over its cap",
            rules(Value::Null, json!(100)),
            140,
            0,
        ),
        case(
            "cap-both",
            "the lower one holds",
            rules(json!(8), json!(100)),
            95,
            5,
        ),
        case(
            "cap-of-nothing",
            "a cap of 0",
            rules(json!(0), Value::Null),
            0,
            0,
        ),
    ]
}
