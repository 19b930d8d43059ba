//! Tests of the badges.

use std::collections::BTreeSet;

use super::*;
use crate::catalogue::is_slug;

fn slugs(totals: &Totals) -> Vec<&'static str> {
    earned(totals).iter().map(|badge| badge.slug).collect()
}

fn have(slugs: &[&str]) -> Vec<Owned> {
    slugs
        .iter()
        .map(|slug| Owned {
            slug: (*slug).to_owned(),
            level: 1,
        })
        .collect()
}

#[test]
fn collections_are_complete_or_not_at_all() {
    let badges = |list: &[&str]| {
        let totals = Totals {
            owned: have(list),
            ..Totals::default()
        };
        slugs(&totals)
    };
    assert_eq!(badges(&["windmill", "silo"]), [""; 0]);
    assert_eq!(badges(&["windmill", "silo", "bakery"]), ["daily-bread"]);
    let year = ["sledge", "maypole", "deck-chair", "harvest-cart"];
    assert!(badges(&year).contains(&"four-seasons"));
    assert!(
        !badges(&["sledge", "snow-farmer", "deck-chair", "harvest-cart"]).contains(&"four-seasons")
    );
    let single = ["bench", "sundial", "sledge", "maypole", "fountain"];
    assert!(badges(&single).contains(&"well-finished"));
}

#[test]
fn composites_count_each_time() {
    let badges = |composites| {
        slugs(&Totals {
            composites,
            ..Totals::default()
        })
    };
    assert_eq!(badges(1), ["in-good-order"]);
    assert_eq!(badges(25), ["in-good-order", "clockwork"]);
}

#[test]
fn every_collection_is_in_the_catalogue_and_everything_earns_all_of_them() {
    let everything: Vec<_> = Catalogue::builtin()
        .items()
        .iter()
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: item.level_max(),
        })
        .collect();
    let totals = Totals {
        proofs: Category::ALL.iter().map(|c| (*c, 10_000)).collect(),
        streak_days_longest: 250,
        level: 30,
        owned: everything,
        composites: 25,
    };
    assert_eq!(earned(&totals).len(), ALL.len());
}

#[test]
fn each_is_explained_in_one_sentence() {
    for badge in ALL {
        let text = badge.description;
        assert!(text.ends_with('.') && !text.contains(". "), "{text}");
        assert!(text.len() <= 80 && badge.name.len() <= 30, "{text}");
    }
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
        owned: have(&["barn", "well", "fence", "space-lift"]),
        ..Totals::default()
    };
    assert_eq!(slugs(&totals), ["first-seed"]);
    totals.proofs.insert(Category::Incident, 10);
    totals.streak_days_longest = 5;
    totals.level = 5;
    totals.owned = have(&["barn", "well", "fence", "bench", "sundial"]);
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
