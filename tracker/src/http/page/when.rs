//! Moments and days as the farmer reads them.

use farmops_protocol::time::Timestamp;
use jiff::{civil::Date, tz::TimeZone};

use crate::domain::Schedule;

/// A moment by the farmer's clock.
pub(super) struct When {
    /// For machines.
    pub(super) iso: String,
    /// For her.
    pub(super) text: String,
}

impl When {
    /// `moment` by the clock of the day it falls on.
    pub(super) fn new(schedule: &Schedule, moment: Timestamp) -> Self {
        let zone = &schedule.term_on(schedule.day(moment)).time_zone;
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let text = jiff::Timestamp::from_second(moment.second())
            .map(|at| at.to_zoned(zone).strftime("%-d %b %Y, %H:%M").to_string());
        Self {
            text: text.unwrap_or_else(|_| moment.to_string()),
            iso: moment.to_string(),
        }
    }
}

/// A day like `21 Feb 2026`.
pub(super) fn day(day: Date) -> String {
    day.strftime("%-d %b %Y").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_farmers_clock() {
        let schedule = Schedule::new("Europe/Berlin".into(), [true; 7]);
        let when = When::new(&schedule, "2026-02-21T23:30:00Z".parse().unwrap());
        assert_eq!(when.text, "22 Feb 2026, 00:30");
        assert_eq!(when.iso, "2026-02-21T23:30:00Z");
    }
}
