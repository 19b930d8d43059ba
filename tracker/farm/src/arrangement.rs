//! Where everything that a farm owns stands: the one function from wishes to a picture without faults.
//!
//! Whatever was wished for, by an owner, by two devices at once or by a stranger's document, the
//! [`Arrangement`] that comes out holds only what is owned, each piece once, on the grid, and nothing
//! over anything else. What finds no room is in the shed.

use std::{fmt, str::FromStr};

use crate::{
    catalogue::{Catalogue, Item, Owned, is_slug, level_of},
    grid::{Cell, Footprint, Ground},
    svg::text::is_visible,
};

mod json;
#[cfg(test)]
pub(crate) mod tests;

pub use json::ARRANGEMENT_BYTES_MAX;

/// Characters of a name that an owner gives to a thing.
pub const NAME_CHARS_MAX: usize = 40;

/// One piece of an item: `barn.1`, or the third of the beehives, `beehives.3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// The item's slug.
    pub item: String,
    /// Which piece of it, from 1.
    pub nth: u8,
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.item, self.nth)
    }
}

/// A text that names no piece: it is not `slug.number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an item and a number from 1, like barn.1")]
pub struct NotAnInstance;

impl FromStr for Instance {
    type Err = NotAnInstance;

    fn from_str(text: &str) -> Result<Self, NotAnInstance> {
        let (item, digits) = text.split_once('.').ok_or(NotAnInstance)?;
        let nth: u8 = digits.parse().map_err(|_| NotAnInstance)?;
        // One text for each piece: no sign and no leading zero.
        if nth == 0 || digits.starts_with(['0', '+']) || !is_slug(item) {
            return Err(NotAnInstance);
        }
        Ok(Self {
            item: item.to_owned(),
            nth,
        })
    }
}

/// A piece on the ground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Which one it is.
    pub instance: Instance,
    /// Its back corner.
    pub cell: Cell,
    /// What it takes from there.
    pub footprint: Footprint,
    /// The name that its owner gave it.
    pub name: Option<String>,
}

/// A piece in the shed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which one it is.
    pub instance: Instance,
    /// The name that its owner gave it.
    pub name: Option<String>,
}

/// Where everything stands. Pieces are in the order of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    side: u8,
    placed: Vec<Placed>,
    shed: Vec<Stored>,
}

/// Where somebody wants a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Spot {
    /// Nobody has said: its usual place.
    #[default]
    Usual,
    /// There; of two that want the same ground, the lower rank has it.
    At(Cell, u64),
    /// Not on the ground.
    Shed,
}

/// What somebody wants of a piece.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Wish {
    pub(crate) spot: Spot,
    pub(crate) name: Option<String>,
}

/// A piece that the farm owns.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) instance: Instance,
    pub(crate) footprint: Footprint,
    usual: Cell,
}

/// The pieces of everything owned that stands on the ground, in the order of the catalogue.
pub(crate) fn pieces(owned: &[Owned]) -> Vec<Piece> {
    let items = Catalogue::builtin().items().iter();
    items
        .flat_map(|item| pieces_of(item, level_of(owned, &item.slug)))
        .collect()
}

fn pieces_of(item: &Item, level: u64) -> impl Iterator<Item = Piece> {
    let stands = item.stands.iter();
    stands.flat_map(move |stands| {
        let [width, depth] = stands.size;
        let cells = stands.at.iter().zip(1..=item.pieces(level));
        cells.map(move |([x, y], nth)| Piece {
            instance: Instance {
                item: item.slug.clone(),
                nth,
            },
            footprint: Footprint { width, depth },
            usual: Cell { x: *x, y: *y },
        })
    })
}

/// Whether `name` may be given to a thing: some visible characters, not too many, no hidden ones.
pub(crate) fn is_name(name: &str) -> bool {
    let mut count = 0;
    let fine = name.chars().all(|c| {
        count += 1;
        count <= NAME_CHARS_MAX && is_visible(c)
    });
    fine && !name.is_empty() && name.trim() == name
}

