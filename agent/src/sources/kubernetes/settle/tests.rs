//! Flapping, waiting and going on after a restart.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn told(state: &mut State, steps: &[(i64, &str)], settle: i64) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for (now, fields) in steps {
        let change = match *fields {
            "tick" => state.ripen(*now, settle),
            fields => state.see(fields.to_owned(), *now, settle),
        };
        told.extend(change.map(|change| (change.before.fields, change.after.fields)));
    }
    told
}

#[test]
fn without_a_wait_every_change_counts_at_once() {
    let mut state = State::first("a".to_owned(), 0);
    let told = told(&mut state, &[(1, "a"), (2, "b"), (2, "c"), (3, "c")], 0);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(told, [pair("a", "b"), pair("b", "c")]);
}

#[test]
fn what_is_undone_in_time_is_not_told() {
    let mut state = State::first("a".to_owned(), 0);
    let steps = [
        (10, "b"),
        (14, "a"),
        (15, "b"),
        (19, "tick"),
        (20, "a"),
        (99, "tick"),
    ];
    assert_eq!(told(&mut state, &steps, 5), []);
    assert_eq!(state, State::first("a".to_owned(), 0));
}

#[test]
fn what_stays_is_told_once_with_the_moment_it_was_first_seen() {
    let mut state = State::first("a".to_owned(), 3);
    assert_eq!(state.see("b".to_owned(), 10, 5), None);
    assert_eq!(state.see("b".to_owned(), 13, 5), None);
    assert_eq!(state.ripen(15, 5), None);
    let change = state.ripen(16, 5).unwrap();
    assert_eq!((change.before.since, change.after.since), (3, 10));
    assert_eq!(state.ripen(17, 5), None);
    assert_eq!(state.see("b".to_owned(), 18, 5), None);
}

#[test]
fn an_interrupted_candidate_starts_again() {
    let mut state = State::first("a".to_owned(), 0);
    state.see("b".to_owned(), 10, 5);
    state.lose_sight();
    assert_eq!(state.ripen(99, 5), None);
    assert_eq!(state.see("b".to_owned(), 100, 5), None);
    assert_eq!(state.ripen(106, 5).unwrap().after.since, 100);
}

proptest! {
    /// With a look every second, exactly the runs of one value that stay are told, each once and in a chain.
    #[test]
    fn exactly_the_runs_that_stay_are_told(
        values in prop::collection::vec(0_u8..3, 1..80),
        settle in 0_i64..6,
        restart_at in 0_usize..80,
    ) {
        let mut state = State::first(values[0].to_string(), 0);
        let mut changes = Vec::new();
        for (second, value) in values.iter().enumerate() {
            if second == restart_at {
                // All there is to know is in the state.
                state = State { settled: state.settled.clone(), candidate: state.candidate.clone() };
            }
            let now = i64::try_from(second).unwrap();
            if second > 0 && values[second - 1] == *value {
                changes.extend(state.ripen(now, settle));
            }
            changes.extend(state.see(value.to_string(), now, settle));
        }
        let wait = if settle > 0 { usize::try_from(settle).unwrap() + 1 } else { 0 };
        let mut expected = Vec::new();
        let (mut current, mut start) = (values[0], 0);
        for (second, value) in values.iter().enumerate() {
            if second > 0 && values[second - 1] != *value {
                start = second;
            }
            if *value != current && second - start >= wait {
                expected.push((current.to_string(), value.to_string(), start));
                current = *value;
            }
        }
        let told: Vec<_> = changes
            .iter()
            .map(|c| (c.before.fields.clone(), c.after.fields.clone(), usize::try_from(c.after.since).unwrap()))
            .collect();
        prop_assert_eq!(told, expected);
        for pair in changes.windows(2) {
            prop_assert_eq!(&pair[0].after, &pair[1].before);
        }
    }
}
