//! Writes shapes as SVG, projects the farm's space onto the picture, and keeps both small.
//!
//! Only integers are written (scales are whole tenths), so no formatting of floats can differ.

use std::{collections::BTreeSet, fmt::Write};

use super::palette::Palette;

/// Where the back corner of the farm is in the picture.
pub(super) const ORIGIN: (i32, i32) = (600, 196);

/// A point in the farm's space: x to the lower right, y to the lower left, z up.
#[derive(Debug, Clone, Copy)]
pub(super) struct At(pub(super) i32, pub(super) i32, pub(super) i32);

impl At {
    /// Where it is in the picture, seen from its origin.
    pub(super) fn screen(self) -> (i32, i32) {
        (self.0 - self.1, (self.0 + self.1).div_euclid(2) - self.2)
    }
}

/// Collects the shapes of one picture.
pub(super) struct Pen<'a> {
    out: String,
    /// What shines: drawn over everything else, and only at night.
    glow: String,
    /// Where the thing being drawn stands in the picture.
    foot: (i32, i32),
    /// What the picture's own ids start with.
    prefix: String,
    /// Shapes drawn once and used again, by name.
    known: BTreeSet<String>,
    pub(super) palette: &'a Palette,
}

impl<'a> Pen<'a> {
    pub(super) fn new(palette: &'a Palette, prefix: String) -> Self {
        Self {
            out: String::with_capacity(48 * 1024),
            glow: String::new(),
            foot: (0, 0),
            prefix,
            known: BTreeSet::new(),
            palette,
        }
    }

    /// The shapes, and apart from them what shines.
    pub(super) fn finish(self) -> (String, String) {
        (self.out, self.glow)
    }

    /// Markup as it is.
    pub(super) fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// Draws a thing around its foot at `x`, `y` on the ground, `tenths` of its size.
    pub(super) fn standing(&mut self, x: i32, y: i32, tenths: u8, draw: impl FnOnce(&mut Self)) {
        self.standing_as((x, y), tenths, "", draw);
    }

    /// The same, with more `attributes` on its group; what `draw` adds to the markup comes first in it.
    pub(super) fn standing_as(
        &mut self,
        (x, y): (i32, i32),
        tenths: u8,
        attributes: &str,
        draw: impl FnOnce(&mut Self),
    ) {
        let (sx, sy) = At(x, y, 0).screen();
        self.foot = (ORIGIN.0 + sx, ORIGIN.1 + sy);
        let (x, y) = self.foot;
        let scale = match tenths {
            10 => String::new(),
            t => format!("scale({}.{})", t / 10, t % 10),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            self.out,
            "<g{attributes} transform=\"translate({x} {y}){scale}\">"
        );
        draw(self);
        self.out.push_str("</g>");
    }

    /// Draws what looks the same wherever it stands: the first time in full, later as a reference. The
    /// offset is from the foot of the thing being drawn.
    pub(super) fn again(&mut self, name: &str, (dx, dy): (i32, i32), draw: impl FnOnce(&mut Self)) {
        let first = self.known.insert(name.to_owned());
        let offset = match (dx, dy) {
            (0, 0) => String::new(),
            _ if first => format!(" transform=\"translate({dx} {dy})\""),
            _ => format!(" x=\"{dx}\" y=\"{dy}\""),
        };
        if first {
            let _ = write!(self.out, "<g{offset}><g id=\"{}{name}\">", self.prefix);
            draw(self);
            self.out.push_str("</g></g>");
        } else {
            let _ = write!(self.out, "<use href=\"#{}{name}\"{offset}/>", self.prefix);
        }
    }

    /// Where the thing being drawn stands in the picture.
    pub(super) fn foot(&self) -> (i32, i32) {
        self.foot
    }

    /// Markup that shines at night.
    pub(super) fn shine(&mut self, markup: &str) {
        self.glow.push_str(markup);
    }

    /// A shape by its path data.
    pub(super) fn path(&mut self, fill: &str, data: &str) {
        if !data.is_empty() {
            let _ = write!(self.out, "<path fill=\"{fill}\" d=\"{data}\"/>");
        }
    }

    /// A line by its path data.
    pub(super) fn stroke(&mut self, colour: &str, width: i32, data: &str) {
        if !data.is_empty() {
            let _ = write!(
                self.out,
                "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" d=\"{data}\"/>"
            );
        }
    }

    /// Round dots: a line with round ends for each start in `data`.
    pub(super) fn dots(&mut self, colour: &str, width: i32, data: &Data) {
        if !data.0.is_empty() {
            let _ = write!(
                self.out,
                "<path stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linecap=\"round\" d=\"{}\"/>",
                data.0
            );
        }
    }

