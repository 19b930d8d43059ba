//! What lies under everything: sky, clouds, the island and its paths.

use super::{
    HEIGHT, Theme, WIDTH,
    palette::Palette,
    pen::{At, Data, ORIGIN, Pen},
};
use crate::scene::{Path, SIDE, Scene, scatter::roll};

/// Steps of the sky from its top to the horizon.
const SKY_STEPS: i32 = 28;

pub(super) fn sky(pen: &mut Pen<'_>, scene: &Scene, theme: Theme) {
    let Palette {
        sky_top, sky_low, ..
    } = *pen.palette;
    let (top, low) = match theme {
        Theme::Day => (sky_top, sky_low),
        Theme::Night => ([22, 28, 62], [86, 92, 148]),
    };
    for step in 0..SKY_STEPS {
        let mix = |i: usize| top[i] + (low[i] - top[i]) * step / (SKY_STEPS - 1);
        let fill = format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2));
        pen.path(
            &fill,
            &format!("M0 {}h{WIDTH}V{HEIGHT}H0z", HEIGHT * step / SKY_STEPS),
        );
    }
    match theme {
        Theme::Day => {
            for (radius, fill) in [
                (190, "#fff6d81c"),
                (156, "#fff6d81c"),
                (124, "#fff6d820"),
                (96, "#fff6d826"),
                (74, "#fff3c43a"),
                (56, "#fff3c9f0"),
            ] {
                pen.ellipse(fill, (188, 132), radius, radius);
            }
        }
        Theme::Night => stars(pen, scene.seed),
    }
    let fill = if theme == Theme::Day {
        "#ffffff"
    } else {
        "#aab0dc"
    };
    for (index, (x, y, big)) in [(90, 262, 9), (965, 120, 11), (420, 74, 7), (1090, 300, 7)]
        .into_iter()
        .enumerate()
    {
        let drift = roll(scene.seed, 700 + index as u64, 60) - 30;
        cloud(pen, fill, (x + drift, y), big, "b8");
    }
    if scene.balloon {
        balloon(pen);
    }
}

fn stars(pen: &mut Pen<'_>, seed: u64) {
    let mut data = Data::default();
    for index in 0..40 {
        let at = (roll(seed, 800 + index, WIDTH), roll(seed, 900 + index, 170));
        // None before the dark part of the moon.
        if (at.0 - 190).abs() < 80 && (at.1 - 128).abs() < 80 {
            continue;
        }
        data.at(
            at,
            if index % 5 == 0 {
                "h4v4h-4z"
            } else {
                "h2v2h-2z"
            },
        );
    }
    pen.shine(&format!("<path fill=\"#f4f1ff\" d=\"{}\"/>", data.as_str()));
    pen.shine("<circle fill=\"#fdf3cf1c\" cx=\"190\" cy=\"128\" r=\"84\"/><path fill=\"#fdf3cf\" d=\"M206 78a52 52 0 1 0 36 66a42 42 0 1 1-36-66z\"/>");
}

fn cloud(pen: &mut Pen<'_>, fill: &str, (x, y): (i32, i32), tenths: i32, alpha: &str) {
    let s = |v: i32| v * tenths / 10;
    let mut data = Data::default();
    for (dx, dy, rx, ry) in [
        (0, 0, 90, 20),
        (-34, -14, 34, 24),
        (8, -26, 42, 34),
        (50, -12, 30, 22),
    ] {
        data.blob((x + s(dx), y + s(dy)), s(rx), s(ry));
    }
    pen.path(&format!("{fill}{alpha}"), data.as_str());
}

fn balloon(pen: &mut Pen<'_>) {
    pen.raw("<g transform=\"translate(905 40)\">");
    pen.path(
        "#d9543f",
        "M0 84C-30 62-40 40-40 26a40 40 0 0 1 80 0C40 40 30 62 0 84z",
    );
    pen.path(
        "#f4d58a",
        "M0 84C-18 60-22 40-22 26C-22 4-12-14 0-14s22 18 22 40C22 40 18 60 0 84z",
    );
    pen.path(
        "#d9543f",
        "M0 84C-7 60-8 40-8 26S-4-14 0-14s8 20 8 40S7 60 0 84z",
    );
    pen.path(
        "#00000018",
        "M0 84C30 62 40 40 40 26A40 40 0 0 0 10-13C40 20 22 60 0 84z",
    );
    pen.stroke("#6b4a32", 1, "M-8 78l2 18M8 78l-2 18");
    pen.path("#8a5b38", "M-8 95h16l-2 13h-12z");
    pen.raw("</g>");
}

/// The land: a thick slab of turf, soil and rock that floats over clouds.
pub(super) fn island(pen: &mut Pen<'_>, scene: &Scene, theme: Theme) {
    let fill = if theme == Theme::Day {
        "#ffffff"
    } else {
        "#8d94c8"
    };
    cloud(pen, fill, (300, 722), 15, "9c");
    cloud(pen, fill, (930, 716), 16, "9c");
    cloud(pen, fill, (640, 800), 20, "88");
    pen.raw(&format!(
        "<g transform=\"translate({} {})\">",
        ORIGIN.0, ORIGIN.1
    ));
    cliff(pen, scene.seed);
    let p = pen.palette;
    pen.face(
        p.grass,
        &[
            At(0, 0, 0),
            At(SIDE, 0, 0),
            At(SIDE, SIDE, 0),
            At(0, SIDE, 0),
        ],
    );
    meadow(pen, scene.seed);
    paths(pen, scene);
    pen.raw("</g>");
}

