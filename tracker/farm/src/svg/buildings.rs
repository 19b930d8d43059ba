//! The big buildings: barn, silo, greenhouse, root cellar.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, Ridge, Roof, coat},
};

pub(super) fn barn(pen: &mut Pen<'_>, level: u8) {
    let grow = i32::from(level) - 1;
    let (width, depth, h) = (78 + 8 * grow, 80 + 6 * grow, 44 + 8 * grow);
    let walls = Block::around(width, depth, 0, h);
    let front = walls.y1;
    pen.shadow(&walls, 46);
    pen.block(&walls, coat("#b5443a", "#c44d40", "#8f352e"));
    pen.boards(&walls, 8, "#5a1c1850", true);
    pen.plinth(&walls, 6);
    // The big door with its cross.
    let (half, top) = (17, 34);
    pen.on_left("#fbefdd", front + 1, (-half - 3, half + 3), (0, top + 3));
    pen.on_left("#a33a31", front + 1, (-half, half), (0, top));
    let mut cross = Data::default();
    cross.line(At(-half, front + 1, 0), At(0, front + 1, top));
    cross.line(At(-half, front + 1, top), At(0, front + 1, 0));
    cross.line(At(0, front + 1, 0), At(half, front + 1, top));
    cross.line(At(0, front + 1, top), At(half, front + 1, 0));
    cross.line(At(0, front + 1, 0), At(0, front + 1, top));
    pen.stroke("#fbefdd", 2, cross.as_str());
    for y in [-24, 8] {
        pen.on_right("#e9d9c3", walls.x1, (y, y + 15), (17, 32));
        pen.on_right("#4a3a3c", walls.x1, (y + 2, y + 13), (19, 30));
        pen.light(At(walls.x1, y + 7, 24).screen(), 5);
    }
    let slate = coat("#5d5a66", "#77747f", "#fbefdd");
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::Y,
            rise: 40 + 2 * grow,
            eave: 8,
            coat: slate,
            gable: "#c44d40",
        },
    );
    let loft = h + 6;
    pen.on_left("#fbefdd", front + 1, (-8, 8), (loft, loft + 18));
    pen.on_left("#4a3236", front + 1, (-6, 6), (loft + 2, loft + 16));
    pen.on_left("#e2bb57", front + 1, (-6, 6), (loft + 2, loft + 8));
    if level >= 2 {
        cupola(pen, h + 38 + 2 * grow);
    }
    if level >= 3 {
        hay(pen, (-30, front + 16));
        hay(pen, (-12, front + 20));
    }
}

/// A little tower on the ridge with a weathercock.
fn cupola(pen: &mut Pen<'_>, z: i32) {
    let tower = Block::around(18, 18, z - 8, z + 14);
    pen.block(&tower, coat("#fff", "#fff4e2", "#d8c9b4"));
    pen.boards(&tower, 5, "#7a6a5640", false);
    let apex = At(0, 0, z + 32);
    pen.face("#7d7985", &[At(-12, 12, z + 14), At(12, 12, z + 14), apex]);
    pen.face("#55525e", &[At(12, -12, z + 14), At(12, 12, z + 14), apex]);
    let (x, y) = apex.screen();
    pen.stroke("#4a4038", 2, &format!("M{x} {y}v-16m-8 5h16"));
    let mut cock = Data::default();
    cock.at(
        (x - 9, y - 19),
        "q4 5 9 3q4-1 4-7l5 3-3 2q0 9-8 9q-6 0-7-10z",
    );
    pen.path("#e2b443", cock.as_str());
}

fn hay(pen: &mut Pen<'_>, (x, y): (i32, i32)) {
    pen.again("hay", At(x, y, 0).screen(), |pen| {
        let bale = Block::around(18, 14, 0, 12);
        pen.block(&bale, coat("#f2d273", "#dfb450", "#b98f39"));
        pen.boards(&bale, 6, "#8a65246b", true);
    });
}

pub(super) fn silo(pen: &mut Pen<'_>, level: u8) {
    let h = 70 + 16 * i32::from(level);
    pen.path("#1d2b3a30", "M-22 4L52-20q18 4 10 14L8 14z");
    pen.cylinder(26, (0, 6), coat("#9d978d", "#aaa49a", "#847e76"));
    pen.cylinder(24, (6, h), coat("#c9d2d6", "#d7dfe2", "#a9b6bd"));
    let mut hoops = Data::default();
    let mut z = 20;
    while z < h {
        hoops.at((-24, -z), "a24 12 0 0 0 48 0");
        z += 14;
    }
    pen.stroke("#6f808a70", 2, hoops.as_str());
    let dome = -h;
    pen.path(
        "#b5493c",
        &format!("M-26 {dome}q0-32 26-34q26 2 26 34q-26 14-52 0z"),
    );
    pen.path(
        "#93382f",
        &format!("M8 {}q18 4 18 33q-9 5-18 6q7-20 0-39z", dome - 33),
    );
    pen.path(
        "#ffffff38",
        &format!("M-20 {}q4-20 16-25q-8 10-9 27z", dome - 2),
    );
    if pen.palette.snow {
        pen.path(
            "#f6fafc",
            &format!(
                "M-21 {}q4-20 21-20q17 0 21 20q-6-5-10 0q-6-6-11 0q-6-5-11 1q-5-5-10-1z",
                dome - 14
            ),
        );
    }
    pen.stroke(
        "#7c8a92",
        2,
        &format!("M-14 -6V-{}M-7 -3V-{}", h - 4, h - 1),
    );
    let mut rungs = Data::default();
    let mut z = 12;
    while z < h - 4 {
        rungs.at((-14, -z), "l7 3");
        z += 8;
    }
    pen.stroke("#7c8a92", 1, rungs.as_str());
}

