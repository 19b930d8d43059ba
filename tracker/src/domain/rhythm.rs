//! The days by which a streak is counted: the calendar, days of rest, outages, freezes.

use std::collections::{BTreeMap, BTreeSet};

use farmops_protocol::{
    scoring::Freezes,
    streak::{Calendar, Days, Rhythm, Silent, excused},
    time::Timestamp,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::schedule::Schedule;

/// The time during which an agent was trusted, and when it was silent then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// When it was approved.
    pub from: Timestamp,
    /// When it was revoked.
    pub until: Option<Timestamp>,
    /// When it was not heard of, in order.
    pub silences: Vec<Silent>,
}

/// What is known of the farmer's days beside the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Days of rest to come and past.
    pub rest_days: BTreeSet<Date>,
    /// Every agent that was ever approved.
    pub watches: BTreeMap<Uuid, Watch>,
}

/// The same, by the farmer's calendars.
#[derive(Debug, Clone, Copy)]
pub struct KnownDays<'a> {
    schedule: &'a Schedule,
    known: &'a Known,
}

impl Known {
    /// The days by this schedule.
    pub const fn by<'a>(&'a self, schedule: &'a Schedule) -> KnownDays<'a> {
        KnownDays {
            schedule,
            known: self,
        }
    }
}

impl<'a> KnownDays<'a> {
    /// What a streak is counted by.
    pub fn rhythm(&'a self, freezes: Freezes) -> Rhythm<'a> {
        Rhythm {
            days: self,
            freezes,
        }
    }
}

impl Days for KnownDays<'_> {
    fn calendar_on(&self, day: Date) -> &Calendar {
        self.schedule.calendar_on(day)
    }

    fn rests(&self, day: Date) -> bool {
        self.known.rest_days.contains(&day)
    }

    fn excused(&self, day: Date) -> bool {
        let active = |watch: &&Watch| {
            self.schedule.day(watch.from) <= day
                && watch
                    .until
                    .is_none_or(|until| day <= self.schedule.day(until))
        };
        let watches = self.known.watches.values().filter(active);
        let calendar = self.calendar_on(day);
        excused(calendar, day, watches.map(|w| w.silences.as_slice()))
    }
}