impl Arrangement {
    /// The usual arrangement, where nobody has moved anything.
    pub fn usual(owned: &[Owned], farm_level: u64) -> Self {
        Self::of(owned, farm_level, |_| Wish::default())
    }

    /// Fulfils as many wishes as there is room for.
    ///
    /// First come those that say where, the lowest rank first; then those that found their ground taken
    /// or off the grid, as near to it as can be; then the pieces that nobody has moved, at their usual
    /// place or as near to it as can be.
    pub(crate) fn of(
        owned: &[Owned],
        farm_level: u64,
        mut wish: impl FnMut(&Instance) -> Wish,
    ) -> Self {
        let mut ground = Ground::new(farm_level);
        let mut chosen: Vec<Chosen> = pieces(owned)
            .into_iter()
            .map(|piece| Chosen {
                wish: wish(&piece.instance),
                piece,
                cell: None,
            })
            .collect();
        settle(&mut chosen, &mut ground);
        let mut arrangement = Self {
            side: ground.side(),
            placed: Vec::new(),
            shed: Vec::new(),
        };
        for Chosen { piece, wish, cell } in chosen {
            let (instance, name) = (piece.instance, wish.name.filter(|name| is_name(name)));
            match cell {
                Some(cell) => arrangement.placed.push(Placed {
                    instance,
                    cell,
                    footprint: piece.footprint,
                    name,
                }),
                None => arrangement.shed.push(Stored { instance, name }),
            }
        }
        arrangement
    }

    /// Cells along each side of the ground.
    pub fn side(&self) -> u8 {
        self.side
    }

    /// What stands on the ground.
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// What is in the shed.
    pub fn shed(&self) -> &[Stored] {
        &self.shed
    }

    /// The piece on the ground of that name.
    pub fn find(&self, instance: &Instance) -> Option<&Placed> {
        self.placed.iter().find(|p| p.instance == *instance)
    }

    /// What stands on a cell.
    pub fn on(&self, cell: Cell) -> Option<&Placed> {
        let covers = |p: &&Placed| p.footprint.cells(p.cell).any(|c| c == cell);
        self.placed.iter().find(covers)
    }
}

struct Chosen {
    piece: Piece,
    wish: Wish,
    cell: Option<Cell>,
}

fn settle(chosen: &mut [Chosen], ground: &mut Ground) {
    let mut wishes: Vec<(u64, usize, Cell)> = chosen
        .iter()
        .enumerate()
        .filter_map(|(index, one)| match one.wish.spot {
            Spot::At(cell, rank) => Some((rank, index, cell)),
            Spot::Usual | Spot::Shed => None,
        })
        .collect();
    wishes.sort_unstable();
    for (_, index, cell) in &wishes {
        if let Some(one) = chosen.get_mut(*index)
            && ground.take(*cell, one.piece.footprint)
        {
            one.cell = Some(*cell);
        }
    }
    let displaced = wishes.into_iter().map(|(_, index, cell)| (index, cell));
    let usual: Vec<(usize, Cell)> = chosen
        .iter()
        .enumerate()
        .filter(|(_, one)| one.wish.spot == Spot::Usual)
        .map(|(index, one)| (index, one.piece.usual))
        .collect();
    for (index, cell) in displaced {
        make_room(chosen.get_mut(index), cell, ground);
    }
    // Whoever finds the usual place free has it, before anyone looks for another.
    for (index, cell) in &usual {
        if let Some(one) = chosen.get_mut(*index)
            && ground.take(*cell, one.piece.footprint)
        {
            one.cell = Some(*cell);
        }
    }
    for (index, cell) in usual {
        make_room(chosen.get_mut(index), cell, ground);
    }
}

/// Puts a piece without ground as near to `wanted` as can be.
fn make_room(one: Option<&mut Chosen>, wanted: Cell, ground: &mut Ground) {
    let Some(one) = one.filter(|one| one.cell.is_none()) else {
        return;
    };
    one.cell = ground.nearest(wanted, one.piece.footprint);
    if let Some(cell) = one.cell {
        ground.take(cell, one.piece.footprint);
    }
}
