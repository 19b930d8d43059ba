//! Tests of arranging: what holds for every wish.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::btree_map, prelude::*};

use super::*;
use crate::grid;

fn everything() -> Vec<Owned> {
    Catalogue::builtin()
        .items()
        .iter()
        .map(|item| Owned {
            slug: item.slug.clone(),
            level: item.level_max(),
        })
        .collect()
}

fn owned(slug: &str, level: u64) -> Owned {
    Owned {
        slug: slug.to_owned(),
        level,
    }
}

fn piece(text: &str) -> Instance {
    text.parse().unwrap()
}

/// What no arrangement may break.
pub(crate) fn check(arrangement: &Arrangement, owned: &[Owned], farm_level: u64) {
    let mut ground = BTreeSet::new();
    for placed in arrangement.placed() {
        for cell in placed.footprint.cells(placed.cell) {
            assert!(cell.x < grid::side(farm_level) && cell.y < grid::side(farm_level));
            assert!(!cell.is_reserved(), "{} on {cell:?}", placed.instance);
            assert!(ground.insert(cell), "{} over another", placed.instance);
        }
    }
    let placed = arrangement.placed().iter().map(|p| p.instance.clone());
    let shed = arrangement.shed().iter().map(|s| s.instance.clone());
    let mut there: Vec<Instance> = placed.chain(shed).collect();
    let mut expected: Vec<Instance> = pieces(owned).into_iter().map(|p| p.instance).collect();
    there.sort();
    expected.sort();
    assert_eq!(
        there, expected,
        "each piece once, and none that is not owned"
    );
}

#[test]
fn everything_has_a_usual_place_of_its_own_from_the_level_it_is_sold_at() {
    for item in Catalogue::builtin().items() {
        let Some(stands) = &item.stands else {
            continue;
        };
        let [width, depth] = stands.size;
        for [x, y] in &stands.at {
            let ground = Ground::new(item.farm_level);
            let cell = Cell { x: *x, y: *y };
            assert!(
                ground.has_room(cell, Footprint { width, depth }),
                "{} at {x}, {y}",
                item.slug
            );
        }
    }
    let usual = Arrangement::usual(&everything(), 20);
    check(&usual, &everything(), 20);
    assert!(usual.shed().is_empty());
    for piece in pieces(&everything()) {
        assert_eq!(usual.find(&piece.instance).unwrap().cell, piece.usual);
    }
}

#[test]
fn of_two_that_want_the_same_ground_the_other_comes_as_near_as_can_be() {
    let have = [owned("well", 1), owned("dovecote", 1)];
    let wish = |first: &'static str| {
        Arrangement::of(&have, 9, move |instance| Wish {
            spot: Spot::At(Cell { x: 10, y: 2 }, u64::from(instance.item != first)),
            name: None,
        })
    };
    for first in ["well", "dovecote"] {
        let arrangement = wish(first);
        check(&arrangement, &have, 9);
        for placed in arrangement.placed() {
            let expected = if placed.instance.item == first {
                Cell { x: 10, y: 2 }
            } else {
                Cell { x: 10, y: 0 }
            };
            assert_eq!(placed.cell, expected, "{}", placed.instance);
        }
    }
}

#[test]
fn a_smaller_ground_moves_what_no_longer_fits_and_stores_what_finds_no_room() {
    let far = Cell { x: 20, y: 0 };
    let have = [owned("sundial", 1)];
    let shrunk = Arrangement::of(&have, 1, |_| Wish {
        spot: Spot::At(far, 0),
        name: None,
    });
    check(&shrunk, &have, 1);
    assert_eq!(shrunk.placed().first().unwrap().cell, Cell { x: 15, y: 0 });
    let crowded = Arrangement::usual(&everything(), 1);
    check(&crowded, &everything(), 1);
    assert!(!crowded.shed().is_empty());
}

#[test]
fn names_of_pieces_are_written_in_one_way() {
    for bad in [
        "", "barn", "barn.", "barn.0", "barn.01", "barn.+1", "barn.256", ".1", "Barn.1", "barn.1.1",
    ] {
        assert_eq!(bad.parse::<Instance>(), Err(NotAnInstance), "{bad}");
    }
    assert_eq!(piece("hen-house.2").to_string(), "hen-house.2");
}