fn cliff(pen: &mut Pen<'_>, seed: u64) {
    // The rock below: an uneven edge, the same on both sides of the near corner.
    for (layer, depth, left, right) in [
        (0_u64, 74, "#7b6a5c", "#5e5048"),
        (1, 48, "#93684a", "#724e38"),
        (2, 22, "#a87a52", "#835b3f"),
    ] {
        for (fill, along_x) in [(left, true), (right, false)] {
            let at = |i: i32, z| {
                if along_x {
                    At(i, SIDE, z)
                } else {
                    At(SIDE, i, z)
                }
            };
            let mut points = vec![at(0, 0), at(SIDE, 0)];
            for step in 0..=9 {
                let i = SIDE - SIDE * step / 9;
                // Thin at the outer corners, thick at the near one.
                let thick = depth * (3 + i * 9 / SIDE) / 12;
                let index = 1000
                    + 100 * layer
                    + u64::from(step.unsigned_abs())
                    + if along_x { 50 } else { 0 };
                let jag = if step == 0 {
                    0
                } else {
                    roll(seed, index, 4 + depth / 4)
                };
                points.push(at(i, -(thick + jag)));
            }
            pen.face(fill, &points);
        }
    }
    let turf = pen.palette.turf;
    for (fill, along_x) in [(turf[0], true), (turf[1], false)] {
        let at = |i: i32, z| {
            if along_x {
                At(i, SIDE, z)
            } else {
                At(SIDE, i, z)
            }
        };
        let mut points = vec![at(0, 0), at(SIDE, 0)];
        for step in 0..=16 {
            let i = SIDE - SIDE * step / 16;
            points.push(at(i, if step % 2 == 0 { -9 } else { -15 }));
        }
        pen.face(fill, &points);
    }
    let mut stones = Data::default();
    for index in 0..14 {
        let i = 210 + roll(seed, 1500 + index, SIDE - 230);
        let z = -26 - roll(seed, 1600 + index, 14 + i / 24);
        let at = if index % 2 == 0 {
            At(i, SIDE, z)
        } else {
            At(SIDE, i, z)
        };
        stones.at(at.screen(), if index % 3 == 0 { "h7" } else { "h4" });
    }
    pen.dots("#00000026", 6, &stones);
}

/// Patches of darker and lighter grass.
fn meadow(pen: &mut Pen<'_>, seed: u64) {
    let (mut dark, mut light) = (Data::default(), Data::default());
    for index in 0..26 {
        let data = if index % 2 == 0 {
            &mut dark
        } else {
            &mut light
        };
        let wide = 22 + roll(seed, 2200 + index, 26);
        let place = |salt| wide + 4 + roll(seed, salt + index, SIDE - 2 * wide - 8);
        data.blob(At(place(2000), place(2100), 0).screen(), wide, wide / 2);
    }
    let p = pen.palette;
    pen.path(p.grass_dark, dark.as_str());
    pen.path(p.grass_light, light.as_str());
    // The rim catches the light.
    pen.stroke(
        "#ffffff50",
        2,
        &format!("M-{SIDE} {}L0 {SIDE}L{SIDE} {}", SIDE / 2, SIDE / 2),
    );
}

fn paths(pen: &mut Pen<'_>, scene: &Scene) {
    let (edge, fill) = match (scene.path, pen.palette.snow) {
        (Path::Track, false) => ("#c9b77900", "#c4b676"),
        (Path::Track, true) => ("#c9b77900", "#d3d6d2"),
        (Path::Gravel, _) => ("#b99f6d", "#dcc591"),
        (Path::Cobbles, _) => ("#8d8a86", "#bdb9b2"),
    };
    // From the house to the crossing, along both back sides of the fields, and out at the gate.
    let strips = [
        (120, 120, 186, 142),
        (162, 140, 186, 512),
        (162, 162, 512, 186),
        (342, 186, 368, SIDE),
    ];
    for (grow, colour) in [(3, edge), (0, fill)] {
        let mut data = Data::default();
        for (x0, y0, x1, y1) in strips {
            let y_end = if y1 == SIDE { y1 } else { y1 + grow };
            data.face(&[
                At(x0 - grow, y0 - grow, 0),
                At(x1 + grow, y0 - grow, 0),
                At(x1 + grow, y_end, 0),
                At(x0 - grow, y_end, 0),
            ]);
        }
        pen.path(colour, data.as_str());
    }
    if scene.path == Path::Track {
        return;
    }
    let cobbled = scene.path == Path::Cobbles;
    let mut pebbles = Data::default();
    for (strip, (x0, y0, x1, y1)) in (0_u64..).zip(strips) {
        let count = (x1 - x0).max(y1 - y0) / 12;
        for i in 0..u64::from(count.unsigned_abs()) {
            let index = 3000 + 500 * strip + i;
            let (x, y) = (
                x0 + 4 + roll(scene.seed, index, x1 - x0 - 8),
                y0 + 4 + roll(scene.seed, index + 250, y1 - y0 - 8),
            );
            pebbles.at(At(x, y, 0).screen(), if cobbled { "h5" } else { "h3" });
        }
    }
    let (tint, width) = if cobbled {
        ("#a5a19a", 6)
    } else {
        ("#c9af78", 3)
    };
    pen.dots(tint, width, &pebbles);
}
