//! Trees, bushes, rocks and the small things that grow in between.

use super::{
    palette::Tones,
    pen::{Data, Pen},
};

const SHADOW: &str = "#1d2b3a30";

pub(super) fn oak(pen: &mut Pen<'_>, [dark, mid, light]: Tones) {
    pen.ellipse(SHADOW, (16, -1), 32, 11);
    pen.path("#7a5236", "M-5 0q3-14 0-32h9q-2 18 2 32q-5 3-11 0z");
    pen.path("#5f3e29", "M2-32h2q-2 18 2 32q-2 1-5 1q3-16 1-33z");
    crown(pen, [dark, mid, light]);
}

fn crown(pen: &mut Pen<'_>, [dark, mid, light]: Tones) {
    pen.path(dark, "M-27-24a17 17 0 0 1-3-32a23 23 0 0 1 42-14a20 20 0 0 1 18 34a15 15 0 0 1-21 14q-17 9-36-2z");
    pen.path(
        mid,
        "M-25-36a14 14 0 0 1 1-21a18 18 0 0 1 33-13a15 15 0 0 1 9 25q-8 10-19 5q-13 11-24 4z",
    );
    pen.path(
        light,
        "M-22-49q2-14 13-9q-2 9-13 9zM-12-66q4-12 15-6q-4 7-15 6zM3-54q4-8 10-3q-3 5-10 3z",
    );
}

pub(super) fn conifer(pen: &mut Pen<'_>) {
    let [dark, mid, light] = pen.palette.conifer;
    pen.ellipse(SHADOW, (13, -1), 26, 9);
    pen.path("#6b4730", "M-4-14h8V0q-4 2-8 0z");
    for (y, w) in [(-10, 25), (-32, 20), (-54, 15)] {
        pen.path(mid, &format!("M-{w} {y}q{w} 11 {} 0L0 {}z", 2 * w, y - 38));
        pen.path(
            dark,
            &format!("M{w} {y}q-{} 6-{} 5L0 {}z", w / 2, w - 2, y - 38),
        );
        pen.path(
            light,
            &format!("M-{} {}q7 3 12-1L0 {}z", w * 3 / 5, y - 8, y - 38),
        );
    }
}

pub(super) fn fruit_tree(pen: &mut Pen<'_>, level: u8) {
    oak(pen, pen.palette.fruit_tree);
    let mut fruit = Data::default();
    let places = [
        (-20, -40),
        (-6, -52),
        (10, -44),
        (18, -54),
        (-12, -64),
        (4, -36),
        (6, -66),
    ];
    for place in places.into_iter().take(usize::from(level) * 2 + 1) {
        fruit.dot(place);
    }
    pen.dots(pen.palette.fruit, 8, &fruit);
}

pub(super) fn bush(pen: &mut Pen<'_>) {
    let [dark, mid, light] = pen.palette.bush;
    pen.ellipse(SHADOW, (8, 0), 22, 7);
    pen.path(
        dark,
        "M-18 0q-8-12 4-18q4-12 16-8q12-4 14 8q10 6 4 16q-18 8-38 2z",
    );
    pen.path(mid, "M-16-5q-5-9 5-13q4-9 13-6q8-2 9 6q-14 14-27 13z");
    pen.path(light, "M-10-14q4-7 11-5q-3 6-11 5z");
}

pub(super) fn rock(pen: &mut Pen<'_>, size: u8) {
    pen.ellipse(SHADOW, (7, 0), 18, 6);
    pen.path("#8f9196", "M-14 0l-2-9 8-10 12-2 10 9 3 11q-16 6-31 1z");
    pen.path("#b5b7ba", "M-16-9l8-10 12-2-7 10z");
    pen.path("#74767c", "M4-21l10 9 3 11q-9 3-17 3l-3-13z");
    if size > 1 {
        pen.path("#9fa1a5", "M16 2l1-7 7-3 6 4 1 6q-8 3-15 0z");
        pen.path("#7fa35a80", "M-15-4q4-4 8 0q-3 5-8 4z");
    }
    if pen.palette.snow {
        pen.path("#fbfdfe", "M-15-10l7-9 12-2 6 5q-8 2-12 6q-6-3-13 0z");
    }
}

pub(super) fn stump(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (6, 0), 16, 6);
    pen.path("#7a5438", "M-10-10q1 8-4 12q12 4 26-1q-5-4-4-11z");
    pen.ellipse("#d3a772", (-1, -10), 10, 5);
    pen.ellipse("#b58553", (-1, -10), 6, 3);
    pen.ellipse("#d3a772", (-1, -10), 3, 1);
}

pub(super) fn flower_bed(pen: &mut Pen<'_>, nth: u8) {
    pen.ellipse("#6b4a33", (0, 0), 22, 10);
    pen.ellipse("#815a3d", (0, -1), 20, 8);
    let mut leaves = Data::default();
    for at in [(-12, 0), (-3, 4), (8, 2), (2, -3), (13, -1), (-7, -4)] {
        leaves.at(at, "q-7-4-5-8q5 1 5 8zq6-5 6-9q-6 1-6 9z");
    }
    pen.path(pen.palette.bush[0], leaves.as_str());
    for (index, places) in [
        [(-13, -9), (7, -7)],
        [(-4, -5), (14, -9)],
        [(2, -12), (-8, -12)],
    ]
    .iter()
    .enumerate()
    {
        let mut heads = Data::default();
        for place in places {
            heads.dot(*place);
        }
        pen.dots(
            pen.palette.flowers[(index + usize::from(nth)) % 3],
            8,
            &heads,
        );
        pen.dots("#e8a93a", 3, &heads);
    }
}

/// Grass, or a wild flower or two in it.
pub(super) fn tuft(pen: &mut Pen<'_>, kind: u8) {
    let [dark, mid, _] = pen.palette.bush;
    pen.path(
        if kind.is_multiple_of(2) { dark } else { mid },
        "M-6 1l-3-7 5 5 1-10 3 10 5-7-2 8z",
    );
    if kind >= 2 {
        let mut heads = Data::default();
        heads.dot((-5, -8));
        if kind == 4 {
            heads.dot((5, -9));
        }
        pen.dots(pen.palette.flowers[usize::from(kind - 2)], 5, &heads);
    }
}
