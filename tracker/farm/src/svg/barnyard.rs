//! The smaller works of the yard: well, hen house, hives, pond, scarecrow, tractor.

use super::{
    pen::{At, Pen},
    solid::{Block, Ridge, Roof, coat},
};

const SHADOW: &str = "#1d2b3a30";

pub(super) fn well(pen: &mut Pen<'_>, level: u8) {
    pen.ellipse(SHADOW, (12, 2), 30, 12);
    pen.cylinder(22, (0, 20), coat("#8f8a82", "#b9b3a9", "#8d877e"));
    pen.stroke(
        "#6f6a6270",
        1,
        "M-22-7q22 18 44 0M-22-14q22 18 44 0M-14 5v-6M-2 9v-7M10 7v-6M-8 0v-6M4 2v-7M16-3v-6",
    );
    pen.ellipse("#2f4a58", (0, -20), 16, 8);
    pen.path("#6fb3cc", "M-13-17q13 8 26 0q-13-6-26 0z");
    pen.path("#7d5733", "M-19-18h5v-38h-5zM14-18h5v-38h-5z");
    pen.stroke("#6b4a2c", 3, "M-17-44h34");
    pen.stroke("#d9c59a", 1, "M0-44v18");
    pen.path("#a1784f", "M-5-28h10l-2 9h-6z");
    if level >= 2 {
        pen.path("#c4553f", "M-28-52L0-74 0-60z");
        pen.path("#cf6a46", "M-30-50L-4-72l34 16-22 18z");
        pen.path("#8f4630", "M-4-72l34 16-5 3-29-13z");
        if pen.palette.snow {
            pen.path("#f6fafc", "M-22-57L-4-72l34 16-6 5z");
        }
    } else {
        pen.path("#8a623c", "M-22-58h44v5h-44z");
    }
}

pub(super) fn hen_house(pen: &mut Pen<'_>, level: u8) {
    let walls = Block::around(40, 34, 12, 34 + 4 * i32::from(level));
    pen.shadow(&walls, 20);
    for (x, y) in [(-17, 14), (17, 14), (17, -14)] {
        pen.block(
            &Block::around(4, 4, 0, 12).moved(x, y),
            coat("#7d5733", "#7d5733", "#5f4026"),
        );
    }
    pen.block(&walls, coat("#5f96a6", "#6ba5b5", "#4a7a89"));
    pen.boards(&walls, 6, "#23454f40", true);
    pen.on_left("#fff8ea", 17, (-9, 7), (12, 30));
    pen.on_left("#3d3330", 17, (-7, 5), (12, 28));
    pen.face(
        "#b98e5c",
        &[At(-7, 17, 12), At(5, 17, 12), At(5, 38, 0), At(-7, 38, 0)],
    );
    pen.stroke("#7d5733", 1, "M-31 14l11 6M-36 18l11 6M-41 22l11 6");
    let straw = coat("#e0b95a", "#a9843a", "#f4dfa6");
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 20,
            eave: 5,
            coat: straw,
            gable: "#4a7a89",
        },
    );
}

pub(super) fn beehive(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (5, 0), 14, 5);
    pen.block(
        &Block::around(13, 13, 3, 28),
        coat("#f4c95d", "#f4c95d", "#c99b35"),
    );
    pen.path("#fff2cf", "M-13-11L0-5V-13l-13-6z");
    pen.path("#d8c595", "M13-11L0-5V-13l13-6z");
    pen.block(
        &Block::around(16, 16, 27, 30),
        coat("#8fb0a0", "#7a9c8b", "#5c7c6c"),
    );
    pen.path("#4a3524", "M-9-2l6 3v-3l-6-3z");
    pen.path("#e0a010", "M-18-22h3v2h-3zM14-30h3v2h-3zM-9-40h3v2h-3z");
}

