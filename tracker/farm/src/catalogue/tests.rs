//! Tests of the catalogue: the one we ship, and those that must not be accepted.

#![allow(clippy::unwrap_used)]

use super::*;

fn owned(slug: &str, level: u64) -> Owned {
    Owned {
        slug: slug.to_owned(),
        level,
    }
}

#[test]
fn the_builtin_catalogue_holds_every_kind_and_boosts_every_category() {
    let catalogue = Catalogue::builtin();
    for kind in [Kind::Building, Kind::Upgrade, Kind::Cosmetic] {
        assert!(catalogue.items().iter().any(|i| i.kind == kind), "{kind:?}");
    }
    for season in Season::ALL {
        assert!(
            catalogue.items().iter().any(|i| i.season() == Some(season)),
            "nothing is sold in {season:?}"
        );
    }
    let everything: Vec<_> = catalogue
        .items()
        .iter()
        .map(|i| owned(&i.slug, i.level_max()))
        .collect();
    for category in Category::ALL {
        let boost = catalogue.upgrade_boost_bp(*category, &everything);
        assert!(
            (500..=2_000).contains(&boost),
            "{}: {boost} bp is out of balance",
            category.as_str()
        );
    }
}

#[test]
fn later_levels_never_cost_less() {
    for item in Catalogue::builtin().items() {
        assert!(item.prices.is_sorted(), "{}", item.slug);
        assert_eq!(item.price_after(0), item.prices.first().copied());
        assert_eq!(item.price_after(item.level_max()), None);
    }
}

#[test]
fn boosts_add_up_by_level_and_stop_at_the_highest() {
    let catalogue = Catalogue::builtin();
    let boost = |owned: &[Owned]| catalogue.upgrade_boost_bp(Category::Maintenance, owned);
    assert_eq!(boost(&[]), 0);
    assert_eq!(boost(&[owned("barn", 2)]), 400);
    assert_eq!(boost(&[owned("barn", 2), owned("silo", 1)]), 500);
    assert_eq!(boost(&[owned("barn", u64::MAX)]), 600);
    assert_eq!(boost(&[owned("barn", 1), owned("barn", 2)]), 400);
    assert_eq!(boost(&[owned("space-lift", 9)]), 0);
}

fn with(items: &str) -> CatalogueError {
    Catalogue::parse(&format!("{{\"items\":[{items}]}}")).unwrap_err()
}

fn item(slug: &str, rest: &str) -> String {
    format!(
        "{{\"slug\":\"{slug}\",\"kind\":\"building\",\"name\":\"N\",\"description\":\"D\",\"farm_level\":1,{rest}}}"
    )
}

#[test]
fn broken_catalogues_are_refused() {
    let plain = r#""prices":[1],"requires":[]"#;
    let twice = format!("{0},{0}", item("barn", plain));
    assert!(matches!(with(&twice), CatalogueError::Duplicate(s) if s == "barn"));
    let bad = item("Barn!", plain);
    assert!(matches!(with(&bad), CatalogueError::Slug(_)));
    for prices in ["[]", "[0]", "[5,0]"] {
        let free = item("barn", &format!("\"prices\":{prices},\"requires\":[]"));
        assert!(matches!(with(&free), CatalogueError::Price(_)), "{prices}");
    }
    for prices in ["[1.5]", "[-1]", "[\"1\"]"] {
        let broken = item("barn", &format!("\"prices\":{prices},\"requires\":[]"));
        assert!(matches!(with(&broken), CatalogueError::Form(_)), "{prices}");
    }
    let lonely = item("barn", r#""prices":[1],"requires":["moat"]"#);
    assert!(matches!(
        with(&lonely),
        CatalogueError::UnknownPrerequisite { prerequisite, .. } if prerequisite == "moat"
    ));
    let circle = [("a", "b"), ("b", "c"), ("c", "a")]
        .map(|(slug, next)| item(slug, &format!("\"prices\":[1],\"requires\":[\"{next}\"]")))
        .join(",");
    assert!(matches!(with(&circle), CatalogueError::Cycle(_)));
    let quarter = item("barn", r#""prices":[1],"requires":[],"quarter":2"#);
    assert!(matches!(with(&quarter), CatalogueError::Quarter(_)));
    let gain = item(
        "hat",
        r#""prices":[1],"requires":[],"boosts_bp":{"toil":1}"#,
    )
    .replace("building", "cosmetic");
    assert!(matches!(with(&gain), CatalogueError::BoostOfCosmetic(_)));
}
