//! Tiles that were fetched, as a source of nodes.

use std::collections::BTreeMap;

use super::{Layer, Node, Nodes, Tile};
use crate::{digest::Digest, field::FieldError};

/// Tiles of one log, as wide as its size makes them.
///
/// They may come from anyone: what is computed from them counts only once a proof made of it verifies
/// against a signed head.
#[derive(Debug, Clone, Default)]
pub struct TileSet {
    tiles: BTreeMap<(Layer, u64), (Tile, Vec<Digest>)>,
}

/// A node for which no tile is in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no tile holds the full subtree {} of level {}", .0.index(), .0.level())]
pub struct MissingTile(pub Node);

impl TileSet {
    /// Adds the tile with these contents; a wider one replaces a narrower one.
    ///
    /// # Errors
    /// A [`FieldError`] when the contents are not the tile's, or it is an entry bundle.
    pub fn insert(&mut self, tile: Tile, contents: &[u8]) -> Result<(), FieldError> {
        if tile.layer() == Layer::Entries {
            return Err(FieldError::document("an entry bundle holds no hashes"));
        }
        let hashes = tile.read(contents)?;
        let held = self
            .tiles
            .entry((tile.layer(), tile.index()))
            .or_insert((tile, Vec::new()));
        if held.1.len() < hashes.len() {
            *held = (tile, hashes);
        }
        Ok(())
    }
}

impl Nodes for TileSet {
    type Error = MissingTile;

    fn node(&self, node: Node) -> Result<Digest, MissingTile> {
        Tile::holding(node, node.end())
            .and_then(|wanted| self.tiles.get(&(wanted.layer(), wanted.index())))
            .and_then(|(tile, hashes)| tile.node_within(hashes, node))
            .ok_or(MissingTile(node))
    }
}
