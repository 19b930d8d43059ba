//! What was there before, and what grows by itself: trees, bushes, rocks, stumps, grass.

use super::{Sprite, Thing, at_most, scatter::roll};
use crate::{arrangement::Arrangement, grid::CELL, state::FarmState};

pub(super) fn of(state: &FarmState, arrangement: &Arrangement, seed: u64) -> Vec<Thing> {
    let mut things = Vec::new();
    trees(state, seed, &mut things);
    wilderness(state, seed, &mut things);
    grass(seed, &mut things);
    things.retain(|thing| has_room(thing, arrangement));
    things
}

/// What grows by itself gives way to what people put there: a tree by a cell all around, the rest by
/// less.
fn has_room(thing: &Thing, arrangement: &Arrangement) -> bool {
    let around = match thing.sprite {
        Sprite::Oak(_) | Sprite::Conifer(_) => 14,
        Sprite::Tuft(_) => 0,
        _ => 6,
    };
    arrangement.placed().iter().all(|placed| {
        let (left, top) = placed.cell.corner();
        let reach = |from: i32, cells: u8| from - around..from + CELL * i32::from(cells) + around;
        !(reach(left, placed.footprint.width).contains(&thing.x)
            && reach(top, placed.footprint.depth).contains(&thing.y))
    })
}

/// Trees stand along the two far edges, more of them and taller ones with each level.
fn trees(state: &FarmState, seed: u64, things: &mut Vec<Thing>) {
    let far = [
        (28, 30, true),
        (130, 28, false),
        (28, 96, false),
        (196, 30, true),
        (28, 196, true),
        (286, 26, false),
        (26, 270, false),
        (342, 28, true),
        (26, 336, true),
        (500, 26, true),
        (24, 504, false),
        (60, 26, true),
        (26, 60, true),
        (26, 240, true),
        (160, 26, true),
        (256, 26, true),
        (392, 26, false),
        (456, 26, true),
        (30, 420, true),
        (60, 508, true),
    ];
    let grown = at_most(state.level, 12);
    let count = 5 + usize::from(grown) * 5 / 4;
    for ((x, y, conifer), index) in far.into_iter().zip(0_u64..).take(count) {
        let size = 7 + grown / 4 + at_most(u64::from(roll(seed, index, 3).unsigned_abs()), 2);
        let sprite = if conifer {
            Sprite::Conifer(size)
        } else {
            Sprite::Oak(size)
        };
        things.push(Thing::at(x, y, sprite));
    }
}

/// Rocks and stumps, cleared away bit by bit, give room to bushes.
fn wilderness(state: &FarmState, seed: u64, things: &mut Vec<Thing>) {
    let rough = [
        (236, 232),
        (430, 250),
        (250, 470),
        (452, 446),
        (412, 336),
        (262, 352),
        (300, 206),
        (482, 470),
        (222, 430),
        (466, 220),
        (210, 372),
        (496, 360),
    ];
    let categories = super::plots::of(state);
    for ((x, y), index) in rough.into_iter().zip(0_u64..) {
        let ploughed = categories.iter().any(|plot| {
            plot.stage > 0
                && (plot.x - 8..=plot.x + plot.width + 8).contains(&x)
                && (plot.y - 8..=plot.y + plot.depth + 8).contains(&y)
        });
        if !ploughed {
            let sprite = match roll(seed, 100 + index, 5) {
                0 | 1 => Sprite::Rock(1),
                2 => Sprite::Rock(2),
                3 => Sprite::Stump,
                _ => Sprite::Bush(7),
            };
            things.push(Thing::at(x, y, sprite));
        }
    }
    let bushes = [
        (500, 114),
        (120, 508),
        (206, 293),
        (505, 293),
        (150, 226),
        (300, 404),
        (420, 404),
        (500, 86),
    ];
    let count = usize::from(at_most(state.level, 8));
    things.extend(
        bushes
            .iter()
            .zip(0_u64..)
            .take(count)
            .map(|((x, y), index)| {
                let more = at_most(u64::from(roll(seed, 200 + index, 3).unsigned_abs()), 2);
                Thing::at(*x, *y, Sprite::Bush(5 + more))
            }),
    );
}

/// Tufts of grass and wild flowers off the paths and fields.
fn grass(seed: u64, things: &mut Vec<Thing>) {
    for index in 0..28_u64 {
        let along = 20 + roll(seed, 300 + index, 490);
        let across = 20 + roll(seed, 400 + index, 140);
        let (x, y) = match index % 4 {
            0 | 1 => (along, across),
            2 => (across, along),
            // The strip before the front edges.
            _ if index % 8 == 3 => (along, 512),
            _ => (512, along),
        };
        let kind = at_most(u64::from(roll(seed, 500 + index, 5).unsigned_abs()), 4);
        things.push(Thing::at(x, y, Sprite::Tuft(kind)));
    }
}
