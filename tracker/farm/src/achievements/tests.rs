//! Tests of the badges.

use std::collections::BTreeSet;

use super::*;
use crate::catalogue::is_slug;

fn slugs(totals: &Totals) -> Vec<&'static str> {
    earned(totals).iter().map(|badge| badge.slug).collect()
}

#[test]
fn a_new_farm_has_no_badge() {
    let totals = Totals {
        level: 1,
        ..Totals::default()
    };
    assert!(earned(&totals).is_empty());
}

#[test]
fn badges_come_at_their_thresholds_in_a_fixed_order() {
    let mut totals = Totals {
        proofs: BTreeMap::from([(Category::Incident, 9)]),
        streak_days_longest: 4,
        level: 4,
        items_owned: 4,
    };
    assert_eq!(slugs(&totals), ["first-seed"]);
    totals.proofs.insert(Category::Incident, 10);
    totals.streak_days_longest = 5;
    totals.level = 5;
    totals.items_owned = 5;
    assert_eq!(
        slugs(&totals),
        [
            "first-seed",
            "calm-in-the-storm",
            "working-week",
            "smallholder",
            "builder"
        ]
    );
}

#[test]
fn mixed_farming_needs_every_category() {
    let mut totals = Totals {
        proofs: Category::ALL.iter().map(|c| (*c, 10)).collect(),
        ..Totals::default()
    };
    assert!(slugs(&totals).contains(&"mixed-farming"));
    totals.proofs.insert(Category::Toil, 9);
    assert!(!slugs(&totals).contains(&"mixed-farming"));
}

#[test]
fn slugs_are_unique_and_found() {
    let slugs: BTreeSet<_> = ALL.iter().map(|badge| badge.slug).collect();
    assert_eq!(slugs.len(), ALL.len());
    for badge in ALL {
        assert!(is_slug(badge.slug));
        assert_eq!(Achievement::find(badge.slug), Some(badge));
    }
    assert_eq!(Achievement::find("nobody"), None);
}