pub(super) fn pond(pen: &mut Pen<'_>, level: u8) {
    let ice = pen.palette.snow;
    let (bank, water, shine) = if ice {
        ("#cfdce4", "#bcdbe8", "#e4f3f8")
    } else {
        ("#c9b78a", "#57a7c4", "#8fcfe0")
    };
    pen.path(
        bank,
        "M-96 6q-8-40 44-44q36-14 76-4q58 2 66 34q6 36-44 44q-44 22-84 8q-52-4-58-38z",
    );
    pen.path(
        "#00000018",
        "M-90 5q-6-35 42-39q34-12 70-3q54 2 60 29q4 32-42 39q-40 19-76 7q-48-4-54-33z",
    );
    pen.path(
        water,
        "M-88 9q-5-32 40-36q34-11 70-2q50 2 57 26q3 30-40 36q-40 17-74 6q-48-4-53-30z",
    );
    pen.path(shine, "M-70-4q10-17 46-18q26-6 40 0q-44 2-60 14q-16 8-26 4zM0 32q30 0 58-16q-8 20-30 22q-20 4-28-6z");
    pen.stroke("#ffffff90", 2, "M-44 14h26M-8 2h18M20 22h22M-30 28h14");
    let reeds = pen.palette.bush[0];
    pen.path(
        reeds,
        "M-86-4l-4-34 7 32 1-42 3 40 6-30-2 34zM66 34l-1-32 5 28 4-36 2 36 6-26-3 30z",
    );
    pen.path("#7a5232", "M-84-54h4v14h-4zM72-8h4v12h-4z");
    if level >= 2 {
        pen.path("#5da35a", "M-20-8q12-6 20 0q-6 6-14 4l2-5-4 4q-4-1-4-3zM30-12q10-5 18 0q-5 6-12 4l1-4-4 3zM-52 24q10-5 18 0q-6 6-16 3z");
        pen.path(
            "#f7b5cc",
            "M-11-10l-3-6 4 3 2-6 2 6 4-3-3 6zM38-14l-3-5 4 2 2-5 2 5 4-2-3 5z",
        );
        pen.path("#9a6f45", "M44 56l40-20 6 3v5l-40 20-6-3z");
        pen.path(
            "#7d5733",
            "M46 58h4v16h-4zM82 40h4v14h-4zM50 59l40-20v5l-40 20z",
        );
    }
}

pub(super) fn scarecrow(pen: &mut Pen<'_>, level: u8) {
    pen.ellipse(SHADOW, (6, 0), 14, 5);
    pen.path("#7d5733", "M-2 0v-62h4V0zM-27-44l54-4v4l-54 4z");
    pen.path(
        "#3f6f9c",
        "M-13-20l1-25-14 3-1-8 15-4h23l16 2v8l-13 0 2 24q-15 5-29 0z",
    );
    pen.path("#2f557a", "M4-54h7l16 2v8l-13 0 2 24q-6 2-9 2z");
    pen.path(
        "#e7c15b",
        "M-27-43l-6-2 5-3-4-5 7 2zM27-45l7-1-5-3 4-5-7 2zM-9-18l2 8 3-7 4 8 3-8 5 6 2-7z",
    );
    pen.path("#d9543f", "M-9-54q9 5 18 0l2 5q-11 5-22 0z");
    pen.ellipse("#f0d9a8", (0, -63), 10, 10);
    pen.path(
        "#54402f",
        "M-5-65h3v3h-3zM3-65h3v3h-3zM-4-59q4 3 9 0v1q-5 4-9 0z",
    );
    pen.path("#b3843f", "M-17-69q17 7 34 0l-7-4-3-12q-8-4-14 0l-3 12z");
    pen.path("#8f3a30", "M-10-73q10 4 20 0l1 3q-11 4-22 0z");
    if level >= 2 {
        pen.path("#2b2b33", "M22-52q1-8 8-8q3-4 6-1l5 2-5 2q-1 8-9 8h-8z");
        pen.path("#f1b51f", "M37-60l5 1-5 2z");
    }
}

pub(super) fn tractor(pen: &mut Pen<'_>, level: u8) {
    let paint = if level >= 2 {
        coat("#4f9a5b", "#3f8a4c", "#2f6b3a")
    } else {
        coat("#d9604a", "#c94f3b", "#9c3a2b")
    };
    pen.path(SHADOW, "M-28 6L30-20 52-10 2 22z");
    pen.block(&Block::around(22, 34, 10, 26).moved(0, 14), paint);
    pen.path("#ffffff50", "M-30 0l11 5v2l-11-5z");
    pen.block(&Block::around(26, 24, 10, 34).moved(0, -14), paint);
    let glass = Block::around(22, 20, 34, 52).moved(0, -14);
    pen.block(&glass, coat("#fff", "#c9e8efd0", "#9cc7d2d0"));
    pen.block(&Block::around(28, 26, 52, 56).moved(0, -14), paint);
    pen.stroke("#55504a", 3, "M-12-22v-24");
    let wheel = |pen: &mut Pen<'_>, at: (i32, i32), r: i32| {
        pen.ellipse("#37322f", at, r * 4 / 5, r);
        pen.ellipse("#4d4743", (at.0 - 1, at.1), r * 3 / 5, r * 4 / 5);
        pen.ellipse("#f0c24e", (at.0 - 1, at.1), r * 2 / 5, r / 2);
    };
    wheel(pen, (28, -16), 17);
    wheel(pen, (-8, 8), 11);
    wheel(pen, (-36, 6), 10);
    pen.path("#ffe7a3", "M-38-4h4v4h-4zM-27 1h4v4h-4z");
    pen.light((-31, 0), 6);
}
