//! Bakery, smithy, observatory and lighthouse: what a grown farm builds.

use std::fmt::Write;

use super::{
    pen::{At, Data, Pen},
    solid::{Block, Ridge, Roof, coat},
};

pub(super) fn bakery(pen: &mut Pen<'_>, level: u8) {
    let grow = i32::from(level) - 1;
    let h = 32 + 5 * grow;
    let walls = Block::around(60, 56, 0, h);
    pen.shadow(&walls, 34);
    pen.block(&walls, coat("#f2e3c6", "#f6e9d0", "#d9c6a3"));
    pen.plinth(&walls, 5);
    pen.on_left("#8a5a34", walls.y1 + 1, (-22, -8), (0, 24));
    pen.on_left("#c98d52", walls.y1 + 1, (-20, -10), (2, 22));
    pen.on_left("#8a5a34", walls.y1 + 1, (0, 24), (9, 25));
    pen.on_left("#5b4438", walls.y1 + 1, (2, 22), (11, 23));
    // Loaves in the window.
    let mut loaves = Data::default();
    for x in [6, 12, 18] {
        loaves.dot(At(x, walls.y1 + 2, 13).screen());
    }
    pen.dots("#d9963f", 5, &loaves);
    pen.on_right("#5b4438", walls.x1 + 1, (-10, 10), (12, 26));
    pen.on_right("#f6e1a0", walls.x1 + 1, (-8, 8), (14, 24));
    pen.light(At(12, walls.y1, 17).screen(), 7);
    let clay = coat("#c8643a", "#a04a28", "#8a3f22");
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 26 + 2 * grow,
            eave: 6,
            coat: clay,
            gable: "#e6d3ae",
        },
    );
    let flue = Block::around(14, 14, h + 8, h + 42 + 4 * grow).moved(16, -6);
    pen.block(&flue, coat("#6b6660", "#b98265", "#96664d"));
    pen.boards(&flue, 6, "#6a463460", false);
    if level >= 2 {
        let (x, y) = At(16, -6, h + 46 + 4 * grow).screen();
        pen.path(
            "#ffffff70",
            &format!("M{x} {y}q-12-8 0-18t-4-22q20 8 12 22t0 18z"),
        );
    }
    if level >= 3 {
        awning(pen, walls.y1 + 1);
    }
}

/// A striped awning over the window.
fn awning(pen: &mut Pen<'_>, y: i32) {
    for (nth, fill) in ["#e8685a", "#fff3df", "#e8685a", "#fff3df", "#e8685a"]
        .into_iter()
        .zip(0..)
        .map(|(fill, nth)| (nth, fill))
    {
        let x = -1 + 5 * nth;
        pen.face(
            fill,
            &[
                At(x, y, 29),
                At(x + 5, y, 29),
                At(x + 5, y + 10, 22),
                At(x, y + 10, 22),
            ],
        );
    }
}

pub(super) fn smithy(pen: &mut Pen<'_>, level: u8) {
    let grow = i32::from(level) - 1;
    let h = 28 + 4 * grow;
    let walls = Block::around(60, 40, 0, h).moved(0, -10);
    pen.shadow(&walls, 28);
    pen.block(&walls, coat("#8b857c", "#a39d93", "#7a746b"));
    let mut joints = Data::default();
    for z in [7, 14, 21] {
        joints.line(At(walls.x0, walls.y1, z), At(walls.x1, walls.y1, z));
        joints.line(At(walls.x1, walls.y1, z), At(walls.x1, walls.y0, z));
    }
    pen.stroke("#5f5a5360", 1, joints.as_str());
    // The open front, and the fire in it.
    pen.on_left("#3a3230", walls.y1 + 1, (-20, 12), (0, 22));
    pen.on_left("#e8632a", walls.y1 + 1, (-14, 0), (3, 13));
    pen.on_left("#ffcf6b", walls.y1 + 1, (-10, -4), (3, 9));
    pen.light(At(-7, walls.y1, 8).screen(), 9);
    let slate = coat("#5d6470", "#474d58", "#3b404a");
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 20 + 2 * grow,
            eave: 5,
            coat: slate,
            gable: "#8f887d",
        },
    );
    let flue = Block::around(16, 16, h, h + 38 + 4 * grow).moved(-16, -14);
    pen.block(&flue, coat("#4a4644", "#8d867c", "#6a645b"));
    // The anvil in front.
    let (x, y) = At(12, 22, 0).screen();
    pen.path("#1d2b3a30", &format!("M{} {}h26l8-4h-26z", x - 10, y + 4));
    pen.path("#6b4a30", &format!("M{} {}h14v10h-14z", x - 7, y - 6));
    pen.path(
        "#5a6068",
        &format!(
            "M{} {}q8 0 10 3h16v5h-8l-2 4h-8l-2-4q-6-2-6-8z",
            x - 14,
            y - 16
        ),
    );
    if level >= 2 {
        let rack = Block::around(4, 30, 0, 22).moved(26, 16);
        pen.block(&rack, coat("#a97c4d", "#a97c4d", "#8a623b"));
    }
    if level >= 3 {
        let (x, y) = At(26, 20, 24).screen();
        pen.stroke(
            "#4d545c",
            3,
            &format!("M{} {y}v-12m8 8v-14m8 10v-12", x - 8),
        );
    }
}

