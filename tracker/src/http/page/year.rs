//! A year of days as a grid: weeks across, days of the week down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan as _, civil::Date};

use crate::domain::{DayTotals, Outage, Schedule};

/// Weeks in the grid.
const WEEKS: i64 = 53;
/// An agent that was silent for so long on a day was away on it.
const AWAY_SECONDS: i64 = 12 * 3600;

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

/// What is known of the days.
pub(super) struct Known<'a> {
    pub(super) schedule: &'a Schedule,
    pub(super) work: &'a BTreeMap<Date, DayTotals>,
    pub(super) rest: &'a BTreeSet<Date>,
    pub(super) away: &'a BTreeSet<Date>,
    pub(super) founded: Date,
}

/// The year that ends with `today`.
pub(super) fn year(today: Date, known: &Known<'_>) -> Year {
    let since_monday = i64::from(today.weekday().to_monday_zero_offset());
    let monday = today.saturating_sub(since_monday.days());
    let first = monday.saturating_sub(((WEEKS - 1) * 7).days());
    let mut months: Vec<(usize, String)> = Vec::new();
    for week in 0..WEEKS {
        let name = first.saturating_add((week * 7).days()).strftime("%b").to_string();
        match months.last_mut() {
            Some((weeks, last)) if *last == name => *weeks += 1,
            _ => months.push((1, name)),
        }
    }
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let rows = (0i64..).zip(names).map(|(offset, name)| {
        let squares = (0..WEEKS).map(|week| {
            let day = first.saturating_add((week * 7 + offset).days());
            square(day, today, known)
        });
        (name, squares.collect())
    });
    Year {
        months,
        rows: rows.collect(),
    }
}

fn square(day: Date, today: Date, known: &Known<'_>) -> Square {
    let named = super::when::day(day);
    if day > today || day < known.founded {
        return Square {
            shade: None,
            sign: "",
            text: String::new(),
        };
    }
    let done = known.work.get(&day).copied().unwrap_or_default();
    let week = known.schedule.term_on(day).working_days;
    let works = week[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())];
    let (sign, what) = if known.rest.contains(&day) {
        ("z", ", a day of rest")
    } else if known.away.contains(&day) {
        ("!", ", an agent was silent")
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

/// The days on which an agent was silent for half of the day or longer.
pub(super) fn away<'a>(
    outages: impl IntoIterator<Item = &'a Outage>,
    schedule: &Schedule,
    from: Date,
) -> BTreeSet<Date> {
    let mut seconds = BTreeMap::<Date, i64>::new();
    for outage in outages {
        // An hour at a time: days are of whole quarters of hours, and half a day is counted roughly.
        let mut at = outage.from;
        while at < outage.until {
            let step = (outage.until.second() - at.second()).min(3600);
            let day = schedule.day(at);
            if day >= from {
                *seconds.entry(day).or_default() += step;
            }
            at = at.saturating_add(step);
        }
    }
    let long = seconds.into_iter().filter(|(_, seconds)| *seconds >= AWAY_SECONDS);
    long.map(|(day, _)| day).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_ends_with_today_and_each_kind_of_day_has_its_sign() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        let schedule = Schedule::new("UTC".into(), [true, true, true, true, true, false, false]);
        let totals = DayTotals {
            proofs: 3,
            coins: 40,
        };
        let outage = Outage {
            from: "2026-11-17T03:00:00Z".parse().unwrap(),
            until: "2026-11-18T08:00:00Z".parse().unwrap(),
        };
        let known = Known {
            schedule: &schedule,
            work: &BTreeMap::from([(date("2026-11-18"), totals)]),
            rest: &BTreeSet::from([date("2026-11-16")]),
            away: &away([&outage], &schedule, date("2025-11-01")),
            founded: date("2026-01-01"),
        };
        let drawn = year(date("2026-11-18"), &known);
        let last: Vec<_> = drawn.rows.iter().map(|(_, days)| days.last().unwrap()).collect();
        assert_eq!(last.iter().map(|d| d.sign).collect::<String>(), "z!");
        let shades: Vec<_> = last.iter().map(|d| d.shade).collect();
        assert_eq!(shades, [Some(0), Some(0), Some(2), None, None, None, None]);
        assert_eq!(last[2].text, "18 Nov 2026: 3 proofs, 40 coins");
        assert_eq!(drawn.rows[5].1[51].sign, "·");
        assert_eq!(drawn.rows[0].1[0].shade, None, "before the farm was founded");
        assert_eq!(drawn.months.iter().map(|(weeks, _)| weeks).sum::<usize>(), 53);
    }
}
