//! Laws of streaks.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use jiff::Span;
use proptest::prelude::*;

use super::*;

const NONE: Freezes = Freezes {
    held_max: 0,
    recharge_days: 1,
};

struct Known {
    calendar: Calendar,
    rest: BTreeSet<Date>,
    excused: BTreeSet<Date>,
}

impl Days for Known {
    fn calendar_on(&self, _: Date) -> &Calendar {
        &self.calendar
    }
    fn rests(&self, day: Date) -> bool {
        self.rest.contains(&day)
    }
    fn excused(&self, day: Date) -> bool {
        self.excused.contains(&day)
    }
}

fn date(offset: i32) -> Date {
    "2026-02-16".parse::<Date>().unwrap() + Span::new().days(offset)
}

#[test]
fn the_day_is_the_farmers_own() {
    let moment = "2026-02-20T23:30:00Z".parse().unwrap();
    let day = |zone: &str| {
        let calendar = Calendar::new(zone, [true; 7]).unwrap();
        calendar.day(moment).to_string()
    };
    assert_eq!(day("Europe/Berlin"), "2026-02-21");
    assert_eq!(day("America/Lima"), "2026-02-20");
    assert_eq!(
        Calendar::new("Mars/Olympus", [true; 7]).unwrap_err().field,
        "time_zone"
    );
    assert_eq!(
        Calendar::new("UTC", [false; 7]).unwrap_err().field,
        "working_days"
    );
}

#[test]
fn a_long_gap_is_counted_no_further_than_it_matters() {
    let calendar = Calendar::weekdays_utc();
    let rhythm = Rhythm {
        days: &Plain(&calendar),
        freezes: NONE,
    };
    let long_ago = Streak::default().after_work_on("0001-01-01".parse().unwrap(), &rhythm);
    assert_eq!(long_ago.days_on("9999-12-30".parse().unwrap(), &rhythm), 0);
}

#[test]
fn even_a_marked_leave_ends_a_streak_when_it_is_longer_than_any() {
    struct Leave(Calendar);
    impl Days for Leave {
        fn calendar_on(&self, _: Date) -> &Calendar {
            &self.0
        }
        fn rests(&self, day: Date) -> bool {
            day != date(0)
        }
    }
    let leave = Leave(Calendar::weekdays_utc());
    let rhythm = Rhythm {
        days: &leave,
        freezes: NONE,
    };
    let streak = Streak::default().after_work_on(date(0), &rhythm);
    assert_eq!(streak.days_on(date(GAP_DAYS_MAX), &rhythm), 1);
    assert_eq!(streak.days_on(date(GAP_DAYS_MAX + 1), &rhythm), 0);
}

#[test]
fn rules_with_fewer_freezes_forget_the_surplus_that_was_used() {
    let calendar = Calendar::weekdays_utc();
    let days = Plain(&calendar);
    let rhythm = |held_max| Rhythm {
        days: &days,
        freezes: Freezes {
            held_max,
            recharge_days: 2,
        },
    };
    // Monday, then Friday: three missed days, three freezes.
    let (streak, _) = Streak::over([date(0), date(4)], &rhythm(3));
    assert_eq!((streak.days, streak.freezes_used), (2, 3));
    let streak = streak.after_work_on(date(7), &rhythm(1));
    assert_eq!(
        (streak.days, streak.freezes_on(date(7), &rhythm(1))),
        (3, 1)
    );
}

#[test]
fn silences_that_overlap_count_once() {
    let calendar = Calendar::weekdays_utc();
    let silent = |from: &str, until: &str| Silent {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    };
    let silences = [
        silent("2026-02-16T06:00:00Z", "2026-02-16T13:00:00Z"),
        silent("2026-02-15T00:00:00Z", "2026-02-16T07:00:00Z"),
        silent("2026-02-16T08:00:00Z", "2026-02-16T09:00:00Z"),
        silent("2026-02-16T23:00:00Z", "2026-02-18T00:00:00Z"),
    ];
    assert_eq!(calendar.silent_seconds(date(0), &silences), 14 * 3600);
}

proptest! {
    /// What a freeze, a day of rest or an excuse forgives never makes a streak shorter.
    #[test]
    fn forgiveness_never_costs(
        worked in prop::collection::btree_set(0..120_i32, 1..100),
        rest in prop::collection::btree_set(0..120_i32, 0..20),
        excused in prop::collection::btree_set(0..120_i32, 0..20),
        held_max in 0..4_u32,
        recharge_days in 1..8_u32,
        today in 120..130_i32,
    ) {
        let calendar = Calendar::weekdays_utc();
        // A day of rest on which she worked all the same would not count.
        let rest: BTreeSet<_> = rest.difference(&worked).map(|&n| date(n)).collect();
        let excused = excused.iter().map(|&n| date(n)).collect();
        let known = Known { calendar: calendar.clone(), rest, excused };
        let strict = Rhythm { days: &Plain(&calendar), freezes: NONE };
        let kind = Rhythm { days: &known, freezes: Freezes { held_max, recharge_days } };
        let (mut a, mut b) = (Streak::default(), Streak::default());
        for &n in &worked {
            (a, b) = (a.after_work_on(date(n), &strict), b.after_work_on(date(n), &kind));
            prop_assert!(b.days >= a.days);
            prop_assert!(b.freezes_used <= held_max);
            if kind.counts(date(n)) {
                prop_assert_eq!(b.freezes_on(date(n), &kind), held_max - b.freezes_used);
            }
        }
        prop_assert!(b.days_on(date(today), &kind) >= a.days_on(date(today), &strict));
        // A second proof of a day, or a late one, changes nothing.
        for &n in &worked {
            prop_assert_eq!(b.after_work_on(date(n), &kind), b);
        }
        let (over, longest) = Streak::over(worked.iter().map(|&n| date(n)), &kind);
        prop_assert_eq!(over, b);
        prop_assert!(longest >= over.days);
    }

    /// No more working days are ever missed within a streak than freezes were there to use.
    #[test]
    fn a_streak_without_freezes_has_no_hole(worked in prop::collection::btree_set(0..60_i32, 1..60)) {
        let calendar = Calendar::weekdays_utc();
        let rhythm = Rhythm { days: &Plain(&calendar), freezes: NONE };
        let (streak, _) = Streak::over(worked.iter().map(|&n| date(n)), &rhythm);
        // Counted backwards, day by day, from the last one that counted.
        let mut expected = 0;
        let mut n = streak.last_day.map_or(-1, |last| last.since(date(0)).unwrap().get_days());
        while n >= 0 {
            if calendar.works(date(n)) {
                if !worked.contains(&n) { break }
                expected += 1;
            }
            n -= 1;
        }
        prop_assert_eq!(streak.days, expected);
    }
}
