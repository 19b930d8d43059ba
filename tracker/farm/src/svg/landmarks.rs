//! The tall ones: windmill, watchtower, dovecote.

use super::{
    pen::{At, Data, Pen},
    solid::{Block, coat},
};

/// The four arms of the windmill, seen from the front: to the right and up.
const ARMS: [(i32, i32); 4] = [(64, 26), (-26, 64), (-64, -26), (26, -64)];

pub(super) fn windmill(pen: &mut Pen<'_>, level: u8) {
    let h = 92 + 10 * i32::from(level);
    pen.path("#1d2b3a30", "M-26 4L70-26q20 4 12 16L14 14z");
    pen.path("#a8a196", "M-34 0q34 22 68 0v-9q-34 20-68 0z");
    pen.path("#f7ead2", &format!("M-31-6L-20-{h}h40L31-6q-31 18-62 0z"));
    pen.path("#d3c0a0", &format!("M8 7L7-{h}h13L31-6q-11 9-23 13z"));
    pen.path("#ffffff70", &format!("M-27-7L-17-{h}h6L-18-3z"));
    pen.stroke(
        "#b09a7848",
        2,
        "M-29-26q29 16 58 0M-26-50q26 14 52 0M-23-74q23 12 46 0",
    );
    pen.path("#7a5232", "M-20 3q-1-28 6-30q8 3 7 35q-8-1-13-5z");
    pen.path("#a1784f", "M-14-62q5 2 10 2v14q-5 0-10-2z");
    pen.path("#bfe3ee", "M-12-59q3 1 6 1v9q-3 0-6-1z");
    pen.light((-9, -54), 6);
    let roof = -h;
    pen.path(
        "#b4553c",
        &format!("M-25 {}q4-34 25-38q21 4 25 38q-25 15-50 0z", roof + 2),
    );
    pen.path(
        "#8c3f2e",
        &format!("M5 {}q16 8 20 37q-9 6-19 7q6-22-1-44z", roof - 35),
    );
    if pen.palette.snow {
        pen.path(
            "#f6fafc",
            &format!(
                "M-20 {}q5-22 20-25q15 3 20 25q-10-6-20 0q-9-7-20 0z",
                roof - 11
            ),
        );
    }
    sails(pen, roof - 6, level);
}

/// The sails turn in the plane of a left face, so what is right of the hub also sinks.
fn sails(pen: &mut Pen<'_>, hub_y: i32, level: u8) {
    let hub = (-10, hub_y);
    let on_plane = |u: i32, w: i32| (hub.0 + u, hub.1 + u / 2 - w);
    let (mut cloth, mut spars, mut laths) = (Data::default(), Data::default(), Data::default());
    for (u, w) in ARMS {
        // Across the arm, a quarter turn further.
        let (au, aw) = (-w / 4, u / 4);
        let along = |tenths: i32| (u * tenths / 10, w * tenths / 10);
        let (near, far) = (along(3), along(11));
        cloth.outline(&[
            on_plane(near.0, near.1),
            on_plane(far.0, far.1),
            on_plane(far.0 + au, far.1 + aw),
            on_plane(near.0 + au, near.1 + aw),
        ]);
        let (tip_x, tip_y) = on_plane(far.0, far.1);
        spars.at(hub, &format!("L{tip_x} {tip_y}"));
        for tenths in [3, 5, 7, 9, 11] {
            let (x, y) = along(tenths);
            let (from, to) = (on_plane(x, y), on_plane(x + au, y + aw));
            laths.at(from, &format!("L{} {}", to.0, to.1));
        }
        let (outer, inner) = (
            on_plane(far.0 + au, far.1 + aw),
            on_plane(near.0 + au, near.1 + aw),
        );
        laths.at(outer, &format!("L{} {}", inner.0, inner.1));
    }
    pen.path(
        if level >= 2 { "#fdf6e6" } else { "#fdf6e6a0" },
        cloth.as_str(),
    );
    if level >= 3 {
        pen.path("#d9543f38", cloth.as_str());
    }
    pen.stroke("#8a6a4a", 1, laths.as_str());
    pen.stroke("#6b4a30", 3, spars.as_str());
    pen.ellipse("#5a3d28", hub, 6, 6);
    pen.ellipse("#c9a06a", (hub.0 - 1, hub.1 - 1), 3, 3);
}