pub(super) fn observatory(pen: &mut Pen<'_>, level: u8) {
    let h = 26 + 7 * i32::from(level);
    pen.path("#1d2b3a30", "M-20 4L46-16q16 4 8 12L8 14z");
    pen.cylinder(26, (0, 6), coat("#9d978d", "#aaa49a", "#847e76"));
    pen.cylinder(23, (6, h), coat("#e6e1d6", "#f0ebe1", "#cbc4b6"));
    pen.path("#6b4a30", "M-17 3q5 4 11 5v-20q-6-1-11-5z");
    let mut windows = Data::default();
    let mut z = 22;
    while z < h - 6 {
        windows.at((6, -z + 4), "h5v9h-5z");
        z += 15;
    }
    pen.path("#41506a", windows.as_str());
    pen.light((9, -22), 5);
    // The dome with its slit, and what looks out of it.
    pen.path(
        "#8fa9b8",
        &format!("M-25-{h}q0-30 25-31q25 1 25 31q-25 13-50 0z"),
    );
    pen.path(
        "#6d8797",
        &format!("M6-{}q19 4 19 31q-8 4-17 6q8-20-2-37z", h + 31),
    );
    pen.path(
        "#2c3a4c",
        &format!("M-12-{}q8-6 14-5q-4 14-3 33q-7 0-12-2q-2-16 1-26z", h + 25),
    );
    let (x, y) = (-8, -(h + 16));
    pen.stroke("#d9b25a", 5, &format!("M{x} {y}l-16-12"));
    pen.stroke("#b98f39", 7, &format!("M{} {}l-4-3", x - 15, y - 11));
    if level >= 2 {
        pen.stroke("#f0ebe1", 2, &format!("M-24-{}q24 12 48 0", h - 1));
        pen.path("#d9b25a", &format!("M-2-{}h4v8h-4z", h + 39));
    }
    if level >= 3 {
        pen.stroke("#7c8a92", 2, &format!("M20-{}v-26m-7 4q7 8 14 0", h + 4));
    }
    if pen.palette.snow {
        pen.path("#f6fafc", &format!("M4-{}q15 3 18 22q-8-7-18-6z", h + 31));
    }
}

pub(super) fn lighthouse(pen: &mut Pen<'_>, level: u8) {
    let h = 84 + 20 * i32::from(level);
    pen.path("#1d2b3a30", "M-18 5L70-28q14 4 6 12L10 14z");
    pen.cylinder(26, (0, 7), coat("#9d978d", "#aaa49a", "#847e76"));
    let top = h - 20;
    // A tower that narrows, in four bands.
    let half = |z: i32| 20 - 8 * z / h;
    for (band, fill, shade) in [
        (0, "#d9483b", "#a8352b"),
        (1, "#f7f2e8", "#d2c9b8"),
        (2, "#d9483b", "#a8352b"),
        (3, "#f7f2e8", "#d2c9b8"),
    ] {
        let (z0, z1) = (7 + (top - 7) * band / 4, 7 + (top - 7) * (band + 1) / 4);
        let (a, b) = (half(z0), half(z1));
        pen.path(
            fill,
            &format!(
                "M-{a}-{z0}L-{b}-{z1}q{b} {b} {} 0L{a}-{z0}q-{a} {a}-{} 0z",
                2 * b,
                2 * a
            ),
        );
        pen.path(
            shade,
            &format!(
                "M{}-{z0}L{}-{z1}q6 0 {} -3L{a}-{z0}q-6 5-{} 8z",
                a / 3,
                b / 3,
                b - b / 3,
                a - a / 3
            ),
        );
    }
    pen.path("#5b4438", "M-12 2q5 3 10 4v-18q-6-1-10-4z");
    // Gallery, lantern and cap.
    pen.path("#3b404a", &format!("M-17-{top}q17 10 34 0v5q-17 10-34 0z"));
    pen.path("#ffe7a3", &format!("M-9-{}h18v16q-9 5-18 0z", top + 14));
    pen.stroke(
        "#3b404a",
        2,
        &format!("M-9-{}v16m9-14v17m9-19v16", top + 14),
    );
    pen.path(
        "#a8352b",
        &format!("M-12-{}q12-20 24 0q-12 6-24 0z", top + 14),
    );
    pen.ellipse("#f0c24e", (0, -(top + 27)), 3, 3);
    pen.light((0, -(top + 7)), 13);
    if level >= 2 {
        beam(pen, top + 7);
    }
}

/// The light's two arms, `height` above the foot: brightest near the lantern.
fn beam(pen: &mut Pen<'_>, height: i32) {
    let (x, y) = (pen.foot().0, pen.foot().1 - height);
    let mut arms = String::new();
    for length in [60, 110, 160, 210] {
        let (wide, round) = (length / 6, length / 12);
        // The end is an arc, so that it fades rather than stops. Writing to a String cannot fail.
        let _ = write!(
            arms,
            "<path fill=\"#fff2c018\" d=\"M8-5L{length}-{wide}q{round} {wide} 0 {0}L8 5zM-8-5L-{length}-{wide}q-{round} {wide} 0 {0}L-8 5z\"/>",
            2 * wide
        );
    }
    pen.shine(&format!("<g transform=\"translate({x} {y})\">{arms}</g>"));
}
