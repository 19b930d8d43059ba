//! Streaks: consecutive working days with finished work, in the farmer's own time zone.
//!
//! A day that the farmer does not work is neutral: it neither adds to a streak nor breaks it
//! (`SCO-STREAK-002`). Nothing depends on the hour.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{field::FieldError, time::Timestamp};

/// The farmer's days: a time zone and the days of the week that count.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: jiff::tz::TimeZone,
    /// Monday first.
    working_days: [bool; 7],
}

/// How long the farmer has kept going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Streak {
    /// Working days in a row with finished work.
    pub days: u32,
    /// The last day that counted, in the farmer's time zone.
    pub last_day: Option<Date>,
}

impl Calendar {
    /// The calendar of an IANA time zone (`Europe/Berlin`) and seven flags, Monday first.
    ///
    /// # Errors
    /// A [`FieldError`] naming `time_zone` when there is no such zone, or `working_days` when none is set.
    pub fn new(time_zone: &str, working_days: [bool; 7]) -> Result<Self, FieldError> {
        let zone = jiff::tz::TimeZone::get(time_zone).map_err(|_| {
            FieldError::new("time_zone", "expected an IANA time zone like Europe/Berlin")
        })?;
        if working_days.contains(&true) {
            Ok(Self { zone, working_days })
        } else {
            Err(FieldError::new(
                "working_days",
                "at least one day of the week must be a working day",
            ))
        }
    }

    /// Monday to Friday in UTC.
    pub fn weekdays_utc() -> Self {
        Self {
            zone: jiff::tz::TimeZone::UTC,
            working_days: [true, true, true, true, true, false, false],
        }
    }

    /// The farmer's day at `moment`.
    pub fn day(&self, moment: Timestamp) -> Date {
        // `Timestamp` spans the years 0000 to 9999 and jiff's −9999 to 9999, so the conversion holds;
        // the epoch stands in for what cannot happen.
        jiff::Timestamp::from_second(moment.second())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(self.zone.clone())
            .date()
    }

    /// Whether `day` is one that the farmer works.
    pub fn works(&self, day: Date) -> bool {
        let index = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.working_days[index % 7]
    }

    /// Whether a working day lies strictly between `earlier` and `later`.
    fn misses_a_day(&self, earlier: Date, later: Date) -> bool {
        // Any eight days in a row hold a working day, so looking further changes nothing.
        let mut day = earlier;
        for _ in 0..8 {
            day = day.tomorrow().unwrap_or(Date::MAX);
            if day >= later {
                return false;
            }
            if self.works(day) {
                return true;
            }
        }
        true
    }
}

impl Streak {
    /// The streak after finished work on `day` (`SCO-STREAK-001`).
    ///
    /// Work on a day off, and work that arrives late for a day already past, change nothing.
    #[must_use]
    pub fn after_work_on(self, day: Date, calendar: &Calendar) -> Self {
        if !calendar.works(day) || self.last_day.is_some_and(|last| day <= last) {
            return self;
        }
        let kept = self
            .last_day
            .is_some_and(|last| !calendar.misses_a_day(last, day));
        Self {
            days: if kept { self.days.saturating_add(1) } else { 1 },
            last_day: Some(day),
        }
    }

    /// The days that still stand on `today`: none once a working day has passed without work.
    pub fn days_on(self, today: Date, calendar: &Calendar) -> u32 {
        match self.last_day {
            Some(last) if last >= today || !calendar.misses_a_day(last, today) => self.days,
            _ => 0,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn after(calendar: &Calendar, days: &[&str]) -> Streak {
        days.iter().fold(Streak::default(), |s, d| {
            s.after_work_on(d.parse().unwrap(), calendar)
        })
    }

    #[test]
    fn a_weekend_is_neutral_and_a_missed_monday_is_not() {
        let calendar = Calendar::weekdays_utc();
        // 2026-02-20 is a Friday.
        assert_eq!(
            after(&calendar, &["2026-02-19", "2026-02-20", "2026-02-23"]).days,
            3
        );
        assert_eq!(
            after(&calendar, &["2026-02-20", "2026-02-21", "2026-02-23"]).days,
            2
        );
        assert_eq!(after(&calendar, &["2026-02-20", "2026-02-24"]).days, 1);
        let friday = after(&calendar, &["2026-02-19", "2026-02-20"]);
        assert_eq!(friday.days_on("2026-02-23".parse().unwrap(), &calendar), 2);
        assert_eq!(friday.days_on("2026-02-24".parse().unwrap(), &calendar), 0);
    }

    #[test]
    fn the_day_is_the_farmers_own() {
        let moment = "2026-02-20T23:30:00Z".parse().unwrap();
        let week = [true; 7];
        assert_eq!(
            Calendar::new("Europe/Berlin", week)
                .unwrap()
                .day(moment)
                .to_string(),
            "2026-02-21"
        );
        assert_eq!(
            Calendar::new("America/Lima", week)
                .unwrap()
                .day(moment)
                .to_string(),
            "2026-02-20"
        );
        assert_eq!(
            Calendar::new("Mars/Olympus", week).unwrap_err().field,
            "time_zone"
        );
    }
}
