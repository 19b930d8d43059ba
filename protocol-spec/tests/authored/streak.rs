//! Streaks: plain ones, the farmer's own clock, and what forgives a day without work.

use serde_json::{Value, json};

use super::{
    case::Case,
    scoring::{KIND, with},
};

pub(crate) fn cases() -> Vec<Case> {
    let all = [streaks(), clocks(), forgiven()];
    all.into_iter().flatten().collect()
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
            "streak-los-angeles-autumn",
            "midnight is at 07:00 UTC before the change and at 08:00 after it",
            "America/Los_Angeles",
            vec![
                "2026-11-01T06:59:59Z",
                "2026-11-01T07:00:00Z",
                "2026-11-02T07:59:59Z",
                "2026-11-02T08:00:00Z",
            ],
            "2026-11-02T12:00:00Z",
            3,
        ),
        (
            "streak-lord-howe-autumn",
            "a day of 24 hours and a half",
            "Australia/Lord_Howe",
            vec![
                "2026-04-04T13:00:00Z",
                "2026-04-05T13:29:59Z",
                "2026-04-05T13:30:00Z",
            ],
            "2026-04-06T00:00:00Z",
            2,
        ),
        (
            "streak-lord-howe-spring",
            "a day of 23 hours and a half",
            "Australia/Lord_Howe",
            vec![
                "2026-10-03T13:29:59Z",
                "2026-10-03T13:30:00Z",
                "2026-10-04T12:59:59Z",
                "2026-10-04T13:00:00Z",
            ],
            "2026-10-05T00:00:00Z",
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
        case(
            "outage-told-twice",
            "SCO-OUTAGE-001",
            "seven hours told twice are no fourteen",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [[
                { "from": "2026-02-18T00:00:00Z", "until": "2026-02-18T07:00:00Z" },
                { "from": "2026-02-18T00:00:00Z", "until": "2026-02-18T07:00:00Z" },
            ]] }),
            json!({ "days": 1 }),
        ),
        case(
            "outage-in-two-pieces",
            "SCO-OUTAGE-001",
            "two silences of one day are taken together",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [[
                { "from": "2026-02-17T18:00:00Z", "until": "2026-02-18T07:00:00Z" },
                { "from": "2026-02-18T19:00:00Z", "until": "2026-02-19T08:00:00Z" },
            ]] }),
            json!({ "days": 2 }),
        ),
        case(
            "outage-without-agents",
            "SCO-OUTAGE-001",
            "where there is no agent there is no outage",
            json!({ "work": at(&[17, 19]), "today": noon(19), "silences": [] }),
            json!({ "days": 1 }),
        ),
        case(
            "calendar-changed",
            "SCO-CALENDAR-001",
            "from Thursday on she works on Mondays only: Friday is not missed, Wednesday was",
            json!({
                "work": at(&[16, 17, 23]), "today": noon(23), "freezes": freezes(1, 5),
                "changed": { "from": "2026-02-19", "working_days": [true, false, false, false, false, false, false] },
            }),
            json!({ "days": 3, "freezes": 0 }),
        ),
        case(
            "gap-longer-than-any-leave",
            "SCO-STREAK-004",
            "1,001 days later a streak is over although no day was missed",
            json!({
                "time_zone": "UTC", "working_days": weekdays, "work": at(&[16]), "today": "2028-11-13T12:00:00Z",
                "silences": [[{ "from": "2026-02-16T13:00:00Z", "until": "2028-11-13T12:00:00Z" }]],
            }),
            json!({ "days": 0 }),
        ),
        case(
            "gap-of-a-long-leave",
            "SCO-STREAK-004",
            "1,000 days later it still stands",
            json!({
                "time_zone": "UTC", "working_days": weekdays, "work": at(&[16]), "today": "2028-11-12T12:00:00Z",
                "silences": [[{ "from": "2026-02-16T13:00:00Z", "until": "2028-11-12T12:00:00Z" }]],
            }),
            json!({ "days": 1 }),
        ),
    ]
}
