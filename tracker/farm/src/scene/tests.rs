//! Tests of the layout.

use super::*;
use crate::{catalogue::Owned, state::CategoryTotal};

#[test]
fn fields_grow_with_their_own_category() {
    let mut state = FarmState::new("Farm");
    state.categories = vec![CategoryTotal {
        category: Category::Toil,
        proofs: 9,
        coins: 1_000,
    }];
    let stages: Vec<_> = compose(&state)
        .plots
        .iter()
        .map(|plot| (plot.category, plot.stage))
        .collect();
    assert_eq!(
        stages,
        [
            (Category::Maintenance, 0),
            (Category::Toil, 4),
            (Category::Reliability, 0),
            (Category::Security, 0),
            (Category::Incident, 0),
            (Category::Upgrade, 0),
        ]
    );
}

#[test]
fn buildings_stand_once_bought_and_grow_to_their_highest_look() {
    let has = |level: u64| {
        let mut state = FarmState::new("Farm");
        state.upgrades = vec![Owned {
            slug: "windmill".to_owned(),
            level,
        }];
        compose(&state)
            .things
            .into_iter()
            .find_map(|thing| match thing.sprite {
                Sprite::Windmill(size) => Some(size),
                _ => None,
            })
    };
    assert_eq!(
        [has(0), has(1), has(3), has(u64::MAX)],
        [None, Some(1), Some(3), Some(3)]
    );
}

#[test]
fn seasonal_things_are_seen_in_their_season() {
    let mut state = FarmState::new("Farm");
    state.upgrades = vec![Owned {
        slug: "maypole".to_owned(),
        level: 1,
    }];
    let seen = |state: &FarmState| {
        compose(state)
            .things
            .iter()
            .any(|t| t.sprite == Sprite::Maypole)
    };
    state.season = Season::Spring;
    assert!(seen(&state));
    state.season = Season::Winter;
    assert!(!seen(&state));
}

#[test]
fn things_are_sorted_from_back_to_front_and_stand_on_the_land() {
    let mut state = FarmState::new("Farm");
    state.level = 12;
    let things = compose(&state).things;
    assert!(things.is_sorted_by_key(depth));
    assert!(
        things
            .iter()
            .all(|t| (0..SIDE).contains(&t.x) && (0..SIDE).contains(&t.y))
    );
}