pub(super) fn greenhouse(pen: &mut Pen<'_>, level: u8) {
    let (width, depth, h) = (76, 50 + 12 * i32::from(level), 26 + 2 * i32::from(level));
    let walls = Block::around(width, depth, 6, h);
    pen.shadow(&walls, 26);
    pen.block(
        &Block::around(width + 2, depth + 2, 0, 7),
        coat("#8a6a50", "#b58263", "#8f644b"),
    );
    // What grows inside shows through the panes.
    let mut plants = Data::default();
    let mut fruit = Data::default();
    for row in 0..3 {
        for column in 0..4 {
            let at = At(-26 + 17 * column, depth * (row - 1) / 4 + 4, 8).screen();
            plants.dot((at.0, at.1 - 7));
            fruit.dot((at.0 + 3, at.1 - 9));
        }
    }
    pen.dots("#4c9549", 17, &plants);
    pen.dots(if level >= 2 { "#f0a13c" } else { "#9ad06a" }, 4, &fruit);
    pen.block(&walls, coat("#ffffff00", "#d6f1f298", "#9fd0d898"));
    let panes = coat("#d9f3f4a8", "#e9fafa70", "#fff");
    let frame = "#f7fbfb";
    let rise = 22;
    // A roof of glass: the same slopes, without shingles or snow.
    let (x0, x1, eave) = (walls.x0, walls.x1, 3);
    let slope = |y: i32, z: i32| {
        [
            At(x0 - eave, 0, h + rise),
            At(x1 + eave, 0, h + rise),
            At(x1 + eave, y, z),
            At(x0 - eave, y, z),
        ]
    };
    pen.face(panes.left, &slope(walls.y0, h));
    pen.face(
        "#b5dde098",
        &[
            At(x1, walls.y0, h),
            At(x1, walls.y1, h),
            At(x1, 0, h + rise),
        ],
    );
    pen.face(panes.top, &slope(walls.y1, h));
    let mut ribs = Data::default();
    for step in 0..=5 {
        let x = x0 + (x1 - x0) * step / 5;
        ribs.line(At(x, walls.y1, 6), At(x, walls.y1, h));
        ribs.line(At(x, walls.y1, h), At(x, 0, h + rise));
    }
    for step in 0..=3 {
        let y = walls.y0 + depth * step / 3;
        ribs.line(At(x1, y, 6), At(x1, y, h));
    }
    ribs.line(At(x0, walls.y1, h), At(x1, walls.y1, h));
    ribs.line(At(x1, walls.y1, h), At(x1, walls.y0, h));
    ribs.line(At(x0, 0, h + rise), At(x1, 0, h + rise));
    ribs.line(At(x1, 0, h + rise), At(x1, walls.y0, h));
    pen.stroke(frame, 2, ribs.as_str());
    pen.face(
        "#ffffff70",
        &[
            At(x0 + 8, walls.y1, h),
            At(x0 + 22, walls.y1, h),
            At(x0 + 34, 6, h + rise - 4),
            At(x0 + 22, 6, h + rise - 4),
        ],
    );
    pen.on_right("#f7fbfb", x1 + 1, (-9, 9), (0, 27));
    pen.on_right("#86bfc6", x1 + 1, (-7, 7), (2, 25));
    pen.light(At(0, walls.y1, 16).screen(), 9);
}

pub(super) fn root_cellar(pen: &mut Pen<'_>, level: u8) {
    let p = pen.palette;
    pen.path("#1d2b3a28", "M-36 8L44-14q24 6 14 20L10 26z");
    pen.path(
        p.turf[1],
        "M-50 4q4-40 42-42q44 2 56 32q-10 22-40 28q-38-2-58-18z",
    );
    pen.path(
        p.grass_dark,
        "M-50 4q4-40 42-42q30 2 34 22q-30 8-30 36q-28-4-46-16z",
    );
    pen.path(p.grass_light, "M-42-6q8-26 32-28q12 1 18 7q-30 0-50 21z");
    pen.path("#8b857c", "M-34 14q2-26 18-22q16 6 18 36l-6 0l-26-9z");
    pen.path(
        "#b1aba1",
        "M-38 12q2-28 20-24q16 6 18 38l-7-2q-2-26-13-30q-9-2-11 20z",
    );
    pen.path("#7a5232", "M-31 14q1-20 12-18q10 6 11 28z");
    pen.stroke("#553720", 1, "M-25-2v19M-18-3v23M-13 2v21");
    pen.path("#f0c65a", "M-12 12h3v3h-3z");
    if level >= 2 {
        pen.path("#c98d52", "M18 24l12-4 12 5v12l-12 5-12-5z");
        pen.path("#9c683a", "M30 30l12-5v12l-12 5z");
        pen.path("#e6801f", "M20 24q4-7 9-2q6-6 10 2q-8 6-19 0z");
    }
}
