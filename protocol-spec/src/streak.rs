//! Streaks: consecutive working days with finished work, in the farmer's own time zone.
//!
//! A day that the farmer does not work is neutral: it neither adds to a streak nor breaks it
//! (`SCO-STREAK-002`). A freeze takes the place of a working day without work (`SCO-FREEZE-001`).
//! Nothing depends on the hour.

mod outage;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::outage::{OUTAGE_SECONDS, Silent, excused};
use crate::{field::FieldError, scoring::Freezes, time::Timestamp};

/// The longest gap that a streak outlives, in days: longer than any leave (`SCO-STREAK-004`). It also
/// bounds how many days are ever looked at, whatever was marked as rest or lost to outages.
pub const GAP_DAYS_MAX: i32 = 1_000;

/// The farmer's days: a time zone and the days of the week that count.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: jiff::tz::TimeZone,
    /// Monday first.
    working_days: [bool; 7],
}

/// What the farmer's days are like: the calendar, and what is known beside it.
pub trait Days {
    /// The calendar that counts on `day`.
    fn calendar_on(&self, day: Date) -> &Calendar;

    /// Whether the farmer marked `day` as one of rest: it is like a day that she never works.
    fn rests(&self, day: Date) -> bool {
        let _ = day;
        false
    }

    /// Whether nobody can say what was done on `day`: a lack of work on it ends nothing.
    fn excused(&self, day: Date) -> bool {
        let _ = day;
        false
    }
}

/// Days of which nothing is known beside the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a>(pub &'a Calendar);

impl Days for Plain<'_> {
    fn calendar_on(&self, _: Date) -> &Calendar {
        self.0
    }
}

/// Everything that a streak is counted by.
#[derive(Clone, Copy)]
pub struct Rhythm<'a> {
    /// What the farmer's days are like.
    pub days: &'a dyn Days,
    /// How a missed day is forgiven.
    pub freezes: Freezes,
}

/// How long the farmer has kept going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Streak {
    /// Working days in a row with finished work.
    pub days: u32,
    /// The last day that counted, in the farmer's time zone.
    pub last_day: Option<Date>,
    /// Freezes that were used and have not come back.
    pub freezes_used: u32,
    /// Days with work since a freeze was used or came back.
    pub recharged_days: u32,
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
        let moment =
            jiff::Timestamp::from_second(moment.second()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        self.zone.to_datetime(moment).date()
    }

    /// Whether `day` is one that the farmer works.
    pub fn works(&self, day: Date) -> bool {
        let index = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.working_days[index % 7]
    }
}

impl Rhythm<'_> {
    /// Whether work on `day` counts towards a streak.
    pub fn counts(&self, day: Date) -> bool {
        self.days.calendar_on(day).works(day) && !self.days.rests(day)
    }

    /// Days strictly between `earlier` and `later` on which work was missed, counted up to `enough`.
    ///
    /// Past [`GAP_DAYS_MAX`] it is always `enough`, so it never looks at more days than those.
    fn missed(&self, earlier: Date, later: Date, enough: u32) -> u32 {
        let gap = earlier.until(later).map_or(i32::MAX, |gap| gap.get_days());
        if gap > GAP_DAYS_MAX {
            return enough;
        }
        let (mut day, mut missed) = (earlier, 0);
        while missed < enough {
            day = day.tomorrow().unwrap_or(Date::MAX);
            if day >= later {
                break;
            }
            let counts = self.counts(day) && self.days.calendar_on(day).has(day);
            if counts && !self.days.excused(day) {
                missed += 1;
            }
        }
        missed
    }
}

impl Streak {
    /// The streak after finished work on `day` (`SCO-STREAK-001`).
    ///
    /// Work on a day off, and work that arrives late for a day already past, change nothing.
    #[must_use]
    pub fn after_work_on(self, day: Date, rhythm: &Rhythm<'_>) -> Self {
        if self.last_day.is_some_and(|last| day <= last) || !rhythm.counts(day) {
            return self;
        }
        let held = self.held(rhythm);
        let missed = self.missed_until(day, rhythm);
        let kept = self.last_day.is_some() && missed <= held;
        let used = missed.min(held);
        let next = Self {
            days: if kept { self.days.saturating_add(1) } else { 1 },
            last_day: Some(day),
            // Rules that allow fewer than before may have left more in use than there are.
            freezes_used: self
                .freezes_used
                .saturating_add(used)
                .min(rhythm.freezes.held_max),
            recharged_days: if used > 0 { 0 } else { self.recharged_days },
        };
        next.recharged(rhythm.freezes)
    }

    /// The days that still stand on `today`: none once more working days have passed without work than
    /// there are freezes.
    pub fn days_on(self, today: Date, rhythm: &Rhythm<'_>) -> u32 {
        if self.last_day.is_some() && self.missed_until(today, rhythm) <= self.held(rhythm) {
            self.days
        } else {
            0
        }
    }

    /// The freezes that are left on `today`.
    pub fn freezes_on(self, today: Date, rhythm: &Rhythm<'_>) -> u32 {
        self.held(rhythm)
            .saturating_sub(self.missed_until(today, rhythm))
    }

    /// The streak after work on each of `days`, which come in order, and the longest on the way: what is
    /// left when some work no longer counts.
    pub fn over(days: impl IntoIterator<Item = Date>, rhythm: &Rhythm<'_>) -> (Self, u32) {
        let start = (Self::default(), 0);
        days.into_iter().fold(start, |(streak, longest), day| {
            let next = streak.after_work_on(day, rhythm);
            (next, longest.max(next.days))
        })
    }

    fn held(self, rhythm: &Rhythm<'_>) -> u32 {
        rhythm.freezes.held_max.saturating_sub(self.freezes_used)
    }

    /// Missed days before `day`; one more than there are freezes stands for any greater number.
    fn missed_until(self, day: Date, rhythm: &Rhythm<'_>) -> u32 {
        let enough = self.held(rhythm).saturating_add(1);
        self.last_day
            .map_or(0, |last| rhythm.missed(last, day, enough))
    }

    /// One more day of work brings a used freeze nearer.
    fn recharged(self, freezes: Freezes) -> Self {
        if self.freezes_used == 0 {
            return Self {
                recharged_days: 0,
                ..self
            };
        }
        let recharged_days = self.recharged_days.saturating_add(1);
        if recharged_days >= freezes.recharge_days {
            return Self {
                freezes_used: self.freezes_used - 1,
                recharged_days: 0,
                ..self
            };
        }
        Self {
            recharged_days,
            ..self
        }
    }
}