    /// A flat ellipse.
    pub(super) fn ellipse(&mut self, fill: &str, (cx, cy): (i32, i32), rx: i32, ry: i32) {
        if rx == ry {
            let _ = write!(
                self.out,
                "<circle fill=\"{fill}\" cx=\"{cx}\" cy=\"{cy}\" r=\"{rx}\"/>"
            );
        } else {
            let _ = write!(
                self.out,
                "<ellipse fill=\"{fill}\" cx=\"{cx}\" cy=\"{cy}\" rx=\"{rx}\" ry=\"{ry}\"/>"
            );
        }
    }

    /// A light at a point of the thing being drawn.
    pub(super) fn light(&mut self, (dx, dy): (i32, i32), radius: i32) {
        let (x, y) = (self.foot.0 + dx, self.foot.1 + dy);
        let name = format!("{}light{radius}", self.prefix);
        if self.known.insert(name.clone()) {
            let (wide, r) = (2 * radius, radius);
            let _ = write!(
                self.glow,
                "<g transform=\"translate({x} {y})\"><circle id=\"{name}\" fill=\"#ffe7a3e0\" stroke=\"#ffcf6b40\" stroke-width=\"{wide}\" r=\"{r}\"/></g>"
            );
        } else {
            let _ = write!(self.glow, "<use href=\"#{name}\" x=\"{x}\" y=\"{y}\"/>");
        }
    }

    /// A face through points in space.
    pub(super) fn face(&mut self, fill: &str, corners: &[At]) {
        let mut data = Data::default();
        data.face(corners);
        self.path(fill, data.as_str());
    }

    /// The shadow that a footprint throws to the right.
    pub(super) fn shadow(&mut self, b: &super::solid::Block, length: i32) {
        self.face(
            "#1d2b3a30",
            &[
                At(b.x0, b.y0 + 6, 0),
                At(b.x1 + length, b.y0 - length / 3, 0),
                At(b.x1 + length, b.y1 - length / 3, 0),
                At(b.x1, b.y1, 0),
                At(b.x0, b.y1, 0),
            ],
        );
    }
}

/// Path data: many outlines of one colour in one shape.
#[derive(Default)]
pub(super) struct Data(String);

impl Data {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Any path command at an absolute start.
    pub(super) fn at(&mut self, (x, y): (i32, i32), rest: &str) {
        let gap = if y < 0 { "" } else { " " };
        let _ = write!(self.0, "M{x}{gap}{y}{rest}");
    }

    /// A dot, to be drawn by [`Pen::dots`].
    pub(super) fn dot(&mut self, at: (i32, i32)) {
        self.at(at, "h1");
    }

    /// A dot stretched upwards.
    pub(super) fn grain(&mut self, at: (i32, i32), height: i32) {
        self.at(at, &format!("v-{height}"));
    }

    /// A closed outline in the picture, written as steps.
    pub(super) fn outline(&mut self, points: &[(i32, i32)]) {
        let Some((first, rest)) = points.split_first() else {
            return;
        };
        self.at(*first, "");
        let mut last = *first;
        for point in rest {
            let (dx, dy) = (point.0 - last.0, point.1 - last.1);
            let _ = match (dx, dy) {
                (0, _) => write!(self.0, "v{dy}"),
                (_, 0) => write!(self.0, "h{dx}"),
                (_, 1..) => write!(self.0, "l{dx} {dy}"),
                _ => write!(self.0, "l{dx}{dy}"),
            };
            last = *point;
        }
        self.0.push('z');
    }

    /// A closed outline through points in space.
    pub(super) fn face(&mut self, corners: &[At]) {
        let points: Vec<_> = corners.iter().map(|corner| corner.screen()).collect();
        self.outline(&points);
    }

    /// A line between two points in space.
    pub(super) fn line(&mut self, from: At, to: At) {
        let (start, end) = (from.screen(), to.screen());
        let (dx, dy) = (end.0 - start.0, end.1 - start.1);
        let gap = if dy < 0 { "" } else { " " };
        self.at(start, &format!("l{dx}{gap}{dy}"));
    }

    /// An ellipse.
    pub(super) fn blob(&mut self, (cx, cy): (i32, i32), rx: i32, ry: i32) {
        let (left, width) = (cx - rx, 2 * rx);
        let _ = write!(
            self.0,
            "M{left} {cy}a{rx} {ry} 0 1 0 {width} 0a{rx} {ry} 0 1 0-{width} 0z"
        );
    }
}
