//! Every failure leads back to watching, and none to a tight loop.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn watching(resource_version: &str) -> Machine {
    let mut machine = Machine::new(Some(resource_version.to_owned()));
    machine.hear(News::Found, &mut rng());
    machine.hear(News::Allowed, &mut rng());
    let step = Step::Watch {
        resource_version: resource_version.to_owned(),
    };
    assert_eq!(*machine.step(), step);
    machine
}

/// How long it waits, and what it does then.
fn waited(machine: &mut Machine) -> (Duration, Step) {
    let Step::Wait(pause) = machine.step().clone() else {
        return (Duration::ZERO, machine.step().clone());
    };
    machine.hear(News::Waited, &mut rng());
    (pause, machine.step().clone())
}

fn list(limit: u32, next: Option<&str>) -> Step {
    let next = next.map(str::to_owned);
    Step::List { limit, next }
}

fn watch(resource_version: &str) -> Step {
    let resource_version = resource_version.to_owned();
    Step::Watch { resource_version }
}

fn failed(machine: &mut Machine, failure: Failure) -> (Duration, Step) {
    machine.hear(News::Failed(failure), &mut rng());
    waited(machine)
}

fn page(resource_version: &str, next: Option<&str>) -> News {
    News::Page {
        resource_version: resource_version.to_owned(),
        next: next.map(str::to_owned),
    }
}

#[test]
fn a_fresh_machine_lists_page_by_page_and_then_watches() {
    let mut machine = Machine::new(None);
    assert_eq!(*machine.step(), Step::Discover);
    machine.hear(News::Found, &mut rng());
    assert_eq!(*machine.step(), Step::Review);
    machine.hear(News::Allowed, &mut rng());
    assert_eq!(*machine.step(), list(50, None));
    machine.hear(page("7", Some("t")), &mut rng());
    assert_eq!(*machine.step(), list(50, Some("t")));
    machine.hear(page("7", None), &mut rng());
    assert_eq!(*machine.step(), watch("7"));
    machine.hear(News::Heard("9".to_owned()), &mut rng());
    machine.hear(News::Closed(Duration::from_secs(1)), &mut rng());
    assert_eq!(*machine.step(), watch("9"));
}

#[test]
fn a_forgotten_version_means_a_new_list_and_not_a_storm_of_them() {
    let mut machine = watching("7");
    machine.hear(News::Heard("8".to_owned()), &mut rng());
    assert_eq!(
        failed(&mut machine, Failure::Gone),
        (Duration::ZERO, list(50, None))
    );
    machine.hear(page("9", None), &mut rng());
    let (pause, step) = failed(&mut machine, Failure::Gone);
    assert!(pause > Duration::ZERO);
    assert_eq!(step, list(50, None));
}

#[test]
fn a_token_that_expires_in_the_middle_starts_the_list_again() {
    let mut machine = Machine::new(None);
    machine.hear(News::Found, &mut rng());
    machine.hear(News::Allowed, &mut rng());
    machine.hear(page("7", Some("t")), &mut rng());
    let (pause, step) = failed(&mut machine, Failure::Gone);
    assert!(pause > Duration::ZERO);
    assert_eq!(step, list(50, None));
}

#[test]
fn the_server_says_how_long_to_wait_within_reason() {
    let mut machine = watching("7");
    let after = |seconds| Failure::Throttled(Some(Duration::from_secs(seconds)));
    assert_eq!(
        failed(&mut machine, after(17)),
        (Duration::from_secs(17), watch("7"))
    );
    assert_eq!(failed(&mut machine, after(1_000_000)).0, RETRY_AFTER_MAX);
    assert!(failed(&mut machine, Failure::Throttled(None)).0 > Duration::ZERO);
}

#[test]
fn a_lost_right_is_asked_for_until_it_is_back() {
    let mut machine = watching("7");
    assert_eq!(failed(&mut machine, Failure::Forbidden).1, Step::Review);
    for _ in 0..9 {
        machine.hear(News::Denied, &mut rng());
        let (pause, step) = waited(&mut machine);
        assert!((Duration::from_secs(2)..=Duration::from_mins(1)).contains(&pause));
        assert_eq!(step, Step::Review);
    }
    machine.hear(News::Allowed, &mut rng());
    assert_eq!(*machine.step(), watch("7"));
}

#[test]
fn a_resource_that_went_away_is_looked_for() {
    let mut machine = watching("7");
    assert_eq!(failed(&mut machine, Failure::NotFound).1, Step::Discover);
    machine.hear(News::Absent, &mut rng());
    assert_eq!(waited(&mut machine), (ABSENT_PAUSE, Step::Discover));
    machine.hear(News::Found, &mut rng());
    machine.hear(News::Allowed, &mut rng());
    assert_eq!(*machine.step(), list(50, None));
}

#[test]
fn what_cannot_be_read_twice_is_gone_around() {
    let mut machine = watching("7");
    assert_eq!(failed(&mut machine, Failure::Malformed).1, watch("7"));
    assert_eq!(failed(&mut machine, Failure::Malformed).1, list(50, None));
    let mut machine = watching("7");
    failed(&mut machine, Failure::Malformed);
    machine.hear(News::Heard("8".to_owned()), &mut rng());
    assert_eq!(failed(&mut machine, Failure::Malformed).1, watch("8"));
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_halves() {
    let mut machine = Machine::new(None);
    machine.hear(News::Found, &mut rng());
    machine.hear(News::Allowed, &mut rng());
    machine.hear(page("7", Some("t")), &mut rng());
    for limit in [25, 12, 6, 3, 1, 1] {
        assert_eq!(
            failed(&mut machine, Failure::TooLarge).1,
            list(limit, Some("t"))
        );
    }
}

#[test]
fn a_watch_that_ends_at_once_is_not_opened_in_a_tight_loop() {
    let mut machine = watching("7");
    machine.hear(News::Closed(Duration::from_millis(3)), &mut rng());
    let (pause, step) = waited(&mut machine);
    assert!(pause > Duration::ZERO);
    assert_eq!(step, watch("7"));
    machine.hear(News::Closed(Duration::from_mins(5)), &mut rng());
    assert_eq!(waited(&mut machine), (Duration::ZERO, watch("7")));
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::Gone),
        (0_u64..400).prop_map(|s| Failure::Throttled(Some(Duration::from_secs(s)))),
        Just(Failure::Throttled(None)),
        Just(Failure::Forbidden),
        Just(Failure::NotFound),
        Just(Failure::Unavailable),
        Just(Failure::Silent),
        Just(Failure::Malformed),
        Just(Failure::TooLarge),
    ]
}

proptest! {
    /// Whatever fails, a server that is well again is watched within a few steps, after a full list if the place was lost.
    #[test]
    fn a_server_that_is_well_again_is_watched(failures in prop::collection::vec(failure(), 0..40)) {
        let mut rng = rng();
        let mut machine = Machine::new(Some("7".to_owned()));
        for failure in &failures {
            let waits = matches!(machine.step(), Step::Wait(_));
            machine.hear(if waits { News::Waited } else { News::Failed(*failure) }, &mut rng);
        }
        for _ in 0..8 {
            let news = match machine.step() {
                Step::Discover => News::Found,
                Step::Review => News::Allowed,
                Step::List { .. } => page("100", None),
                Step::Wait(_) => News::Waited,
                Step::Watch { .. } => break,
            };
            machine.hear(news, &mut rng);
        }
        prop_assert!(matches!(machine.step(), Step::Watch { .. }), "{machine:?}");
    }
}
