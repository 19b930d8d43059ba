//! Outages: days of which no agent could tell.

use jiff::civil::Date;

use super::Calendar;
use crate::time::Timestamp;

/// How much of a day an agent must have been silent, in seconds: half of a usual one (`SCO-OUTAGE-001`).
pub const OUTAGE_SECONDS: i64 = 12 * 3600;

/// When an agent was silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Calendar {
    /// The first second of `day` and the first one after it. A day may have 23 or 25 hours, or begin
    /// at one o'clock; one that the zone left out is empty.
    fn bounds(&self, day: Date) -> Option<(i64, i64)> {
        let start = |day: Date| {
            let zoned = day.to_zoned(self.zone.clone()).ok()?;
            Some(zoned.timestamp().as_second())
        };
        Some((start(day)?, start(day.tomorrow().ok()?)?))
    }

    /// Whether the zone has `day` at all: Samoa had no 30 December 2011.
    pub(super) fn has(&self, day: Date) -> bool {
        self.bounds(day).is_none_or(|(start, end)| start < end)
    }

    /// Seconds of `day` during which an agent was silent; what two of them tell counts once.
    pub fn silent_seconds(&self, day: Date, silences: &[Silent]) -> i64 {
        let Some((start, end)) = self.bounds(day) else {
            return 0;
        };
        let mut spans: Vec<(i64, i64)> = silences
            .iter()
            .map(|silent| {
                (
                    silent.from.second().max(start),
                    silent.until.second().min(end),
                )
            })
            .filter(|(from, until)| from < until)
            .collect();
        spans.sort_unstable();
        let none = (0, start);
        let (seconds, _) = spans.iter().fold(none, |(seconds, told), &(from, until)| {
            (seconds + (until - from.max(told)).max(0), told.max(until))
        });
        seconds
    }
}

/// Whether nobody can say what was done on `day`: there were agents, and each was silent for half of it
/// (`SCO-OUTAGE-001`). Each item is the silences of one agent that was active on that day.
pub fn excused<'a>(
    calendar: &Calendar,
    day: Date,
    active: impl IntoIterator<Item = &'a [Silent]>,
) -> bool {
    let mut agents = active.into_iter().peekable();
    agents.peek().is_some()
        && agents.all(|silences| calendar.silent_seconds(day, silences) >= OUTAGE_SECONDS)
}
