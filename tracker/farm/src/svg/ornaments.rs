//! Lights, flag and what is there for joy.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};

const SHADOW: &str = "#1d2b3a30";

pub(super) fn lantern(pen: &mut Pen<'_>) {
    pen.again("lantern", (0, 0), |pen| {
        pen.ellipse(SHADOW, (4, 0), 9, 3);
        pen.path("#4a4440", "M-4 1q4 2 8 0l-2-4v-35h-4v35z");
        pen.path("#3a3532", "M-8-52h16l-8-8zM-6-38h12l-2 3h-8z");
        pen.path("#ffdf8c", "M-6-51h12l-1 13h-10z");
        pen.path("#fff6d6", "M-3-50h4v10h-4z");
    });
    pen.light((0, -45), 8);
}

/// The streak's flag on its mast.
pub(super) fn flag(pen: &mut Pen<'_>, height: u8) {
    let h = 84 + 16 * i32::from(height);
    pen.path(SHADOW, "M0 2l60-16 4 4L4 5z");
    pen.path("#f4efe6", &format!("M-3 0v-{h}h5V0z"));
    pen.path("#b9b0a2", &format!("M0 0v-{h}h2V0z"));
    pen.ellipse("#f0c24e", (0, -h - 3), 5, 5);
    let top = 3 - h;
    let colours = ["#5d9ac0", "#4f9a5b", "#e6801f", "#d9483b"];
    let fill = colours[usize::from(height.clamp(1, 4)) - 1];
    pen.path(
        fill,
        &format!("M2 {top}q14-7 28 0t28 0v30q-14 7-28 0t-28 0z"),
    );
    pen.path("#ffffff40", &format!("M2 {top}q14-7 28 0v30q-14-7-28 0z"));
    pen.path(
        "#ffffffe0",
        &format!("M25 {}q-5-8 5-15q0 5 5 8q4 9-5 12q-6 0-5-5z", top + 21),
    );
}

/// The streak's fire.
pub(super) fn brazier(pen: &mut Pen<'_>, size: u8) {
    let s = i32::from(size);
    pen.ellipse(SHADOW, (5, 1), 17, 6);
    pen.path("#6b6660", "M-12 0l4-10h16l4 10h-4l-3-6h-10l-3 6z");
    pen.path("#4d4844", "M-15-20h30q-2 12-15 12t-15-12z");
    pen.ellipse("#2f2a28", (0, -20), 15, 5);
    let (w, h) = (8 + 2 * s, 14 + 8 * s);
    for (fill, tenths) in [("#e8632a", 10), ("#f9a13a", 7), ("#ffe08a", 4)] {
        let (w, h) = (w * tenths / 10, h * tenths / 10);
        pen.path(
            fill,
            &format!(
                "M-{w}-20q-2-{} {}-{h}q0 {} {} {}q4 8-2 {}q-{w} 5-{} 0z",
                h / 2,
                w + 1,
                h / 3,
                w / 2,
                h / 3,
                h / 3,
                w
            ),
        );
    }
    pen.light((0, -28), 6 + s);
}

pub(super) fn gnome(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (3, 0), 10, 4);
    pen.path("#4a3a34", "M-7-2h6v3h-6zM2-2h6v3h-6z");
    pen.path("#3f77a8", "M-9-2q0-14 9-15q9 1 9 15z");
    pen.path("#f3ede2", "M-7-16q7-3 14 0q0 9-7 11q-7-2-7-11z");
    pen.ellipse("#f0c7a0", (0, -18), 5, 4);
    pen.path("#d9483b", "M-8-19q8-5 16 0L1-38z");
    pen.path("#a8352b", "M2-21q4 0 6 2L1-38z");
    pen.ellipse("#e8a58a", (0, -16), 2, 2);
}

