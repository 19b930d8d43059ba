//! Which day it is for the farmer, and whether she works on it, as that changed over time.

use farmops_protocol::{streak::Calendar, time::Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The farmer's calendars, each from a day on. There is always one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Term>", into = "Vec<Term>")]
pub struct Schedule {
    /// The calendar before all others.
    first: Span,
    /// The later ones, oldest first.
    later: Vec<Span>,
}

/// A calendar and the day from which it counts, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The first day; of the first calendar none.
    pub from: Option<Date>,
    /// An IANA time zone.
    pub time_zone: String,
    /// The days of the week that count, Monday first.
    #[schema(min_items = 7, max_items = 7)]
    pub working_days: [bool; 7],
}

#[derive(Debug, Clone)]
struct Span {
    term: Term,
    calendar: Calendar,
}

impl Schedule {
    /// The calendar that the farm was founded with.
    pub fn new(time_zone: String, working_days: [bool; 7]) -> Self {
        let term = Term {
            from: None,
            time_zone,
            working_days,
        };
        Self {
            first: Span::new(term),
            later: Vec::new(),
        }
    }

    /// Lets another calendar count from `from` on; one that was to begin later never does.
    pub fn change(&mut self, from: Date, time_zone: String, working_days: [bool; 7]) {
        self.later.retain(|span| span.term.from < Some(from));
        self.later.push(Span::new(Term {
            from: Some(from),
            time_zone,
            working_days,
        }));
    }

    /// The farmer's day at `moment`. It never lies in the days of another calendar, so where the zone
    /// changes, the last day of the old one is a little longer or shorter.
    pub fn day(&self, moment: Timestamp) -> Date {
        let mut end = None;
        for span in self.later.iter().rev() {
            let day = before(span.calendar.day(moment), end);
            if span.term.from <= Some(day) {
                return day;
            }
            end = span.term.from;
        }
        before(self.first.calendar.day(moment), end)
    }

    /// The calendar that counts on `day`.
    pub fn calendar_on(&self, day: Date) -> &Calendar {
        &self.span_on(day).calendar
    }

    /// What counts on `day`.
    pub fn term_on(&self, day: Date) -> &Term {
        &self.span_on(day).term
    }

    /// The calendar that was set last; it may begin tomorrow only.
    pub fn latest(&self) -> &Term {
        &self.later.last().unwrap_or(&self.first).term
    }

    fn span_on(&self, day: Date) -> &Span {
        let mut spans = self.later.iter().rev();
        let span = spans.find(|span| span.term.from <= Some(day));
        span.unwrap_or(&self.first)
    }
}

/// `day`, or the last one before `end`.
fn before(day: Date, end: Option<Date>) -> Date {
    match end {
        Some(end) if day >= end => end.yesterday().unwrap_or(Date::MIN),
        _ => day,
    }
}

impl Span {
    /// Days in UTC if the zone has left the time zone database since it was set.
    fn new(term: Term) -> Self {
        let calendar = Calendar::new(&term.time_zone, term.working_days)
            .unwrap_or_else(|_| Calendar::weekdays_utc());
        Self { term, calendar }
    }
}

impl PartialEq for Span {
    /// The calendar follows from the term.
    fn eq(&self, other: &Self) -> bool {
        self.term == other.term
    }
}

impl From<Vec<Term>> for Schedule {
    fn from(terms: Vec<Term>) -> Self {
        let mut spans = terms.into_iter().map(Span::new);
        let first = spans.next().unwrap_or_else(|| {
            Span::new(Term {
                from: None,
                time_zone: "UTC".to_owned(),
                working_days: [true, true, true, true, true, false, false],
            })
        });
        Self {
            first,
            later: spans.collect(),
        }
    }
}

impl From<Schedule> for Vec<Term> {
    fn from(schedule: Schedule) -> Self {
        std::iter::once(schedule.first)
            .chain(schedule.later)
            .map(|span| span.term)
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const WEEK: [bool; 7] = [true; 7];
    const WEEKDAYS: [bool; 7] = [true, true, true, true, true, false, false];

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn a_change_counts_from_its_day_on_and_no_day_is_counted_twice() {
        let mut schedule = Schedule::new("Pacific/Kiritimati".to_owned(), WEEKDAYS);
        schedule.change(day("2026-02-21"), "Pacific/Pago_Pago".to_owned(), WEEK);
        let at = |text: &str| schedule.day(text.parse().unwrap());
        assert_eq!(at("2026-02-20T09:00:00Z"), day("2026-02-20"));
        // Kiritimati is a day ahead of Pago Pago: the 20th is a long day.
        assert_eq!(at("2026-02-20T12:00:00Z"), day("2026-02-20"));
        assert_eq!(at("2026-02-21T10:59:59Z"), day("2026-02-20"));
        assert_eq!(at("2026-02-21T11:00:00Z"), day("2026-02-21"));
        assert!(
            !schedule
                .calendar_on(day("2026-02-14"))
                .works(day("2026-02-14"))
        );
        assert!(
            schedule
                .calendar_on(day("2026-02-21"))
                .works(day("2026-02-21"))
        );
    }

    #[test]
    fn days_never_run_backwards() {
        let zones = [
            "UTC",
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "Europe/Berlin",
        ];
        for first in zones {
            for second in zones {
                let mut schedule = Schedule::new(first.to_owned(), WEEK);
                schedule.change(day("2026-02-21"), second.to_owned(), WEEK);
                let start: Timestamp = "2026-02-19T00:00:00Z".parse().unwrap();
                let days: Vec<_> = (0..96)
                    .map(|hour| schedule.day(start.saturating_add(hour * 3600)))
                    .collect();
                assert!(days.is_sorted(), "{first} to {second}");
            }
        }
    }

    #[test]
    fn a_change_before_it_began_is_replaced_and_all_of_it_reads_back() {
        let mut schedule = Schedule::new("UTC".to_owned(), WEEKDAYS);
        for zone in ["Europe/Berlin", "Europe/Lisbon"] {
            schedule.change(day("2026-02-21"), zone.to_owned(), WEEK);
        }
        assert_eq!(schedule.latest().time_zone, "Europe/Lisbon");
        let terms: Vec<Term> = schedule.clone().into();
        assert_eq!(terms.len(), 2);
        assert_eq!(Schedule::from(terms), schedule);
    }
}
