//! What is put out for one season: sledge, tulip barrow, deck chair, pumpkin lantern.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};

const SHADOW: &str = "#1d2b3a30";

pub(super) fn sledge(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (4, 3), 20, 6);
    pen.stroke(
        "#7d5733",
        2,
        "M-18-2q-6 0-5-8M-18-2L12 10M-8-8q-6 0-5-7M-8-8L22 4",
    );
    let seat = Block::around(26, 10, 7, 10);
    pen.block(&seat, coat("#d9483b", "#b93a30", "#8f2c25"));
    pen.boards(&seat, 5, "#ffffff50", true);
    pen.stroke("#d9c59a", 1, "M-14-16q-12-4-14 6");
    pen.path("#e2b443", "M-30-8h5l1 5h-7z");
}

pub(super) fn tulip_barrow(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (5, 2), 20, 7);
    pen.stroke("#7d5733", 3, "M10-6l18-10M14 0l18-8");
    pen.block(
        &Block::around(24, 16, 5, 14).moved(-2, 0),
        coat("#5f4026", "#6aa9d8", "#4b84b0"),
    );
    let mut stems = Data::default();
    let colours = ["#e5484d", "#f2c84b", "#e5739a", "#f08a2c"];
    let mut heads = [const { Vec::new() }; 4];
    for nth in 0..12_i32 {
        let (column, row) = (nth % 4, nth / 4);
        let (x, y) = At(-12 + 6 * column, -5 + 5 * row, 14).screen();
        stems.at((x, y), "v-9");
        let kind = usize::try_from((column + row) % 4).unwrap_or(0);
        if let Some(of) = heads.get_mut(kind) {
            of.push((x, y - 12));
        }
    }
    pen.stroke("#4f9a5b", 2, stems.as_str());
    for (points, fill) in heads.iter().zip(colours) {
        let mut data = Data::default();
        for point in points {
            data.grain(*point, 3);
        }
        pen.dots(fill, 5, &data);
    }
    pen.ellipse("#5f4026", (-18, 2), 6, 7);
    pen.ellipse("#a97c4d", (-19, 2), 4, 5);
}

pub(super) fn deck_chair(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (5, 2), 19, 6);
    pen.stroke("#8a623b", 2, "M-16 2l24-28M4 10l24-28M14 6L-4-14M22-4L4-22");
    for (nth, fill) in (0..6).zip(["#fff3df", "#5d9ac0"].into_iter().cycle()) {
        let (x, y) = (-12 + 3 * nth, -2 + nth);
        pen.path(
            fill,
            &format!("M{x} {y}q10-4 10-10t10-14l4 1q-8 8-9 14t-11 11z"),
        );
    }
    pen.path("#f2c84b", "M-20-2h7l-1 9h-5z");
    pen.stroke("#d9483b", 1, "M-15-2l4-7");
}

pub(super) fn pumpkin_lantern(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (4, 1), 15, 5);
    pen.path("#b85d12", "M-14-9q0-12 14-12t14 12q0 11-14 12q-14-1-14-12z");
    pen.path("#e6801f", "M-14-9q0-12 11-12q8 0 8 12t-8 12q-11-1-11-12z");
    pen.path("#f7a94a", "M-10-10q0-9 6-10q-3 10 0 21q-6-2-6-11z");
    pen.path("#5d8f45", "M-2-21q0-6 5-8l2 3q-4 1-3 5z");
    pen.path(
        "#ffdf8c",
        "M-9-11l4-5 3 5zM1-11l4-5 3 5zM-9-6l3 2 3-2 3 2 3-2 4 2q-7 9-16 0z",
    );
    pen.light((-1, -8), 7);
}
