//! Scores, rule sets and streaks. What a score must be is worked out by hand beside each case.

use farmops_protocol::scoring::RuleSet;
use serde_json::{Value, json};

use super::case::{Case, replaced};

const KIND: &str = "scoring";

/// A routine action in full: 10 coins.
fn routine() -> Value {
    json!({
        "category": "maintenance", "complexity": "low", "earns": true, "impact_radius": 1,
        "like_this_hour": 0, "streak_days": 1, "upgrade_bp": 10_000,
    })
}

/// The routine score with some members replaced.
fn with(base: Value, changes: Value) -> Value {
    let mut merged = base;
    merged
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    merged
}

fn score(name: &str, clause: &'static str, title: &str, given: Value, expected: Value) -> Case {
    let plain = json!({
        "base_coins": 10, "coins": 10, "complexity_bp": 10_000, "impact_bp": 10_000,
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
    [factors(), rounding(), own_rules(), rule_sets(), streaks()]
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
        })
    };
    let all = |factor: u32| json!({ "complexity_bp": factor, "impact_bp": factor, "repetition_bp": factor, "streak_bp": factor, "upgrade_bp": factor });
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

fn rule_sets() -> Vec<Case> {
    let default = farmops_protocol::canonical::to_vec(&RuleSet::default()).unwrap();
    let default = String::from_utf8(default).unwrap();
    let mut cases = vec![Case::valid(
        KIND,
        "default-rules",
        "SCO-RULES-002",
        "the rules a farm starts with",
        json!({ "rules_text": default }),
        json!({ "digest": farmops_protocol::digest::sha256(default.as_bytes()) }),
    )];
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
            "base_coins",
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
            "$",
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

fn streaks() -> Vec<Case> {
    let weekdays = [true, true, true, true, true, false, false];
    let every_day = [true; 7];
    let input = |zone: &str, days: [bool; 7], work: &[&str], today: &str| json!({ "time_zone": zone, "today": today, "work": work, "working_days": days });
    // 2026-02-20 is a Friday.
    let mut cases = Vec::new();
    for (name, clause, title, zone, days, work, today, streak) in [
        (
            "streak-of-none",
            "SCO-STREAK-001",
            "no work, no streak",
            "UTC",
            weekdays,
            vec![],
            "2026-02-20T12:00:00Z",
            0,
        ),
        (
            "streak-of-one",
            "SCO-STREAK-001",
            "a first day",
            "UTC",
            weekdays,
            vec!["2026-02-20T12:00:00Z"],
            "2026-02-20T13:00:00Z",
            1,
        ),
        (
            "streak-same-day",
            "SCO-STREAK-001",
            "a second proof of the day changes nothing",
            "UTC",
            weekdays,
            vec!["2026-02-20T12:00:00Z", "2026-02-20T12:30:00Z"],
            "2026-02-20T13:00:00Z",
            1,
        ),
        (
            "streak-over-a-weekend",
            "SCO-STREAK-002",
            "Thursday, Friday, Monday",
            "UTC",
            weekdays,
            vec![
                "2026-02-19T12:00:00Z",
                "2026-02-20T12:00:00Z",
                "2026-02-23T12:00:00Z",
            ],
            "2026-02-23T12:00:00Z",
            3,
        ),
        (
            "streak-work-on-a-day-off",
            "SCO-STREAK-002",
            "Saturday's work adds nothing",
            "UTC",
            weekdays,
            vec![
                "2026-02-20T12:00:00Z",
                "2026-02-21T12:00:00Z",
                "2026-02-23T12:00:00Z",
            ],
            "2026-02-23T12:00:00Z",
            2,
        ),
        (
            "streak-broken",
            "SCO-STREAK-002",
            "a Monday without work",
            "UTC",
            weekdays,
            vec![
                "2026-02-19T12:00:00Z",
                "2026-02-20T12:00:00Z",
                "2026-02-24T12:00:00Z",
            ],
            "2026-02-24T12:00:00Z",
            1,
        ),
        (
            "streak-still-stands",
            "SCO-STREAK-002",
            "on Monday, before any work, Friday's streak stands",
            "UTC",
            weekdays,
            vec!["2026-02-19T12:00:00Z", "2026-02-20T12:00:00Z"],
            "2026-02-23T12:00:00Z",
            2,
        ),
        (
            "streak-gone",
            "SCO-STREAK-002",
            "on Tuesday it is gone",
            "UTC",
            weekdays,
            vec!["2026-02-19T12:00:00Z", "2026-02-20T12:00:00Z"],
            "2026-02-24T00:00:00Z",
            0,
        ),
        (
            "streak-late-proof",
            "SCO-STREAK-001",
            "a proof that arrives late for an earlier day",
            "UTC",
            every_day,
            vec!["2026-02-20T12:00:00Z", "2026-02-18T12:00:00Z"],
            "2026-02-20T12:00:00Z",
            1,
        ),
        (
            "streak-own-midnight",
            "SCO-STREAK-001",
            "23:30 UTC is tomorrow in Berlin",
            "Europe/Berlin",
            every_day,
            vec!["2026-02-20T22:30:00Z", "2026-02-20T23:30:00Z"],
            "2026-02-21T12:00:00Z",
            2,
        ),
        (
            "streak-same-moments-in-utc",
            "SCO-STREAK-001",
            "the same moments are one day in UTC",
            "UTC",
            every_day,
            vec!["2026-02-20T22:30:00Z", "2026-02-20T23:30:00Z"],
            "2026-02-20T23:45:00Z",
            1,
        ),
        (
            "streak-clock-change",
            "SCO-STREAK-001",
            "a day of 23 hours",
            "Europe/Berlin",
            every_day,
            vec![
                "2026-03-28T22:59:59Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ],
            "2026-03-30T12:00:00Z",
            3,
        ),
    ] {
        cases.push(Case::valid(
            KIND,
            name,
            clause,
            title,
            input(zone, days, &work, today),
            json!({ "days": streak }),
        ));
    }
    for (name, title, zone, days, field) in [
        (
            "streak-unknown-zone",
            "a time zone that does not exist",
            "Mars/Olympus",
            weekdays,
            "time_zone",
        ),
        (
            "streak-no-working-day",
            "nobody ever works",
            "UTC",
            [false; 7],
            "working_days",
        ),
    ] {
        cases.push(Case::invalid(
            KIND,
            name,
            "SCO-STREAK-001",
            title,
            input(zone, days, &[], "2026-02-20T12:00:00Z"),
            json!({ "field": field }),
        ));
    }
    cases
}
