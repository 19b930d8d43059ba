//! Scores, rule sets and streaks. What a score must be is worked out by hand beside each case.

use farmops_protocol::scoring::RuleSet;
use serde_json::{Value, json};

use super::case::{Case, replaced};

const KIND: &str = "scoring";

/// A routine action in full: 10 coins.
fn routine() -> Value {
    json!({
        "category": "maintenance", "complexity": "low", "earns": true, "impact_radius": 1,
        "like_this_hour": 0, "streak_days": 1, "upgrade_bp": 10_000, "coins_today": 0,
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
    [
        factors(),
        rounding(),
        own_rules(),
        caps(),
        rule_sets(),
        streaks(),
        clocks(),
        forgiven(),
        composites(),
    ]
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
            "composites.0.slug",
            Some(true),
        ),
        (
            "rules-composite-twice",
            "two composites of one name",
            r#""slug":"lasting-repair""#,
            r#""slug":"careful-change""#,
            "composites.1.slug",
            Some(false),
        ),
        (
            "rules-composite-too-long",
            "a composite within more than a week",
            r#""within_seconds":86400"#,
            r#""within_seconds":604801"#,
            "composites.0.within_seconds",
            Some(true),
        ),
        (
            "rules-composite-anything",
            "a step that anything fits",
            r#"{"action_type":"review","category":null,"plugin":null}"#,
            r#"{"action_type":null,"category":null,"plugin":null}"#,
            "composites.0.steps",
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

/// Days are the farmer's own, however long her zone makes them.
fn clocks() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, title, zone, work, today, streak) in [
        (
            "streak-berlin-spring",
            "a day of 23 hours: 22:59:59 UTC is still the day before the change",
            "Europe/Berlin",
            vec![
                "2026-03-28T22:59:59Z",
                "2026-03-29T21:59:59Z",
                "2026-03-29T22:00:00Z",
            ],
            "2026-03-30T12:00:00Z",
            3,
        ),
        (
            "streak-berlin-autumn",
            "a day of 25 hours: both two o'clocks are one day",
            "Europe/Berlin",
            vec![
                "2026-10-24T22:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T22:59:59Z",
            ],
            "2026-10-25T12:00:00Z",
            1,
        ),
        (
            "streak-los-angeles-spring",
            "midnight is at 08:00 UTC before the change and at 07:00 after it",
            "America/Los_Angeles",
            vec![
                "2026-03-08T07:59:59Z",
                "2026-03-08T08:00:00Z",
                "2026-03-09T07:00:00Z",
            ],
            "2026-03-09T12:00:00Z",
            3,
        ),
        (
            "streak-lord-howe",
            "a change of half an hour",
            "Australia/Lord_Howe",
            vec![
                "2026-04-04T12:59:59Z",
                "2026-04-04T13:00:00Z",
                "2026-04-05T13:30:00Z",
            ],
            "2026-04-06T00:00:00Z",
            3,
        ),
        (
            "streak-fourteen-hours-ahead",
            "ten in the morning in UTC is midnight",
            "Pacific/Kiritimati",
            vec!["2026-02-20T09:59:59Z", "2026-02-20T10:00:00Z"],
            "2026-02-20T12:00:00Z",
            2,
        ),
        (
            "streak-twelve-hours-behind",
            "noon in UTC is midnight",
            "Etc/GMT+12",
            vec!["2026-02-20T11:59:59Z", "2026-02-20T12:00:00Z"],
            "2026-02-20T23:00:00Z",
            2,
        ),
        (
            "streak-a-day-that-never-was",
            "Samoa had no 30 December 2011, so nobody missed it",
            "Pacific/Apia",
            vec!["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"],
            "2011-12-30T12:00:00Z",
            2,
        ),
        (
            "streak-before-1970",
            "times before the epoch",
            "UTC",
            vec!["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"],
            "1970-01-01T12:00:00Z",
            2,
        ),
    ] {
        let input = json!({ "time_zone": zone, "today": today, "work": work, "working_days": [true, true, true, true, true, true, true] });
        let expected = json!({ "days": streak });
        cases.push(Case::valid(
            KIND,
            name,
            "SCO-STREAK-001",
            title,
            input,
            expected,
        ));
    }
    cases
}

/// Freezes, days of rest, outages. 2026-02-16 is a Monday.
fn forgiven() -> Vec<Case> {
    let weekdays = [true, true, true, true, true, false, false];
    let case = |name: &str, clause, title: &str, given: Value, expected: Value| {
        let plain = json!({ "time_zone": "UTC", "working_days": weekdays });
        Case::valid(KIND, name, clause, title, with(plain, given), expected)
    };
    let noon = |day: u32| format!("2026-02-{day:02}T12:00:00Z");
    let at = |days: &[u32]| days.iter().map(|&day| noon(day)).collect::<Vec<_>>();
    let freezes = |held_max: u32, recharge_days: u32| json!({ "held_max": held_max, "recharge_days": recharge_days });
    vec![
        case(
            "freeze-takes-a-day",
            "SCO-FREEZE-001",
            "a Wednesday without work uses one of two freezes",
            json!({ "work": at(&[16, 17, 19]), "today": noon(19), "freezes": freezes(2, 5) }),
            json!({ "days": 3, "freezes": 1 }),
        ),
        case(
            "freeze-today-is-not-over",
            "SCO-FREEZE-001",
            "today may still bring work, so it uses none",
            json!({ "work": at(&[16]), "today": noon(17), "freezes": freezes(1, 5) }),
            json!({ "days": 1, "freezes": 1 }),
        ),
        case(
            "freeze-spent-in-passing",
            "SCO-FREEZE-001",
            "on Thursday Tuesday and Wednesday have used both",
            json!({ "work": at(&[16]), "today": noon(19), "freezes": freezes(2, 5) }),
            json!({ "days": 1, "freezes": 0 }),
        ),
        case(
            "freeze-too-few",
            "SCO-FREEZE-001",
            "three missed days and two freezes: the streak ends and the freezes are used",
            json!({ "work": at(&[16, 20]), "today": noon(20), "freezes": freezes(2, 5) }),
            json!({ "days": 1, "freezes": 0 }),
        ),
        case(
            "freeze-comes-back",
            "SCO-FREEZE-002",
            "after two days with work, the one on which it was used included",
            json!({ "work": at(&[16, 18, 19]), "today": noon(19), "freezes": freezes(1, 2) }),
            json!({ "days": 3, "freezes": 1 }),
        ),
        case(
            "freeze-back-once-at-a-time",
            "SCO-FREEZE-002",
            "two used, one back",
            json!({ "work": at(&[16, 19, 20]), "today": noon(20), "freezes": freezes(2, 2) }),
            json!({ "days": 3, "freezes": 1 }),
        ),
        case(
            "freeze-not-for-the-weekend",
            "SCO-FREEZE-001",
            "days off need none",
            json!({ "work": at(&[20, 23]), "today": noon(23), "freezes": freezes(1, 5) }),
            json!({ "days": 2, "freezes": 1 }),
        ),
        case(
            "rest-is-neutral",
            "SCO-REST-001",
            "a Wednesday of rest",
            json!({ "work": at(&[16, 17, 19]), "today": noon(19), "rest_days": ["2026-02-18"] }),
            json!({ "days": 3 }),
        ),
        case(
            "rest-adds-nothing",
            "SCO-REST-001",
            "work on a day of rest does not count",
            json!({ "work": at(&[16, 17, 18]), "today": noon(18), "rest_days": ["2026-02-18"] }),
            json!({ "days": 2 }),
        ),
        case(
            "outage-is-neutral",
            "SCO-OUTAGE-001",
            "the only agent was silent for all of Wednesday",
            json!({ "work": at(&[16, 17, 19]), "today": noon(19), "silences": [[{ "from": "2026-02-17T20:00:00Z", "until": "2026-02-19T08:00:00Z" }]] }),
            json!({ "days": 3 }),
        ),
        case(
            "outage-of-half-a-day",
            "SCO-OUTAGE-001",
            "twelve hours of it suffice",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [[{ "from": "2026-02-18T12:00:00Z", "until": "2026-02-19T00:00:00Z" }]] }),
            json!({ "days": 2 }),
        ),
        case(
            "outage-a-second-short",
            "SCO-OUTAGE-001",
            "a second less does not",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [[{ "from": "2026-02-18T12:00:01Z", "until": "2026-02-19T00:00:00Z" }]] }),
            json!({ "days": 1 }),
        ),
        case(
            "outage-of-one-of-two",
            "SCO-OUTAGE-001",
            "the other agent would have told",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [[{ "from": "2026-02-17T20:00:00Z", "until": "2026-02-19T08:00:00Z" }], []] }),
            json!({ "days": 1 }),
        ),
        case(
            "outage-with-work",
            "SCO-OUTAGE-001",
            "work on such a day counts all the same",
            json!({ "work": at(&[17, 18, 19]), "today": noon(19), "silences": [[{ "from": "2026-02-18T00:00:00Z", "until": "2026-02-18T12:00:00Z" }]] }),
            json!({ "days": 3 }),
        ),
        case(
            "outage-on-a-short-day",
            "SCO-OUTAGE-001",
            "of a day of 23 hours it is twelve as well",
            json!({
                "time_zone": "Europe/Berlin", "working_days": [true, true, true, true, true, true, true], "today": "2026-03-30T12:00:00Z",
                "work": ["2026-03-28T12:00:00Z", "2026-03-30T10:00:00Z"],
                "silences": [[{ "from": "2026-03-28T22:00:00Z", "until": "2026-03-29T11:00:00Z" }]],
            }),
            json!({ "days": 2 }),
        ),
    ]
}

fn composites() -> Vec<Case> {
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
