//! What a picture needs to be arranged in: pieces that can be told apart, and the grid they stand on.

use std::fmt::Write;

use super::{
    pen::{At, Data, Pen},
    sprite, text,
};
use crate::{
    grid::{CELL, Cell},
    scene::{Piece, Scene, Thing},
};

/// Draws a piece as a group that says which it is, where it stands and what it is called.
pub(super) fn piece(pen: &mut Pen<'_>, thing: &Thing, piece: &Piece, tenths: u8) {
    let label = text::escape(&piece.label);
    let attributes = format!(
        " data-instance=\"{}\" data-x=\"{}\" data-y=\"{}\" data-width=\"{}\" data-depth=\"{}\" \
         role=\"button\" tabindex=\"0\" aria-label=\"{label}\"",
        piece.instance, piece.cell.x, piece.cell.y, piece.footprint.width, piece.footprint.depth,
    );
    pen.standing_as((thing.x, thing.y), tenths, &attributes, |pen| {
        pen.raw(&format!("<title>{label}</title>"));
        sprite(pen, thing);
    });
}

/// Draws the cells that are ever free, and shades the ground that nothing can be put on.
pub(super) fn grid(pen: &mut Pen<'_>, scene: &Scene) {
    let mut free = Data::default();
    let mut reserved = Data::default();
    for y in 0..scene.side_cells {
        for x in 0..scene.side_cells {
            let cell = Cell { x, y };
            let (left, top) = cell.corner();
            let square = [
                At(left, top, 0),
                At(left + CELL, top, 0),
                At(left + CELL, top + CELL, 0),
                At(left, top + CELL, 0),
            ];
            if cell.is_reserved() {
                reserved.face(&square);
            } else {
                free.face(&square);
            }
        }
    }
    let mut attributes = String::from(" class=\"grid\" aria-hidden=\"true\"");
    // Writing to a String cannot fail.
    let _ = write!(
        attributes,
        " data-side=\"{}\" data-cell=\"{CELL}\"",
        scene.side_cells
    );
    let line = if pen.palette.snow {
        "#3b5a7a50"
    } else {
        "#ffffff80"
    };
    pen.standing_as((0, 0), 10, &attributes, |pen| {
        pen.path("#1d2b3a24", reserved.as_str());
        pen.path("#ffffff1c", free.as_str());
        pen.stroke(line, 1, free.as_str());
    });
}
