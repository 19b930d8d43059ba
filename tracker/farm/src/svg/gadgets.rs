//! Small works and pleasures that take one cell: heap, station, pump, panels, bench, sundial, topiary,
//! and the fountain that takes four.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};

const SHADOW: &str = "#1d2b3a30";

pub(super) fn compost(pen: &mut Pen<'_>, level: u8) {
    pen.ellipse(SHADOW, (6, 1), 17, 7);
    let crate_ = Block::around(20, 20, 0, 13);
    pen.block(&crate_, coat("#5b4228", "#a97c4d", "#8a623b"));
    pen.boards(&crate_, 4, "#5f3d2280", false);
    pen.path(
        "#6b4c2c",
        "M-18-14q4-9 18-10q14 1 18 10q-8 8-18 9q-10-1-18-9z",
    );
    pen.path("#8bbf5a", "M-8-18q3-5 7-1zM4-15q5-5 8 0zM-3-12q4-4 7 0z");
    if level >= 2 {
        pen.stroke("#8a623b", 2, "M14-6l12-24");
        pen.path("#7c8a92", "M23-30l6 2 2-9-6-2z");
    }
}

pub(super) fn weather_station(pen: &mut Pen<'_>, level: u8) {
    pen.ellipse(SHADOW, (5, 0), 12, 4);
    pen.path("#f4efe6", "M-8 2l3-22h3L-5 2zM8 2L5-20H2L5 2z");
    let hut = Block::around(14, 14, 18, 34);
    pen.block(&hut, coat("#ffffff", "#f7f2e8", "#d2c9b8"));
    pen.boards(&hut, 4, "#8b857c90", false);
    pen.stroke("#7c8a92", 2, "M0-44v-26");
    pen.path("#d9483b", "M-12-70l12-3 10 3-10 3z");
    if level >= 2 {
        pen.stroke("#7c8a92", 2, "M-9-58h18");
        pen.path("#5d6470", "M-13-61h6v6h-6zM7-61h6v6H7z");
    }
}

pub(super) fn pump(pen: &mut Pen<'_>, level: u8) {
    pen.ellipse(SHADOW, (6, 1), 16, 6);
    let trough = Block::around(12, 22, 0, 8).moved(-2, 6);
    pen.block(&trough, coat("#7fc4dd", "#aaa49a", "#847e76"));
    pen.path("#3d7a5a", "M2-4h8v-30H2z");
    pen.path("#2c5d43", "M7-4h3v-30H7z");
    pen.path("#3d7a5a", "M0-34h12l-2-6H2zM2-24h-8v7h3v-4h5z");
    pen.stroke("#2c5d43", 3, "M9-36q14-8 16 10");
    if level >= 2 {
        pen.path("#7fc4dd", "M-6-17h3v12h-3z");
        pen.path("#d9b25a", "M3-44h6v4H3z");
    }
}

pub(super) fn solar_panel(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (6, 2), 17, 6);
    pen.path("#7c8a92", "M-9 4h3v-14h-3zM8 2h3v-20H8z");
    let pane = [At(-11, 9, 8), At(9, 9, 8), At(9, -7, 26), At(-11, -7, 26)];
    pen.face("#2f5f8f", &pane);
    pen.face(
        "#5e93bf",
        &[At(-11, 9, 8), At(-4, 9, 8), At(-4, -7, 26), At(-11, -7, 26)],
    );
    let mut lines = Data::default();
    for x in [-11, -4, 3, 9] {
        lines.line(At(x, 9, 8), At(x, -7, 26));
    }
    lines.line(At(-11, 9, 8), At(9, 9, 8));
    lines.line(At(-11, 1, 17), At(9, 1, 17));
    lines.line(At(-11, -7, 26), At(9, -7, 26));
    pen.stroke("#dbe6ee", 1, lines.as_str());
}

pub(super) fn bench(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (5, 2), 17, 6);
    let back = Block::around(24, 2, 9, 22).moved(0, -5);
    pen.block(
        &Block::around(24, 2, 0, 9).moved(0, 5),
        coat("#8a623b", "#6b4a30", "#5a3d27"),
    );
    pen.block(&back, coat("#c99c69", "#b98a55", "#8a623b"));
    pen.boards(&back, 6, "#5f3d2260", false);
    pen.block(
        &Block::around(24, 11, 8, 11),
        coat("#d9ae72", "#b98a55", "#8a623b"),
    );
}

pub(super) fn sundial(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (4, 1), 13, 5);
    pen.cylinder(9, (0, 4), coat("#b1aba1", "#aaa49a", "#847e76"));
    pen.cylinder(4, (4, 18), coat("#cfcac1", "#c4beb3", "#9d978d"));
    pen.cylinder(11, (18, 22), coat("#e6e1d6", "#cfcac1", "#9d978d"));
    pen.stroke("#8b857c", 1, "M-7-22h14M0-26v8");
    pen.path("#b98f39", "M-1-22l9-2-7-9z");
}

pub(super) fn topiary(pen: &mut Pen<'_>) {
    let [dark, middle, light] = pen.palette.bush;
    pen.ellipse(SHADOW, (5, 1), 14, 5);
    pen.path("#b5673f", "M-9-8H9L7 3q-7 3-14 0z");
    pen.path(
        dark,
        "M-11-8q-4-26 6-34q-4-12 5-14q10 2 6 14q9 8 5 34q-11 5-22 0z",
    );
    pen.path(
        middle,
        "M-11-8q-4-26 6-34q-4-12 5-14q4 1 5 4q-9 12-6 46q-5 0-10-2z",
    );
    pen.path(light, "M-4-10q-5-16 4-25q8 8 5 25q-5 2-9 0z");
    pen.path("#f08a2c", "M3-49l8 2-7 3z");
    pen.path("#2f2a28", "M0-52h2v2H0z");
}

pub(super) fn fountain(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (7, 3), 34, 15);
    pen.cylinder(30, (0, 8), coat("#cfcac1", "#b3ada3", "#8b857c"));
    pen.ellipse("#7fc4dd", (0, -8), 26, 12);
    pen.ellipse("#a9dcec", (-4, -10), 16, 6);
    pen.cylinder(5, (6, 26), coat("#cfcac1", "#c4beb3", "#9d978d"));
    pen.cylinder(14, (26, 31), coat("#a9dcec", "#c4beb3", "#9d978d"));
    pen.stroke(
        "#d6f1f2",
        2,
        "M0-32v-14M0-46q-10 0-14 16M0-46q10 0 14 16M-13-28q-6 4-7 18M13-28q6 4 7 18M0-26v18",
    );
}
