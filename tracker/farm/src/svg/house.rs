//! The farmer's home: from a tent to a grand farmhouse.

use super::{
    pen::{At, Pen},
    solid::{Block, Ridge, Roof, coat},
};

const GLASS: &str = "#bfe3ee";

pub(super) fn house(pen: &mut Pen<'_>, stage: u8) {
    match stage {
        1 => tent(pen),
        2 => cabin(pen),
        3 => cottage(pen),
        _ => farmhouse(pen, stage >= 5),
    }
}

fn tent(pen: &mut Pen<'_>) {
    let base = Block::around(54, 60, 0, 0);
    pen.shadow(&base, 22);
    pen.face(
        "#c98f4a",
        &[At(27, -30, 0), At(27, 30, 0), At(0, 30, 46), At(0, -30, 46)],
    );
    pen.face("#f0c887", &[At(-27, 30, 0), At(27, 30, 0), At(0, 30, 46)]);
    pen.face("#7a5432", &[At(-10, 30, 0), At(10, 30, 0), At(0, 30, 40)]);
    pen.face("#f7dca6", &[At(-10, 30, 0), At(-17, 30, 0), At(0, 30, 40)]);
    pen.stroke("#8a6238", 2, "M-30 15L-30-36M27-19l16 8M-57 2l-8 6");
    pen.path("#d9543f", "M-30-36l16 5-16 6z");
    // A campfire to cook on.
    pen.path("#5c4434", "M-10 56l20 4M-9 62l18-8M-14 57h28v4h-28z");
    pen.path("#f08a2c", "M-7 57q-2-8 4-13q1 5 4 3q1-3 0-6q9 7 5 16z");
    pen.path("#ffd968", "M-3 57q-1-5 3-8q4 4 3 8z");
    pen.light((0, 52), 8);
}

fn window_left(pen: &mut Pen<'_>, y: i32, x: i32, low: i32) {
    pen.again("pane", At(x, y, low).screen(), |pen| {
        pen.on_left("#fffaf0", 0, (-1, 13), (-1, 15));
        pen.on_left(GLASS, 0, (1, 11), (1, 13));
        pen.on_left("#e6f5f9", 0, (1, 5), (6, 13));
        pen.on_left("#8a5b3a", 0, (-2, 14), (-4, -1));
    });
    pen.light(At(x + 6, y, low + 7).screen(), 5);
}

fn window_right(pen: &mut Pen<'_>, x: i32, y: i32, low: i32) {
    pen.again("side", At(x, y, low).screen(), |pen| {
        pen.on_right("#e6dccb", 0, (-1, 13), (-1, 15));
        pen.on_right("#8fbccb", 0, (1, 11), (1, 13));
    });
    pen.light(At(x, y + 6, low + 7).screen(), 5);
}

fn door(pen: &mut Pen<'_>, y: i32, x: i32, colour: &str) {
    pen.face(
        "#b9a78e",
        &[
            At(x - 3, y, 0),
            At(x + 17, y, 0),
            At(x + 17, y + 9, 0),
            At(x - 3, y + 9, 0),
        ],
    );
    pen.on_left("#fffaf0", y, (x - 2, x + 16), (0, 28));
    pen.on_left(colour, y, (x, x + 14), (0, 26));
    pen.on_left("#f3c95a", y, (x + 10, x + 12), (11, 14));
}

fn chimney(pen: &mut Pen<'_>, x: i32, y: i32, (low, high): (i32, i32)) {
    let stack = Block::around(13, 13, low, high).moved(x, y);
    pen.block(&stack, coat("#6b4a41", "#b3715a", "#8c5444"));
    pen.boards(&stack, 6, "#00000026", false);
    let rim = Block::around(17, 17, high, high + 4).moved(x, y);
    pen.block(&rim, coat("#5b4038", "#c9876d", "#9c604d"));
    let (sx, sy) = At(x, y, high + 4).screen();
    for (dx, dy, r, fill) in [
        (2, -9, 6, "#ffffffb0"),
        (9, -24, 9, "#ffffff80"),
        (20, -44, 13, "#ffffff50"),
    ] {
        pen.ellipse(fill, (sx + dx, sy + dy), r, r - 1);
    }
}

