//! The ground as a grid of cells: how far it reaches, what on it is never free, and where there is room.
//!
//! Cell (0, 0) is at the back of the farm; x runs to the lower right of the picture, y to the lower
//! left, as in [`crate::scene`].

use crate::scene::{self, Plot};

/// Cells along each side of a grown farm.
pub const SIDE_MAX: u8 = 22;

/// Units of the scene along each side of a cell.
pub const CELL: i32 = 22;

/// Units from the edge of the land to the first cell: the fence runs there.
const MARGIN: i32 = 22;

/// Units by which a field may reach into a cell that still counts as free.
const FIELD_REACH: i32 = 8;

/// Cells along each side of the ground of a farm: 16 at level 1, 22 from level 6 on.
pub fn side(farm_level: u64) -> u8 {
    match farm_level {
        0..=1 => 16,
        2 => 17,
        3 => 18,
        4 => 20,
        5 => 21,
        _ => SIDE_MAX,
    }
}

/// A cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Steps to the lower right.
    pub x: u8,
    /// Steps to the lower left.
    pub y: u8,
}

/// Cells that a thing takes, from its cell on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Along x.
    pub width: u8,
    /// Along y.
    pub depth: u8,
}

impl Footprint {
    /// The cells taken by a thing that stands at `cell`.
    pub fn cells(self, cell: Cell) -> impl Iterator<Item = Cell> {
        let rows = cell.y..cell.y.saturating_add(self.depth);
        rows.flat_map(move |y| {
            (cell.x..cell.x.saturating_add(self.width)).map(move |x| Cell { x, y })
        })
    }

    /// The middle of what it takes at `cell`, in units of the scene.
    pub fn centre(self, cell: Cell) -> (i32, i32) {
        let along =
            |at: u8, extent: u8| MARGIN + CELL * i32::from(at) + CELL * i32::from(extent) / 2;
        (along(cell.x, self.width), along(cell.y, self.depth))
    }
}

impl Cell {
    /// Its back corner, in units of the scene.
    pub fn corner(self) -> (i32, i32) {
        let along = |at: u8| MARGIN + CELL * i32::from(at);
        (along(self.x), along(self.y))
    }

    /// The cell in which a point of the scene lies.
    pub(crate) fn under(x: i32, y: i32) -> Option<Self> {
        let along = |at: i32| u8::try_from((at - MARGIN).div_euclid(CELL)).ok();
        Some(Self {
            x: along(x)?,
            y: along(y)?,
        })
    }

    /// Whether house, flag, fire or a field is there: nothing else is ever put on it.
    pub fn is_reserved(self) -> bool {
        let house = (1..=4).contains(&self.x) && (1..=4).contains(&self.y);
        house || matches!((self.x, self.y), (0, 0) | (6, 4)) || self.in_field()
    }

    fn in_field(self) -> bool {
        let (x, y) = self.corner();
        let reach = |from: i32, start: i32, length: i32| {
            (from + CELL).min(start + length) - from.max(start)
        };
        scene::field_corners().any(|(left, top)| {
            reach(x, left, Plot::WIDTH) > FIELD_REACH && reach(y, top, Plot::DEPTH) > FIELD_REACH
        })
    }
}

/// Which cells are taken.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    side: u8,
    taken: Vec<bool>,
}

impl Ground {
    /// The bare ground of a farm, with what is never free taken.
    pub(crate) fn new(farm_level: u64) -> Self {
        let side = side(farm_level);
        let taken = (0..side)
            .flat_map(|y| (0..side).map(move |x| Cell { x, y }.is_reserved()))
            .collect();
        Self { side, taken }
    }

    pub(crate) fn side(&self) -> u8 {
        self.side
    }

    /// Whether every cell of it is on the grid.
    pub(crate) fn holds(&self, cell: Cell, footprint: Footprint) -> bool {
        let within = |at: u8, extent: u8| at.saturating_add(extent) <= self.side;
        within(cell.x, footprint.width) && within(cell.y, footprint.depth)
    }

    fn index(&self, cell: Cell) -> Option<usize> {
        let on = cell.x < self.side && cell.y < self.side;
        on.then(|| usize::from(cell.y) * usize::from(self.side) + usize::from(cell.x))
    }

    /// Whether the cell is off the grid or taken.
    pub(crate) fn is_taken(&self, cell: Cell) -> bool {
        self.index(cell)
            .and_then(|index| self.taken.get(index).copied())
            .unwrap_or(true)
    }

    /// Whether there is room for it.
    pub(crate) fn has_room(&self, cell: Cell, footprint: Footprint) -> bool {
        self.holds(cell, footprint) && footprint.cells(cell).all(|cell| !self.is_taken(cell))
    }

    /// Takes its cells if there is room, and says whether there was.
    pub(crate) fn take(&mut self, cell: Cell, footprint: Footprint) -> bool {
        let room = self.has_room(cell, footprint);
        if room {
            for cell in footprint.cells(cell) {
                if let Some(index) = self.index(cell)
                    && let Some(taken) = self.taken.get_mut(index)
                {
                    *taken = true;
                }
            }
        }
        room
    }

    /// The cell nearest to `wanted` with room for it; of equally near ones the one furthest back.
    pub(crate) fn nearest(&self, wanted: Cell, footprint: Footprint) -> Option<Cell> {
        let distance = |cell: &Cell| {
            let (dx, dy) = (cell.x.abs_diff(wanted.x), cell.y.abs_diff(wanted.y));
            (u32::from(dx).pow(2) + u32::from(dy).pow(2), cell.y, cell.x)
        };
        (0..self.side)
            .flat_map(|y| (0..self.side).map(move |x| Cell { x, y }))
            .filter(|cell| self.has_room(*cell, footprint))
            .min_by_key(distance)
    }
}
