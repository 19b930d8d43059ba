//! The right edge of a log: its partial tiles, which are all that appending needs.

use super::{Layer, TILE_WIDTH, Tile, full_root, full_roots, join};
use crate::{
    digest::{Digest, sha256},
    field::FieldError,
};

/// The partial tiles of a log, at most 255 hashes on each of eight levels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// The hashes of the partial tile of each level, from the leaves up.
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// The edge of a log of `size` entries with these partial tiles, from the leaves up; an empty row
    /// where the level has no partial tile.
    ///
    /// # Errors
    /// A [`FieldError`] when a row has not the width that `size` gives it.
    pub fn from_rows(size: u64, mut rows: Vec<Vec<Digest>>) -> Result<Self, FieldError> {
        while rows.last().is_some_and(Vec::is_empty) {
            rows.pop();
        }
        let widths = size.to_le_bytes();
        let levels = widths.iter().rposition(|w| *w > 0).map_or(0, |top| top + 1);
        let fits = rows.len() == levels
            && rows
                .iter()
                .zip(widths)
                .all(|(row, width)| row.len() == usize::from(width));
        if fits {
            Ok(Self { size, rows })
        } else {
            Err(FieldError::new(
                "rows",
                format!("not the widths of the partial tiles of a log of {size} entries"),
            ))
        }
    }

    /// Entries so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash, and gives the tiles that it fills with their contents: none most of
    /// the time, one for every 256 entries, two for every 65,536, …
    pub fn append(&mut self, leaf: Digest) -> Vec<(Tile, Vec<u8>)> {
        let mut filled = Vec::new();
        let mut hash = leaf;
        self.size += 1;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[at];
            row.push(hash);
            if row.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let full = std::mem::take(row);
            let index = (self.size >> (8 * (level + 1))) - 1;
            filled.extend(
                Tile::new(Layer::Hashes(level), index, TILE_WIDTH)
                    .ok()
                    .map(|tile| (tile, contents(&full))),
            );
            hash = full_root(&full).unwrap_or(hash);
        }
        filled
    }

    /// The partial tiles with their contents, from the leaves up: with the full ones of
    /// [`Self::append`], every file that a checkpoint of this size needs.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, Vec<u8>)> {
        (0_u8..).zip(&self.rows).filter_map(|(level, row)| {
            let index = self.size >> (8 * level) >> 8;
            let tile = Tile::of_log(Layer::Hashes(level), index, self.size)?;
            Some((tile, contents(row)))
        })
    }

    /// The log's root.
    pub fn root(&self) -> Digest {
        // A row of a higher level stands for leaves further left.
        let parts: Vec<Digest> = self
            .rows
            .iter()
            .rev()
            .flat_map(|row| full_roots(row))
            .collect();
        join(parts.into_iter()).unwrap_or_else(|| sha256(b""))
    }
}

fn contents(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}