fn cabin(pen: &mut Pen<'_>) {
    let walls = Block::around(76, 62, 0, 34);
    pen.shadow(&walls, 34);
    pen.block(&walls, coat("#c08a55", "#c79059", "#96663c"));
    pen.boards(&walls, 7, "#5f3d2240", false);
    door(pen, 31, -8, "#5d7f5a");
    window_left(pen, 31, -32, 12);
    window_left(pen, 31, 18, 12);
    window_right(pen, 38, -6, 12);
    chimney(pen, -14, -12, (40, 76));
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 34,
            eave: 8,
            coat: coat("#8a5a3c", "#6b4630", "#5a3a28"),
            gable: "#a5713f",
        },
    );
}

fn cottage(pen: &mut Pen<'_>) {
    let walls = Block::around(92, 72, 0, 40);
    pen.shadow(&walls, 40);
    pen.block(&walls, coat("#efe3cc", "#fbf0da", "#d8c6a6"));
    pen.plinth(&walls, 7);
    door(pen, 37, -7, "#3f7f8c");
    window_left(pen, 36, -36, 15);
    window_left(pen, 36, 22, 15);
    window_right(pen, 46, -22, 15);
    window_right(pen, 46, 8, 15);
    chimney(pen, 20, -16, (46, 92));
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 42,
            eave: 9,
            coat: coat("#cf6a46", "#8f4630", "#f2e2c8"),
            gable: "#d8c6a6",
        },
    );
    window_right(pen, 46, -6, 46);
}

fn farmhouse(pen: &mut Pen<'_>, grand: bool) {
    let walls = Block::around(104, 76, 0, if grand { 62 } else { 50 });
    let top = walls.z1;
    pen.shadow(&walls, 52);
    pen.block(&walls, coat("#f4ead6", "#fff6e4", "#dccbae"));
    pen.boards(&walls, 6, "#a58d6a2c", false);
    pen.plinth(&walls, 7);
    for (x, low) in [
        (-46, 14),
        (34, 14),
        (-46, 38),
        (-24, 38),
        (12, 38),
        (34, 38),
    ] {
        if low == 14 || grand {
            window_left(pen, 38, x, low);
        }
    }
    for (y, low) in [(-26, 15), (10, 15), (-26, 38), (10, 38)] {
        if low == 15 || grand {
            window_right(pen, 52, y, low);
        }
    }
    door(pen, 39, -7, "#b4473a");
    chimney(pen, 26, -18, (top, top + 58));
    if grand {
        chimney(pen, -34, -16, (top, top + 52));
    }
    let red = coat("#c4553f", "#84372c", "#fbefda");
    pen.roof(
        &walls,
        &Roof {
            ridge: Ridge::X,
            rise: 46,
            eave: 9,
            coat: red,
            gable: "#dccbae",
        },
    );
    window_right(pen, 52, -6, top + 8);
    porch(pen, top);
}

/// A gabled porch before the door, and a small dormer above.
fn porch(pen: &mut Pen<'_>, top: i32) {
    let deck = Block::around(44, 24, 0, 4).moved(0, 51);
    pen.block(&deck, coat("#c99c69", "#a97c4d", "#8a623b"));
    for (x, y) in [(-19, 60), (19, 60)] {
        pen.block(
            &Block::around(4, 4, 4, 34).moved(x, y),
            coat("#fff", "#fff8ea", "#d9cbb3"),
        );
    }
    let slab = Block::around(44, 26, 34, 37).moved(0, 51);
    pen.block(&slab, coat("#fff6e4", "#fff6e4", "#dccbae"));
    pen.roof(
        &slab,
        &Roof {
            ridge: Ridge::Y,
            rise: 18,
            eave: 4,
            coat: coat("#a84535", "#c4553f", "#fbefda"),
            gable: "#fff6e4",
        },
    );
    let dormer = Block::around(26, 20, top + 4, top + 18).moved(-28, 22);
    pen.block(&dormer, coat("#fff6e4", "#fff6e4", "#dccbae"));
    window_left(pen, 32, -34, top + 4);
    pen.roof(
        &dormer,
        &Roof {
            ridge: Ridge::Y,
            rise: 14,
            eave: 3,
            coat: coat("#a84535", "#c4553f", "#fbefda"),
            gable: "#fff6e4",
        },
    );
}
