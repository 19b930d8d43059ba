//! The fields: soil, furrows and the six crops, one for each category of work.

use farmops_protocol::proof::Category;

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};

/// Half the extent of a field along x and y.
const HALF: (i32, i32) = (71, 47);
/// How high the bed is.
const BED: i32 = 5;

/// One row of plants: outlines of three tones, filled in this order.
#[derive(Default)]
struct Row {
    dark: Data,
    light: Data,
    accent: Data,
    shine: Data,
}

/// How a tone of a row is drawn.
#[derive(Clone, Copy)]
enum Width {
    /// As outlines.
    Filled,
    /// As dots: their width at stage 0, and how much each stage adds.
    Dots(i32, i32),
}
use Width::{Dots, Filled};

/// A kind of plant: the colours of its four tones, and how one plant adds to its row.
struct Crop {
    layers: [(&'static str, Width); 4],
    plant: fn(&mut Row, (i32, i32), i32, i32),
}

/// What every crop is at first.
const SPROUT: Crop = Crop {
    layers: [
        ("#4f8a3c", Filled),
        ("#7fbf55", Filled),
        ("", Filled),
        ("", Filled),
    ],
    plant: |row, at, _, _| sprout(row, at),
};

pub(super) fn field(pen: &mut Pen<'_>, category: Category, stage: u8) {
    if stage == 0 {
        return pen.again("fallow", (0, 0), fallow);
    }
    pen.again("soil", (0, 0), soil);
    let crop = if stage == 1 { SPROUT } else { crop(category) };
    let name = format!("{}{stage}", &category.as_str()[..2]);
    for r in 0..4 {
        // Each row is the first one, further to the lower left.
        let (x, y) = At(0, 23 * r, 0).screen();
        let sway = (r * 3) % 4;
        pen.again(&name, (x + sway, y), |pen| {
            row(pen, &crop, i32::from(stage));
        });
    }
}

/// The farthest row.
fn row(pen: &mut Pen<'_>, crop: &Crop, stage: i32) {
    let mut row = Row::default();
    for c in 0..6 {
        let (x, y) = At(-56 + 22 * c, -34, BED).screen();
        let sway = c * 5 % 3 - 1;
        (crop.plant)(&mut row, (x + sway, y), stage, c);
    }
    let layers = [&row.dark, &row.light, &row.accent, &row.shine];
    for ((colour, width), data) in crop.layers.iter().zip(layers) {
        match width {
            Width::Filled => pen.path(colour, data.as_str()),
            Width::Dots(base, per_stage) => pen.dots(colour, base + per_stage * stage, data),
        }
    }
}

/// A plot staked out but not yet broken.
fn fallow(pen: &mut Pen<'_>) {
    let (w, d) = HALF;
    pen.face(
        "#00000010",
        &[At(-w, -d, 0), At(w, -d, 0), At(w, d, 0), At(-w, d, 0)],
    );
    let corners = [At(-w, -d, 8), At(w, -d, 8), At(w, d, 8), At(-w, d, 8)];
    let mut string = Data::default();
    for i in 0..4 {
        string.line(corners[i], corners[(i + 1) % 4]);
    }
    pen.stroke("#f3ead2b0", 1, string.as_str());
    let mut pegs = Data::default();
    for corner in corners {
        pegs.at(corner.screen(), "m-2-3h4v12h-4z");
    }
    pen.path("#8c6239", pegs.as_str());
}

/// The bed with its furrows.
fn soil(pen: &mut Pen<'_>) {
    let bed = Block::around(2 * HALF.0, 2 * HALF.1, 0, BED);
    let earth = if pen.palette.snow {
        coat("#8a6f5f", "#6d5547", "#57433a")
    } else {
        coat("#8b5e3f", "#6e4730", "#583827")
    };
    pen.block(&bed, earth);
    let (w, d) = HALF;
    let (mut ridges, mut grooves) = (Data::default(), Data::default());
    for r in 0..4 {
        let y = -34 + 23 * r;
        ridges.face(&[
            At(3 - w, y - 5, BED),
            At(w - 3, y - 5, BED),
            At(w - 3, y + 4, BED),
            At(3 - w, y + 4, BED),
        ]);
        if r < 3 {
            grooves.face(&[
                At(3 - w, y + 9, BED),
                At(w - 3, y + 9, BED),
                At(w - 3, y + 12, BED),
                At(3 - w, y + 12, BED),
            ]);
        }
    }
    pen.path(
        if pen.palette.snow {
            "#a48c7d"
        } else {
            "#a0714c"
        },
        ridges.as_str(),
    );
    pen.path("#6b4630", grooves.as_str());
    if pen.palette.snow {
        pen.face(
            "#f3f8fb",
            &[
                At(-w, -d, BED),
                At(w, -d, BED),
                At(w, 5 - d, BED),
                At(-w, 5 - d, BED),
            ],
        );
    }
}

fn crop(category: Category) -> Crop {
    match category {
        Category::Maintenance => Crop {
            layers: [
                ("#3f8a48", Dots(7, 3)),
                ("#6fbf5c", Dots(4, 3)),
                ("#a8df7f", Dots(2, 2)),
                ("#d9f5b4", Dots(4, 0)),
            ],
            plant: cabbage,
        },
        Category::Toil => Crop {
            layers: [
                ("#a9822c", Filled),
                ("#d6a93a", Dots(2, 1)),
                ("#f2cd5c", Dots(2, 1)),
                ("#fbe59a", Dots(2, 0)),
            ],
            plant: wheat,
        },
        Category::Reliability => Crop {
            layers: [
                ("#2f7440", Filled),
                ("#4f9c4b", Filled),
                ("#7cc25c", Filled),
                ("#f7d04a", Dots(5, 0)),
            ],
            plant: maize,
        },
        Category::Security => Crop {
            layers: [
                ("#4c7a52", Filled),
                ("#7e5bb0", Filled),
                ("#a985d6", Dots(0, 1)),
                ("#d9c2f2", Dots(2, 0)),
            ],
            plant: thistle,
        },
        Category::Incident => Crop {
            layers: [
                ("#2f6f3c", Dots(9, 2)),
                ("#549a47", Dots(5, 2)),
                ("#d83f31", Dots(2, 1)),
                ("#ff8d72", Dots(2, 0)),
            ],
            plant: tomato,
        },
        Category::Upgrade => Crop {
            layers: [
                ("#3c7f42", Filled),
                ("#66a84f", Filled),
                ("#e6801f", Dots(4, 2)),
                ("#fbb24e", Dots(0, 1)),
            ],
            plant: pumpkin,
        },
    }
}

fn sprout(row: &mut Row, at: (i32, i32)) {
    row.dark.at(at, "q-1-5-6-6q2 6 6 6z");
    row.light.at(at, "q0-6 6-7q-1 7-6 7z");
}

fn cabbage(row: &mut Row, (x, y): (i32, i32), stage: i32, _: i32) {
    let r = 3 + stage * 3 / 2;
    row.dark.dot((x, y - r / 2));
    row.light.dot((x - 2, y - r / 2 - 2));
    if stage >= 3 {
        row.accent.dot((x - 2, y - r / 2 - 4));
    }
    if stage >= 5 {
        row.shine.dot((x - 4, y - r / 2 - 6));
    }
}

fn wheat(row: &mut Row, (x, y): (i32, i32), stage: i32, nth: i32) {
    let h = 6 + stage * 4;
    for (dx, lean) in [(-5_i32, -3_i32), (0, 0), (5, 3)] {
        let up = h - lean.abs() + nth % 2;
        row.dark.at((x + dx - 1, y), &format!("h2l{lean}-{up}h-2z"));
        let ears = if dx == 0 {
            &mut row.accent
        } else {
            &mut row.light
        };
        ears.grain((x + dx + lean, y - up), stage);
    }
    if stage >= 5 {
        row.shine.grain((x - 1, y - h - 3), 3);
    }
}

fn maize(row: &mut Row, (x, y): (i32, i32), stage: i32, nth: i32) {
    let h = 8 + stage * 5;
    row.dark.at((x - 1, y), &format!("h3v-{h}h-3z"));
    row.light.at(
        (x, y - h / 3),
        "q-8-10-11 2q6-5 11 3zm1-2q9-10 12 2q-7-5-12 3z",
    );
    let tassel = if stage >= 3 {
        format!("m0-{}l-4-7 4 3 1-6 1 6 4-3-4 7z", h / 3)
    } else {
        String::new()
    };
    row.accent.at(
        (x, y - h * 2 / 3),
        &format!("q-7-10-10 0q6-3 10 4zm1-2q7-9 10 1q-6-4-10 4z{tassel}"),
    );
    if stage >= 4 {
        row.shine
            .grain((x + if nth % 2 == 0 { 3 } else { -3 }, y - h / 2 + 3), 5);
    }
}

fn thistle(row: &mut Row, (x, y): (i32, i32), stage: i32, nth: i32) {
    let h = 5 + stage * 4 + nth % 2 * 2;
    row.dark.at(
        (x - 1, y),
        &format!("h2v-{h}h-2zl-8-8 6 1 3-5 4 5 5-1-8 8z"),
    );
    let crown = if stage >= 3 { 1 + stage } else { 2 };
    row.light.at(
        (x - crown, y - h),
        &format!(
            "l-1-{} 3 2 1-4 2 3 2-4 2 3 2-3 0 {}q-4 5-9 0z",
            crown + 2,
            crown + 2
        ),
    );
    if stage >= 3 {
        row.accent.dot((x - 1, y - h - 2));
    }
    if stage >= 5 {
        row.shine.dot((x - 2, y - h - 4));
    }
}

fn tomato(row: &mut Row, (x, y): (i32, i32), stage: i32, nth: i32) {
    let h = 5 + stage * 5 / 2;
    row.dark.grain((x, y - 4), h - 5 - stage / 2);
    row.light.grain((x - 2, y - 6), h - 5 - stage / 2);
    if stage >= 3 {
        row.accent.dot((x - 4, y - h / 3));
        row.accent.dot((x + 4, y - h / 2 - 1));
        row.accent.dot((x - 1 + nth % 2, y - h));
    }
    if stage >= 5 {
        row.shine.dot((x - 5, y - h / 3 - 1));
        row.shine.dot((x - 2, y - h - 1));
    }
}

fn pumpkin(row: &mut Row, (x, y): (i32, i32), stage: i32, nth: i32) {
    row.dark
        .at((x, y), "q-14-2-12-9q9-3 12 6q2-8 12-7q2 8-12 10z");
    if stage >= 3 && (stage >= 5 || nth % 2 == 0) {
        row.accent.at((x - 1, y - stage + 1), "h4");
        row.shine.grain((x, y - stage + 2), stage);
        row.light.at((x, y - 2 * stage), "v-4h3l-1 4z");
    } else {
        row.light.at((x + 2, y - 3), "q2-7 9-4q-2 5-9 4z");
    }
}
