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
            (1_500..=2_500).contains(&boost),
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
    Catalogue::parse(&format!("{{\"version\":1,\"items\":[{items}]}}")).unwrap_err()
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

#[test]
fn the_file_keeps_to_its_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../catalogue.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../catalogue.json")).unwrap();
    let faults: Vec<_> = validator
        .iter_errors(&file)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    for (pointer, wrong) in [
        ("/items/0/prices", serde_json::json!([])),
        ("/items/0/kind", serde_json::json!("weapon")),
        ("/items/0/stands/size", serde_json::json!([1])),
        ("/version", serde_json::json!(0)),
    ] {
        let mut broken = file.clone();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&broken), "{pointer}");
    }
}

/// The version must grow, and this digest be written down, when the file changes.
#[test]
fn this_edition_is_the_one_that_its_version_names() {
    let catalogue = Catalogue::builtin();
    insta::assert_snapshot!(format!("{} {}", catalogue.version(), catalogue.digest()));
}

#[test]
fn boosts_never_reach_the_cap_of_scoring() {
    let most = farmops_protocol::scoring::ONE_BP + BOOST_BP_MAX;
    assert!(most < farmops_protocol::scoring::FACTOR_BP_MAX);
    let item = |n: u32| {
        let rest = format!("\"prices\":[1,2],\"requires\":[],\"boosts_bp\":{{\"toil\":{n}}}");
        format!("{{\"version\":1,\"items\":[{}]}}", item("mill", &rest))
    };
    assert!(Catalogue::parse(&item(BOOST_BP_MAX / 2)).is_ok());
    let error = Catalogue::parse(&item(BOOST_BP_MAX / 2 + 1)).unwrap_err();
    assert!(matches!(
        error,
        CatalogueError::Boosts {
            category: Category::Toil,
            sum: 5_002
        }
    ));
}

#[test]
fn pieces_that_do_not_fit_are_refused() {
    for stands in [
        r#"{"size":[1,1],"pieces":[1,1],"at":[[0,1]]}"#,
        r#"{"size":[1,1],"pieces":[2],"at":[[0,1]]}"#,
        r#"{"size":[0,1],"pieces":[1],"at":[[0,1]]}"#,
        r#"{"size":[2,1],"pieces":[1],"at":[[21,1]]}"#,
        r#"{"size":[1,1],"pieces":[0],"at":[]}"#,
    ] {
        let rest = format!("\"prices\":[1],\"requires\":[],\"stands\":{stands}");
        assert!(
            matches!(with(&item("barn", &rest)), CatalogueError::Stands(_)),
            "{stands}"
        );
    }
}
