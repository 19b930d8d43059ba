//! What runs around the farm: rope, rails or a wall. Its back is drawn before everything that stands on
//! the farm and its front after, so it needs no sorting.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};
use crate::scene::SIDE;

/// Distance from the edge of the land.
const MARGIN: i32 = 10;
/// Distance between two posts.
const STEP: i32 = 42;
/// Where the path leaves the farm.
const GATE: (i32, i32) = (336, 374);

pub(super) fn back(pen: &mut Pen<'_>, make: u8) {
    if make >= 2 {
        pen.standing(0, 0, 10, |pen| {
            run(
                pen,
                make,
                (MARGIN, SIDE - MARGIN),
                |i, z| At(i, MARGIN, z),
                true,
            );
            run(
                pen,
                make,
                (MARGIN, SIDE - MARGIN),
                |i, z| At(MARGIN, i, z),
                false,
            );
        });
    }
}

pub(super) fn front(pen: &mut Pen<'_>, make: u8) {
    if make >= 1 {
        let far = SIDE - MARGIN;
        pen.standing(0, 0, 10, |pen| {
            run(pen, make, (MARGIN, GATE.0), |i, z| At(i, far, z), true);
            run(pen, make, (GATE.1, far), |i, z| At(i, far, z), true);
            run(pen, make, (MARGIN, far), |i, z| At(far, i, z), false);
        });
    }
}

/// A straight run of fence; `at` places what is `i` along it and `z` high. Runs that face left are lit.
fn run(
    pen: &mut Pen<'_>,
    make: u8,
    (start, end): (i32, i32),
    at: impl Fn(i32, i32) -> At,
    lit: bool,
) {
    if make >= 3 {
        return wall(pen, (start, end), &at);
    }
    if make == 2 {
        let mut rails = Data::default();
        for z in [7, 15] {
            rails.face(&[at(start, z), at(end, z), at(end, z + 4), at(start, z + 4)]);
        }
        pen.path(if lit { "#c99c69" } else { "#a97c4d" }, rails.as_str());
    } else {
        let mut rope = Data::default();
        rope.line(at(start, 13), at(end, 13));
        pen.stroke("#d9c59a", 2, rope.as_str());
    }
    let (step, height) = if make == 2 {
        (STEP / 2, 20)
    } else {
        (STEP, 15)
    };
    let mut posts = Data::default();
    let mut i = start;
    while i <= end {
        let (x, y) = at(i, 0).screen();
        posts.at((x - 3, y), &format!("v-{height}l3-3 3 3v{height}z"));
        i += step;
    }
    pen.path(if lit { "#b5854f" } else { "#8a623b" }, posts.as_str());
}

fn wall(pen: &mut Pen<'_>, (start, end): (i32, i32), at: &impl Fn(i32, i32) -> At) {
    let (high, course) = (16, 5);
    let (from, to) = (at(start, 0), at(end, 0));
    let block = Block {
        x0: from.0.min(to.0) - 4,
        y0: from.1.min(to.1) - 4,
        x1: from.0.max(to.0) + 4,
        y1: from.1.max(to.1) + 4,
        z0: 0,
        z1: high,
    };
    let top = if pen.palette.snow {
        "#f6fafc"
    } else {
        "#cfcac1"
    };
    pen.block(&block, coat(top, "#b3ada3", "#8b857c"));
    // The joints lie on the face in view, which is four units nearer than the middle of the wall.
    let face = |i: i32, z: i32| {
        let At(x, y, z) = at(i, z);
        if from.1 == to.1 {
            At(x, y + 4, z)
        } else {
            At(x + 4, y, z)
        }
    };
    let mut joints = Data::default();
    for (row, z) in [(0, 0), (1, course), (2, 2 * course)] {
        if row > 0 {
            joints.line(face(start, z), face(end, z));
        }
        let mut i = start + 12 + row % 2 * 9;
        while i < end {
            let (x, y) = face(i, z + course).screen();
            joints.at((x, y), "v5");
            i += 28;
        }
    }
    pen.stroke("#6a645b70", 1, joints.as_str());
}