#[test]
fn a_published_arrangement_has_these_bytes() {
    let have = [owned("barn", 2), owned("well", 1), owned("silo", 1)];
    let arrangement = Arrangement::of(&have, 6, |instance| match instance.item.as_str() {
        "barn" => Wish {
            spot: Spot::At(Cell { x: 9, y: 0 }, 0),
            name: Some("Old Red".to_owned()),
        },
        "silo" => Wish {
            spot: Spot::Shed,
            name: None,
        },
        _ => Wish::default(),
    });
    assert_eq!(
        String::from_utf8(arrangement.to_json()).unwrap(),
        r#"{"names":{"barn.1":"Old Red"},"places":{"barn.1":[9,0],"well.1":[4,10]},"shed":["silo.1"],"version":1}"#
    );
}

#[test]
fn a_strangers_arrangement_is_refused_or_put_right() {
    let have = [owned("barn", 1)];
    let read = |json: &str| Arrangement::from_json(json.as_bytes(), &have, 9);
    for bad in [
        "[]",
        "{}",
        r#"{"version":2}"#,
        r#"{"version":1,"extra":1}"#,
        r#"{"version":1,"places":{"barn.1":[300,0]}}"#,
        r#"{"version":1,"places":{"barn.1":[1.5,0]}}"#,
        r#"{"version":1,"places":{"barn":[1,0]}}"#,
        r#"{"version":1,"places":{"barn.1":[1,0],"barn.1":[2,0]}}"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
    let long = format!(
        r#"{{"version":1,"names":{{"barn.1":"{}"}}}}"#,
        "x".repeat(41)
    );
    assert!(read(&long).is_err());
    let greedy = r#"{"version":1,"places":{"barn.1":[255,255],"barn.2":[9,0],"castle.1":[0,0]},"names":{"barn.1":"a\u202eb"}}"#;
    let put_right = read(greedy).unwrap();
    check(&put_right, &have, 9);
    assert_eq!(put_right.placed().len(), 1);
    assert_eq!(put_right.placed().first().unwrap().name, None);
}

fn any_owned() -> impl Strategy<Value = Vec<Owned>> {
    let slugs: Vec<String> = Catalogue::builtin()
        .items()
        .iter()
        .map(|item| item.slug.clone())
        .collect();
    btree_map(prop::sample::select(slugs), 1..5_u64, 0..41).prop_map(|map| {
        map.into_iter()
            .map(|(slug, level)| Owned { slug, level })
            .collect()
    })
}

fn any_spot() -> impl Strategy<Value = Spot> {
    prop_oneof![
        1 => Just(Spot::Usual),
        1 => Just(Spot::Shed),
        6 => (0..24_u8, 0..24_u8, 0..9_u64).prop_map(|(x, y, rank)| Spot::At(Cell { x, y }, rank)),
        1 => any::<(u8, u8)>().prop_map(|(x, y)| Spot::At(Cell { x, y }, 0)),
    ]
}

proptest! {
    #[test]
    fn no_wish_breaks_an_arrangement(
        have in any_owned(),
        farm_level in 0..12_u64,
        spots in prop::collection::vec(any_spot(), 80),
        names in prop::collection::vec(any::<Option<String>>(), 80),
    ) {
        let mut wishes: BTreeMap<Instance, Wish> = pieces(&have)
            .into_iter()
            .map(|piece| piece.instance)
            .zip(spots.into_iter().zip(names).map(|(spot, name)| Wish { spot, name }))
            .collect();
        let arrangement = Arrangement::of(&have, farm_level, |i| wishes.remove(i).unwrap_or_default());
        check(&arrangement, &have, farm_level);
        let json = arrangement.to_json();
        prop_assert!(json.len() <= ARRANGEMENT_BYTES_MAX);
        prop_assert_eq!(Arrangement::from_json(&json, &have, farm_level), Ok(arrangement));
    }
}