pub(super) fn watchtower(pen: &mut Pen<'_>, level: u8) {
    let h = 66 + 14 * i32::from(level);
    let base = Block::around(40, 40, 0, 0);
    pen.shadow(&base, 48);
    let leg = |pen: &mut Pen<'_>, x: i32, y: i32| {
        pen.again("leg", At(x, y, 0).screen(), |pen| {
            pen.block(
                &Block::around(5, 5, 0, h),
                coat("#a87a4c", "#a87a4c", "#7d5733"),
            );
        });
    };
    leg(pen, -16, -16);
    leg(pen, -16, 16);
    leg(pen, 16, -16);
    let mut braces = Data::default();
    let mut z = 4;
    while z + 24 <= h {
        for (from, to) in [((-16, 18), (16, 18)), ((18, 16), (18, -16))] {
            braces.line(At(from.0, from.1, z), At(to.0, to.1, z + 22));
            braces.line(At(to.0, to.1, z), At(from.0, from.1, z + 22));
        }
        z += 26;
    }
    pen.stroke("#8a623c", 3, braces.as_str());
    leg(pen, 16, 16);
    pen.block(
        &Block::around(54, 54, h, h + 5),
        coat("#c99c69", "#b5854f", "#8a623b"),
    );
    let cabin = Block::around(40, 40, h + 5, h + 34);
    pen.block(&cabin, coat("#8a623b", "#c99760", "#9a6e44"));
    pen.boards(&cabin, 6, "#5f3d2240", false);
    pen.on_left("#4a3a34", 20, (-12, 12), (h + 15, h + 29));
    pen.on_left("#ffdf8c", 20, (-10, 10), (h + 17, h + 27));
    pen.on_right("#4a3a34", 20, (-12, 12), (h + 15, h + 29));
    pen.on_right("#e0b45e", 20, (-10, 10), (h + 17, h + 27));
    pen.light(At(0, 20, h + 22).screen(), 10);
    let mut rail = Data::default();
    for (a, b) in [((-27, 27), (27, 27)), ((27, 27), (27, -27))] {
        rail.line(At(a.0, a.1, h + 16), At(b.0, b.1, h + 16));
        for k in 0..=4 {
            let (x, y) = (a.0 + (b.0 - a.0) * k / 4, a.1 + (b.1 - a.1) * k / 4);
            rail.line(At(x, y, h + 5), At(x, y, h + 16));
        }
    }
    pen.stroke("#7d5733", 2, rail.as_str());
    let (low, apex) = (h + 32, At(0, 0, h + 64));
    pen.face("#5f8a7d", &[At(-28, 28, low), At(28, 28, low), apex]);
    pen.face("#45695f", &[At(28, -28, low), At(28, 28, low), apex]);
    if pen.palette.snow {
        pen.face(
            "#f6fafc",
            &[
                At(-16, 16, low + 12),
                At(4, 16, low + 14),
                At(16, 16, low + 12),
                apex,
            ],
        );
        pen.face(
            "#dbe6ee",
            &[At(16, -16, low + 12), At(16, 16, low + 12), apex],
        );
    }
    let (x, y) = apex.screen();
    pen.stroke("#5a4632", 2, &format!("M{x} {y}v-18"));
    pen.path("#d9543f", &format!("M{x} {}l16 5-16 6z", y - 19));
}

pub(super) fn dovecote(pen: &mut Pen<'_>, level: u8) {
    pen.path("#1d2b3a30", "M-4 2l40-14 8 6L6 5z");
    pen.path("#8a623c", "M-4 0v-56h8V0q-4 3-8 0z");
    pen.path("#6b4a2c", "M1-56h3V0l-3 1z");
    let floors = i32::from(level);
    let body = Block::around(28, 28, 54, 54 + 20 * floors);
    pen.block(
        &Block::around(38, 38, 50, 54),
        coat("#d9b98c", "#c29a66", "#96703f"),
    );
    pen.block(&body, coat("#fff", "#fff8e9", "#d9cdb8"));
    for floor in 0..floors {
        let z = 60 + 20 * floor;
        for a in [-9, 3] {
            pen.on_left("#4a3d38", 14, (a, a + 7), (z, z + 9));
            pen.on_right("#4a3d38", 14, (a, a + 7), (z, z + 9));
        }
    }
    let (low, apex) = (body.z1, At(0, 0, body.z1 + 26));
    pen.face("#5d86a6", &[At(-19, 19, low), At(19, 19, low), apex]);
    pen.face("#426480", &[At(19, -19, low), At(19, 19, low), apex]);
    let (x, y) = apex.screen();
    pen.path(
        "#fff",
        &format!("M{} {y}q6-7 10-2q1-6 5-6q4 1 2 6q-2 6-9 5z", x - 8),
    );
    pen.path("#fff", &format!("M-{} -{}l9-5 4 3 10-6-8 9-8 1z", 46, low));
    pen.path("#fff", "M34-112l-9-5-3 3-9-5 6 9 8 2z");
}
