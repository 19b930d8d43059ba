//! What people have put on the farm: house, buildings, fence, animals, ornaments.

use super::{Sprite, Thing, at_most};
use crate::{
    catalogue::{Catalogue, Item},
    state::FarmState,
};

pub(super) fn of(state: &FarmState) -> Vec<Thing> {
    let mut things = vec![at(88, 88, Sprite::House(house_stage(state.level)))];
    buildings(state, &mut things);
    beehives(state, &mut things);
    orchard(state, &mut things);
    ornaments(state, &mut things);
    animals(state, &mut things);
    streak(state, &mut things);
    things
}

fn at(x: i32, y: i32, sprite: Sprite) -> Thing {
    Thing { x, y, sprite }
}

/// A tent, a cabin, a cottage, a farmhouse, a grand farmhouse.
fn house_stage(level: u64) -> u8 {
    match level {
        0..=1 => 1,
        2..=3 => 2,
        4..=6 => 3,
        7..=9 => 4,
        _ => 5,
    }
}

/// The buildings of the catalogue: slug, place, highest level that looks different.
fn buildings(state: &FarmState, things: &mut Vec<Thing>) {
    type Make = fn(u8) -> Sprite;
    let slots: [(&str, i32, i32, u8, Make); 11] = [
        ("barn", 235, 78, 3, Sprite::Barn),
        ("silo", 318, 58, 3, Sprite::Silo),
        ("watchtower", 372, 52, 3, Sprite::Watchtower),
        ("root-cellar", 326, 132, 2, Sprite::RootCellar),
        ("windmill", 54, 250, 3, Sprite::Windmill),
        ("greenhouse", 84, 342, 3, Sprite::Greenhouse),
        ("well", 138, 254, 2, Sprite::Well),
        ("hen-house", 40, 148, 2, Sprite::HenHouse),
        ("dovecote", 166, 48, 2, Sprite::Dovecote),
        ("duck-pond", 80, 448, 2, Sprite::Pond),
        ("scarecrow", 355, 292, 2, Sprite::Scarecrow),
    ];
    for (slug, x, y, max, sprite) in slots {
        let level = at_most(state.upgrade_level(slug), max);
        if level > 0 {
            things.push(at(x, y, sprite(level)));
        }
    }
    let tractor = at_most(state.upgrade_level("tractor"), 2);
    if tractor > 0 {
        things.push(at(356, 430, Sprite::Tractor(tractor)));
    }
}

fn beehives(state: &FarmState, things: &mut Vec<Thing>) {
    let hives = [
        (372, 92),
        (394, 92),
        (372, 114),
        (394, 114),
        (372, 136),
        (394, 136),
    ];
    let count = 2 * usize::from(at_most(state.upgrade_level("beehives"), 3));
    things.extend(
        hives
            .iter()
            .take(count)
            .map(|(x, y)| at(*x, *y, Sprite::Beehive)),
    );
}

fn orchard(state: &FarmState, things: &mut Vec<Thing>) {
    let level = at_most(state.upgrade_level("orchard"), 3);
    for row in 0..i32::from(level.min(2) + u8::from(level == 3)) {
        for column in 0..3 {
            let (x, y) = (412 + 42 * column, 34 + 44 * row);
            things.push(at(x, y, Sprite::FruitTree(level)));
        }
    }
}

/// New farms get a rope between posts on their own; better makes are bought.
pub(super) fn fence(state: &FarmState) -> u8 {
    at_most(state.upgrade_level("fence"), 3).max(u8::from(state.level >= 2))
}

/// Whether the farm has that item and this is the time of the year to see it.
pub(super) fn in_season(state: &FarmState, slug: &str) -> bool {
    let season = Catalogue::builtin().item(slug).and_then(Item::season);
    state.upgrade_level(slug) > 0 && season.is_none_or(|season| season == state.season)
}

fn ornaments(state: &FarmState, things: &mut Vec<Thing>) {
    let lanterns = [
        (180, 180),
        (180, 296),
        (356, 180),
        (180, 404),
        (500, 180),
        (345, 500),
    ];
    let lit = 3 * usize::from(at_most(state.upgrade_level("lanterns"), 2));
    things.extend(
        lanterns
            .iter()
            .take(lit)
            .map(|(x, y)| at(*x, *y, Sprite::Lantern)),
    );
    let beds = [
        (132, 118),
        (44, 132),
        (218, 152),
        (146, 202),
        (292, 154),
        (128, 316),
    ];
    let planted = 3 * usize::from(at_most(state.upgrade_level("flower-beds"), 2));
    things.extend(
        beds.iter()
            .zip(0_u8..)
            .take(planted)
            .map(|((x, y), i)| at(*x, *y, Sprite::Flowers(i))),
    );
    for (slug, x, y, sprite) in [
        ("garden-gnome", 112, 172, Sprite::Gnome),
        ("picnic-blanket", 432, 148, Sprite::Picnic),
        ("snow-farmer", 256, 152, Sprite::SnowFarmer),
        ("maypole", 256, 152, Sprite::Maypole),
        ("harvest-cart", 256, 150, Sprite::HarvestCart),
    ] {
        if in_season(state, slug) {
            things.push(at(x, y, sprite));
        }
    }
}

/// Animals move in as the farm grows.
fn animals(state: &FarmState, things: &mut Vec<Thing>) {
    if state.upgrade_level("hen-house") > 0 {
        let hens = [(70, 156), (52, 180), (92, 168), (30, 186)];
        let count = 1 + at_most(state.level / 3, 3);
        things.extend(
            hens.iter()
                .zip(0..count)
                .map(|((x, y), i)| at(*x, *y, Sprite::Chicken(i % 2))),
        );
    }
    if state.upgrade_level("duck-pond") > 0 {
        things.push(at(70, 456, Sprite::Duck(0)));
        things.push(at(94, 440, Sprite::Duck(1)));
        if state.level >= 6 {
            things.push(at(98, 466, Sprite::Duck(0)));
        }
    }
    let grazing = [
        (5, 476, 150, Sprite::Sheep(0)),
        (6, 498, 134, Sprite::Sheep(1)),
        (8, 500, 158, Sprite::Sheep(0)),
        (9, 144, 396, Sprite::Cow),
        (12, 150, 446, Sprite::Cow),
    ];
    things.extend(
        grazing
            .iter()
            .filter(|(level, ..)| state.level >= *level)
            .map(|(_, x, y, sprite)| at(*x, *y, *sprite)),
    );
}

/// A flag that climbs with the streak, and a fire that grows with it.
fn streak(state: &FarmState, things: &mut Vec<Thing>) {
    let (flag, fire) = match state.streak_days {
        0 => return,
        1..=2 => (1, 1),
        3..=6 => (2, 1),
        7..=19 => (3, 2),
        _ => (4, 3),
    };
    things.push(at(40, 40, Sprite::Flag(flag)));
    things.push(at(158, 130, Sprite::Brazier(fire)));
}
