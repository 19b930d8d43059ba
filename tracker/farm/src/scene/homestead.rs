//! What people have put on the farm: house, what was bought, fence, animals.

use super::{Piece, Sprite, Thing, at_most, looks};
use crate::{
    arrangement::{Arrangement, Placed},
    catalogue::{Catalogue, Item},
    grid::Cell,
    state::FarmState,
};

/// Things of the homestead, and the pieces among them that the owner can move.
pub(super) fn of(state: &FarmState, arrangement: &Arrangement) -> (Vec<Thing>, Vec<Piece>) {
    let mut things = vec![Thing::at(88, 88, Sprite::House(house_stage(state.level)))];
    let mut pieces = Vec::new();
    for placed in arrangement.placed() {
        if let Some(piece) = piece(state, placed) {
            let (x, y) = placed.footprint.centre(placed.cell);
            things.push(Thing {
                x,
                y,
                sprite: piece.sprite,
                piece: Some(pieces.len()),
            });
            company(state, &piece, (x, y), &mut things);
            pieces.push(piece);
        }
    }
    herd(state, arrangement, &mut things);
    streak(state, &mut things);
    (things, pieces)
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

/// The piece as it is seen now; seasonal things are seen in their season.
fn piece(state: &FarmState, placed: &Placed) -> Option<Piece> {
    let slug = placed.instance.item.as_str();
    let level = state.upgrade_level(slug);
    let item = Catalogue::builtin().item(slug)?;
    if !in_season(state, slug) {
        return None;
    }
    Some(Piece {
        instance: placed.instance.clone(),
        cell: placed.cell,
        footprint: placed.footprint,
        label: label(item, placed, level),
        sprite: looks::of(slug, level, placed.instance.nth)?,
    })
}

/// What a piece is called: `Old Red (Barn, level 2)`, `Beehives 3, level 2`.
fn label(item: &Item, placed: &Placed, level: u64) -> String {
    let mut label = item.name.clone();
    if item.pieces(level) > 1 {
        label = format!("{label} {}", placed.instance.nth);
    }
    if item.level_max() > 1 {
        label = format!("{label}, level {}", level.min(item.level_max()));
    }
    match &placed.name {
        Some(name) => format!("{name} ({label})"),
        None => label,
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

/// Hens and ducks move in beside what is theirs, more of them as the farm grows.
fn company(state: &FarmState, piece: &Piece, (x, y): (i32, i32), things: &mut Vec<Thing>) {
    let mut join = |dx: i32, dy: i32, sprite| things.push(Thing::at(x + dx, y + dy, sprite));
    match piece.sprite {
        Sprite::HenHouse(_) => {
            let hens = [(30, 8), (12, 32), (32, 26), (-12, 34)];
            let count = 1 + at_most(state.level / 3, 3);
            for ((dx, dy), nth) in hens.into_iter().zip(0..count) {
                join(dx, dy, Sprite::Chicken(nth % 2));
            }
        }
        Sprite::Pond(_) => {
            join(-10, 8, Sprite::Duck(0));
            join(14, -8, Sprite::Duck(1));
            if state.level >= 6 {
                join(18, 18, Sprite::Duck(0));
            }
        }
        _ => {}
    }
}

/// Sheep and cows graze where nothing stands.
fn herd(state: &FarmState, arrangement: &Arrangement, things: &mut Vec<Thing>) {
    let grazing = [
        (5, 476, 150, Sprite::Sheep(0)),
        (6, 498, 134, Sprite::Sheep(1)),
        (8, 500, 98, Sprite::Sheep(0)),
        (9, 144, 396, Sprite::Cow),
        (12, 140, 500, Sprite::Cow),
    ];
    let free = |x: i32, y: i32| Cell::under(x, y).is_none_or(|cell| arrangement.on(cell).is_none());
    things.extend(
        grazing
            .iter()
            .filter(|(level, x, y, _)| state.level >= *level && free(*x, *y))
            .map(|(_, x, y, sprite)| Thing::at(*x, *y, *sprite)),
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
    things.push(Thing::at(40, 40, Sprite::Flag(flag)));
    things.push(Thing::at(164, 120, Sprite::Brazier(fire)));
}
