//! Solids of which buildings are made. The sun stands on the left: left faces are lit, right ones are
//! in the shade.

use super::pen::{At, Data, Pen};

/// A box in the farm's space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) x0: i32,
    pub(super) y0: i32,
    pub(super) x1: i32,
    pub(super) y1: i32,
    pub(super) z0: i32,
    pub(super) z1: i32,
}

impl Block {
    /// A box around the foot: extents along x and y, and from where to where it is high.
    pub(super) fn around(width: i32, depth: i32, z0: i32, z1: i32) -> Self {
        Self {
            x0: -width / 2,
            y0: -depth / 2,
            x1: width - width / 2,
            y1: depth - depth / 2,
            z0,
            z1,
        }
    }

    /// The same box elsewhere.
    pub(super) fn moved(self, dx: i32, dy: i32) -> Self {
        Self {
            x0: self.x0 + dx,
            x1: self.x1 + dx,
            y0: self.y0 + dy,
            y1: self.y1 + dy,
            ..self
        }
    }
}

/// Colours of the three faces that are seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coat {
    pub(super) top: &'static str,
    pub(super) left: &'static str,
    pub(super) right: &'static str,
}

/// A coat of paint.
pub(super) const fn coat(top: &'static str, left: &'static str, right: &'static str) -> Coat {
    Coat { top, left, right }
}

/// Which way the ridge of a roof runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ridge {
    X,
    Y,
}

/// A gable roof.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roof {
    pub(super) ridge: Ridge,
    pub(super) rise: i32,
    pub(super) eave: i32,
    /// `top` is the slope in view, `left` the slope behind, `right` the line along its edges.
    pub(super) coat: Coat,
    pub(super) gable: &'static str,
}

