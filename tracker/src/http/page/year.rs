//! A year of days as a grid: weeks across, days of the week down.

use std::collections::BTreeMap;

use farmops_protocol::streak::Days as _;
use jiff::{ToSpan as _, civil::Date};

use crate::domain::{DayTotals, Known, Schedule};

/// Weeks in the grid.
const WEEKS: i64 = 53;

/// The grid.
pub(super) struct Year {
    /// The months above it: how many weeks each has, and its name.
    pub(super) months: Vec<(usize, String)>,
    /// A row for each day of the week, Monday first.
    pub(super) rows: Vec<(&'static str, Vec<Square>)>,
}

/// A day in the grid.
pub(super) struct Square {
    /// How much was done, 0 to 4; none for a day that has not come.
    pub(super) shade: Option<u8>,
    /// What it was, as a sign: rest, silence, a day off, or nothing.
    pub(super) sign: &'static str,
    /// The day in words.
    pub(super) text: String,
}

/// What happened on the days.
pub(super) struct Past<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) known: &'a Known,
    pub(super) work: &'a BTreeMap<Date, DayTotals>,
    /// The first day of the farm.
    pub(super) first: Date,
}

/// The year that ends with `today`.
pub(super) fn year(today: Date, past: &Past<'_>) -> Year {
    let since_monday = i64::from(today.weekday().to_monday_zero_offset());
    let monday = today.saturating_sub(since_monday.days());
    let first = monday.saturating_sub(((WEEKS - 1) * 7).days());
    let mut months: Vec<(usize, String)> = Vec::new();
    for week in 0..WEEKS {
        let name = first
            .saturating_add((week * 7).days())
            .strftime("%b")
            .to_string();
        match months.last_mut() {
            Some((weeks, last)) if *last == name => *weeks += 1,
            _ => months.push((1, name)),
        }
    }
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rows = (0i64..).zip(names).map(|(offset, name)| {
        let squares = (0..WEEKS).map(|week| {
            let day = first.saturating_add((week * 7 + offset).days());
            square(day, today, past)
        });
        (name, squares.collect())
    });
    Year {
        months,
        rows: rows.collect(),
    }
}

fn square(day: Date, today: Date, past: &Past<'_>) -> Square {
    let named = super::when::day(day);
    if day > today || day < past.first {
        return Square {
            shade: None,
            sign: "",
            text: String::new(),
        };
    }
    let done = past.work.get(&day).copied().unwrap_or_default();
    let week = past.schedule.term_on(day).working_days;
    let works = week[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
    let days = past.known.by(past.schedule);
    let (sign, what) = if days.rests(day) {
        ("z", ", a day of rest")
    } else if days.excused(day) {
        ("!", ", every agent was silent")
    } else if !works {
        ("·", ", no working day")
    } else {
        ("", "")
    };
    let text = match done.proofs {
        0 => format!("{named}: no proofs{what}"),
        1 => format!("{named}: 1 proof, {} coins{what}", done.coins),
        more => format!("{named}: {more} proofs, {} coins{what}", done.coins),
    };
    Square {
        shade: Some(shade(done.proofs)),
        sign,
        text,
    }
}

fn shade(proofs: u64) -> u8 {
    match proofs {
        0 => 0,
        1..=2 => 1,
        3..=5 => 2,
        6..=10 => 3,
        _ => 4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use farmops_protocol::streak::Silent;

    use super::*;
    use crate::domain::Watch;

    #[test]
    fn the_last_column_ends_with_today_and_each_kind_of_day_has_its_sign() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let schedule = Schedule::new("UTC".into(), [true, true, true, true, true, false, false]);
        let totals = DayTotals {
            proofs: 3,
            coins: 40,
        };
        let silence = Silent {
            from: "2026-11-17T03:00:00Z".parse().unwrap(),
            until: "2026-11-18T08:00:00Z".parse().unwrap(),
        };
        let watch = Watch {
            from: "2026-01-01T08:00:00Z".parse().unwrap(),
            until: None,
            silences: vec![silence],
        };
        let past = Past {
            schedule: &schedule,
            known: &Known {
                rest_days: [date("2026-11-16")].into(),
                watches: [(uuid::Uuid::nil(), watch)].into(),
            },
            work: &BTreeMap::from([(date("2026-11-18"), totals)]),
            first: date("2026-01-01"),
        };
        let drawn = year(date("2026-11-18"), &past);
        let last: Vec<_> = drawn
            .rows
            .iter()
            .map(|(_, days)| days.last().unwrap())
            .collect();
        assert_eq!(last.iter().map(|d| d.sign).collect::<String>(), "z!");
        let shades: Vec<_> = last.iter().map(|d| d.shade).collect();
        assert_eq!(shades, [Some(0), Some(0), Some(2), None, None, None, None]);
        assert_eq!(last[2].text, "18 Nov 2026: 3 proofs, 40 coins");
        assert_eq!(drawn.rows[5].1[51].sign, "·");
        assert_eq!(
            drawn.rows[0].1[0].shade, None,
            "before the farm was founded"
        );
        assert_eq!(
            drawn.months.iter().map(|(weeks, _)| weeks).sum::<usize>(),
            53
        );
    }
}