pub(super) fn picnic(pen: &mut Pen<'_>) {
    pen.face(
        "#e8685a",
        &[
            At(-24, -17, 1),
            At(24, -17, 1),
            At(24, 17, 1),
            At(-24, 17, 1),
        ],
    );
    let mut stripes = Data::default();
    for i in [-20, -8, 4, 16] {
        stripes.face(&[
            At(i, -17, 1),
            At(i + 5, -17, 1),
            At(i + 5, 17, 1),
            At(i, 17, 1),
        ]);
    }
    for i in [-13, -1, 11] {
        stripes.face(&[
            At(-24, i, 1),
            At(24, i, 1),
            At(24, i + 4, 1),
            At(-24, i + 4, 1),
        ]);
    }
    pen.path("#ffffff80", stripes.as_str());
    pen.block(
        &Block::around(16, 12, 1, 10).moved(-8, -4),
        coat("#d9ae72", "#c2925a", "#966c3c"),
    );
    pen.stroke("#8a623c", 2, "M-11-16q4-10 14 2");
    pen.ellipse("#fff8ea", (8, 6), 8, 4);
    pen.path("#d9483b", "M4 5q4-6 8 0q-4 3-8 0z");
}

pub(super) fn snow_farmer(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (8, 0), 20, 7);
    for (y, r) in [(-11, 15), (-32, 11), (-48, 8)] {
        pen.ellipse("#cfdde7", (0, y), r, r - 1);
        pen.ellipse("#fbfdff", (-2, y - 1), r - 2, r - 3);
    }
    pen.stroke("#6b4a30", 2, "M10-34l16-9M-10-34l-16-5M22-41l2-7");
    pen.path("#d9483b", "M-9-42q9 5 18 0v4l-4 1 2 11-5-1-1-9q-6 1-10-2z");
    pen.path(
        "#2f2a28",
        "M-4-51h2v2h-2zM3-51h2v2h-2zM-1-33h2v2h-2zM-1-27h2v2h-2z",
    );
    pen.path("#f08a2c", "M0-48l10 2-10 2z");
    pen.path("#d9b25a", "M-14-53q14 5 28 0l-6-3-2-8h-12l-2 8z");
}

pub(super) fn maypole(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (8, 0), 22, 7);
    for (fill, d) in [
        ("#e5739a", "M0-98q-32 30-38 94"),
        ("#f2c84b", "M0-98q-18 40-18 102"),
        ("#6aa9d8", "M0-98q18 40 20 101"),
        ("#8bbf5a", "M0-98q32 30 38 92"),
    ] {
        pen.stroke(fill, 3, d);
    }
    pen.path("#fff8ea", "M-3 2v-102h6V2z");
    pen.stroke(
        "#d9543f",
        2,
        "M-3-10l6-6M-3-30l6-6M-3-50l6-6M-3-70l6-6M-3-90l6-6",
    );
    pen.path("#5da35a", "M-15-92q15-10 30 0q-2 10-15 10t-15-10z");
    pen.path("#f7a8c4", "M-12-92h5v4h-5zM-3-89h5v4h-5zM7-92h5v4h-5z");
    pen.ellipse("#f0c24e", (0, -102), 5, 5);
}

pub(super) fn harvest_cart(pen: &mut Pen<'_>) {
    pen.path(SHADOW, "M-30 6L36-12 44 0 0 18z");
    let bed = Block::around(46, 28, 12, 24);
    pen.block(&bed, coat("#a97c4d", "#b98a55", "#8a623b"));
    pen.boards(&bed, 5, "#5f3d2260", false);
    let mut heap = Data::default();
    for (x, y) in [
        (-16, -32),
        (4, -34),
        (20, -30),
        (-4, -24),
        (12, -22),
        (4, -44),
    ] {
        heap.dot((x, y));
    }
    pen.dots("#e6801f", 19, &heap);
    let mut shine = Data::default();
    for (x, y) in [
        (-18, -34),
        (2, -36),
        (18, -32),
        (-6, -26),
        (10, -24),
        (2, -46),
    ] {
        shine.grain((x, y + 2), 4);
    }
    pen.dots("#f7a94a", 5, &shine);
    pen.path("#5d8f45", "M-18-42h4v4h-4zM2-54h4v4h-4zM18-41h4v4h-4z");
    for at in [(-20, 4), (12, 8)] {
        pen.ellipse("#5f4026", at, 10, 12);
        pen.ellipse("#a97c4d", (at.0 - 1, at.1), 7, 9);
        pen.ellipse("#5f4026", (at.0 - 1, at.1), 2, 3);
    }
    pen.stroke("#7d5733", 3, "M-36-4l-26 12");
}