impl Pen<'_> {
    /// A box.
    pub(super) fn block(&mut self, b: &Block, coat: Coat) {
        let Block {
            x0,
            y0,
            x1,
            y1,
            z0,
            z1,
        } = *b;
        self.face(
            coat.left,
            &[
                At(x0, y1, z0),
                At(x1, y1, z0),
                At(x1, y1, z1),
                At(x0, y1, z1),
            ],
        );
        self.face(
            coat.right,
            &[
                At(x1, y0, z0),
                At(x1, y1, z0),
                At(x1, y1, z1),
                At(x1, y0, z1),
            ],
        );
        self.face(
            coat.top,
            &[
                At(x0, y0, z1),
                At(x1, y0, z1),
                At(x1, y1, z1),
                At(x0, y1, z1),
            ],
        );
    }

    /// A rectangle on the left face of a box: from `a` to `b` along x, `low` to `high` above ground.
    pub(super) fn on_left(
        &mut self,
        fill: &str,
        y: i32,
        (a, b): (i32, i32),
        (low, high): (i32, i32),
    ) {
        self.face(
            fill,
            &[At(a, y, low), At(b, y, low), At(b, y, high), At(a, y, high)],
        );
    }

    /// A rectangle on the right face of a box: from `a` to `b` along y.
    pub(super) fn on_right(
        &mut self,
        fill: &str,
        x: i32,
        (a, b): (i32, i32),
        (low, high): (i32, i32),
    ) {
        self.face(
            fill,
            &[At(x, a, low), At(x, b, low), At(x, b, high), At(x, a, high)],
        );
    }

    /// The stone foot of a wall.
    pub(super) fn plinth(&mut self, b: &Block, height: i32) {
        let Block { x0, y0, x1, y1, .. } = *b;
        self.on_left("#b1aba1", y1 + 1, (x0, x1 + 1), (0, height));
        self.on_right("#8b857c", x1 + 1, (y0, y1 + 1), (0, height));
    }

    /// Boards on both faces of a box, `step` apart and lying or standing.
    pub(super) fn boards(&mut self, b: &Block, step: i32, colour: &str, standing: bool) {
        let mut data = Data::default();
        if standing {
            let mut x = b.x0 + step;
            while x < b.x1 {
                data.line(At(x, b.y1, b.z0), At(x, b.y1, b.z1));
                x += step;
            }
            let mut y = b.y0 + step;
            while y < b.y1 {
                data.line(At(b.x1, y, b.z0), At(b.x1, y, b.z1));
                y += step;
            }
        } else {
            let mut z = b.z0 + step;
            while z < b.z1 {
                data.line(At(b.x0, b.y1, z), At(b.x1, b.y1, z));
                data.line(At(b.x1, b.y1, z), At(b.x1, b.y0, z));
                z += step;
            }
        }
        self.stroke(colour, 1, data.as_str());
    }

    /// A gable roof on top of a box.
    pub(super) fn roof(&mut self, b: &Block, roof: &Roof) {
        // Drawn for a ridge along x; one along y is its mirror image.
        let mirrored = roof.ridge == Ridge::Y;
        let (a0, a1, b0, b1) = if mirrored {
            (b.y0, b.y1, b.x0, b.x1)
        } else {
            (b.x0, b.x1, b.y0, b.y1)
        };
        let at = |along: i32, across: i32, z: i32| {
            if mirrored {
                At(across, along, z)
            } else {
                At(along, across, z)
            }
        };
        let (e, mid, top) = (roof.eave, i32::midpoint(b0, b1), b.z1 + roof.rise);
        let low = b.z1 - e * 2 * roof.rise / (b1 - b0).max(1);
        self.face(
            roof.coat.left,
            &[
                at(a0 - e, b0 - e, low),
                at(a1 + e, b0 - e, low),
                at(a1 + e, mid, top),
                at(a0 - e, mid, top),
            ],
        );
        self.face(
            roof.gable,
            &[at(a1, b0, b.z1), at(a1, b1, b.z1), at(a1, mid, top)],
        );
        let (near, far) = (a1 + e, a0 - e);
        self.face(
            roof.coat.top,
            &[
                at(far, mid, top),
                at(near, mid, top),
                at(near, b1 + e, low),
                at(far, b1 + e, low),
            ],
        );
        let mut rows = Data::default();
        for k in 1..5 {
            let (across, z) = (mid + (b1 + e - mid) * k / 5, top + (low - top) * k / 5);
            rows.line(at(far, across, z), at(near, across, z));
        }
        self.stroke("#0000001c", 2, rows.as_str());
        if self.palette.snow {
            let (across, z) = (mid + (b1 + e - mid) * 3 / 5, top + (low - top) * 3 / 5);
            let (notch, notch_z) = (mid + (b1 + e - mid) / 2, i32::midpoint(top, low));
            self.face(
                if mirrored { "#dbe6ee" } else { "#f6fafc" },
                &[
                    at(far, mid, top),
                    at(near, mid, top),
                    at(near, across, z),
                    at(i32::midpoint(far, near), notch, notch_z),
                    at(far, across, z),
                ],
            );
        }
        let mut edge = Data::default();
        edge.line(at(near, b0 - e, low), at(near, mid, top));
        edge.line(at(near, mid, top), at(near, b1 + e, low));
        edge.line(at(near, b1 + e, low), at(far, b1 + e, low));
        self.stroke(roof.coat.right, 3, edge.as_str());
    }

    /// A standing cylinder around the foot, lit from the left, without its top.
    pub(super) fn cylinder(&mut self, radius: i32, (low, high): (i32, i32), coat: Coat) {
        let (r, flat, rise) = (radius, radius / 2, high - low);
        self.path(
            coat.left,
            &format!(
                "M-{r} {}v-{rise}h{}v{rise}a{r} {flat} 0 0 1-{} 0z",
                -low,
                2 * r,
                2 * r
            ),
        );
        let (third, near) = (r / 3, flat * 15 / 16);
        self.path(
            coat.right,
            &format!(
                "M{third}-{high}H{r}V{}A{r} {flat} 0 0 1 {third} {}z",
                -low,
                near - low
            ),
        );
        self.ellipse(coat.top, (0, -high), r, flat);
    }
}
