//! Tiles by C2SP `tlog-tiles`: 256 hashes of one level in one file that never changes.

use std::{fmt, ops::Range, str::FromStr};

use super::{Node, Nodes, full_root};
use crate::{digest::Digest, field::FieldError, limits::TILE_PATH_BYTES_MAX};

/// Hashes of a full tile, and entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Levels of the tree that one tile spans.
const HEIGHT: u8 = 8;
/// The highest level of tiles: on the next, a node would have 2^64 leaves.
const LEVEL_MAX: u8 = 7;
const HASH_BYTES: usize = 32;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Nodes of the tree's level 8 × this number, which is at most 7. The leaves are 0.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// The coordinates of a tile or an entry bundle; its path is its `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    layer: Layer,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile with `width` hashes.
    ///
    /// # Errors
    /// A [`FieldError`] when no log has it.
    pub fn new(layer: Layer, index: u64, width: u16) -> Result<Self, FieldError> {
        let tile = Self {
            layer,
            index,
            width,
        };
        let refuse = |field, reason| Err(FieldError::new(field, reason));
        if tile.level() > LEVEL_MAX {
            return refuse("level", "a log has tiles of the levels 0 to 7");
        }
        if width == 0 || width > TILE_WIDTH {
            return refuse("width", "a tile has 1 to 256 hashes");
        }
        let end = (u128::from(index) * 256 + u128::from(width)) << tile.shift();
        if end > u128::from(u64::MAX) {
            return refuse("index", "a log has at most 2^64 − 1 entries");
        }
        Ok(tile)
    }

    /// The tile at these coordinates as it is in a log of `size` entries; `None` when it is empty.
    pub fn of_log(layer: Layer, index: u64, size: u64) -> Option<Self> {
        let level = match layer {
            Layer::Hashes(level) if level > LEVEL_MAX => return None,
            Layer::Hashes(level) => level,
            Layer::Entries => 0,
        };
        let first = index.checked_mul(TILE_WIDTH.into())?;
        let left = (size >> (HEIGHT * level)).checked_sub(first)?;
        let width = u16::try_from(left.min(TILE_WIDTH.into())).ok()?;
        Self::new(layer, index, width).ok()
    }

    /// The tile that holds `node` in a log of `size` entries; `None` when the log has no such node.
    pub fn holding(node: Node, size: u64) -> Option<Self> {
        if node.end() > size {
            return None;
        }
        let level = node.level() / HEIGHT;
        let index = node.first() >> (HEIGHT * level) >> HEIGHT;
        Self::of_log(Layer::Hashes(level), index, size)
    }

    /// What it holds.
    pub const fn layer(&self) -> Layer {
        self.layer
    }

    /// How many tiles of its layer stand before it.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Its hashes or entries, 1 to 256.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it will never grow.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The entry bundle under a tile of leaves: same index, same width.
    pub fn bundle(&self) -> Option<Self> {
        (self.layer == Layer::Hashes(0)).then_some(Self {
            layer: Layer::Entries,
            ..*self
        })
    }

    /// The log's entries under this tile.
    pub fn entries(&self) -> Range<u64> {
        let first = self.index * 256;
        first << self.shift()..(first + u64::from(self.width)) << self.shift()
    }

    /// The nodes whose hashes it lists; for a bundle, the leaves.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        let (level, first) = (self.shift(), self.index * 256);
        (first..first + u64::from(self.width)).map(move |index| Node { level, index })
    }

    /// The file's contents from the log's nodes.
    ///
    /// # Errors
    /// The source's own, when it does not have a node.
    pub fn write<S: Nodes + ?Sized>(&self, source: &S) -> Result<Vec<u8>, S::Error> {
        let mut bytes = Vec::with_capacity(usize::from(self.width) * HASH_BYTES);
        for node in self.nodes() {
            bytes.extend_from_slice(source.node(node)?.as_bytes());
        }
        Ok(bytes)
    }

    /// Reads the file's contents (`LOG-TILE-002`).
    ///
    /// # Errors
    /// A [`FieldError`] when they are not exactly the tile's hashes.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Digest>, FieldError> {
        match bytes.as_chunks::<HASH_BYTES>() {
            (hashes, []) if hashes.len() == usize::from(self.width) => {
                Ok(hashes.iter().copied().map(Digest::from_bytes).collect())
            }
            _ => Err(FieldError::document(format!(
                "a tile of {} hashes has {} bytes",
                self.width,
                usize::from(self.width) * HASH_BYTES
            ))),
        }
    }

    /// The hash of `node` from this tile's `hashes`; `None` when it is not below this tile.
    pub(super) fn node_within(&self, hashes: &[Digest], node: Node) -> Option<Digest> {
        let depth = node.level().checked_sub(self.shift())?;
        if depth > HEIGHT {
            return None;
        }
        let start = (node.index() << depth).checked_sub(self.index * 256)?;
        let start = usize::try_from(start).ok()?;
        full_root(hashes.get(start..start.checked_add(1 << depth)?)?)
    }

    const fn level(&self) -> u8 {
        match self.layer {
            Layer::Hashes(level) => level,
            Layer::Entries => 0,
        }
    }

    /// The level in the tree of the nodes that it lists.
    const fn shift(&self) -> u8 {
        self.level() * HEIGHT
    }
}

/// The tiles that are new or wider in a log that grew from `old` to `new` entries, from the leaves up.
///
/// The tiles of leaves among them name the entry bundles, see [`Tile::bundle`].
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..=LEVEL_MAX).flat_map(move |level| {
        let shift = HEIGHT * level;
        let (from, to) = (old >> shift, new >> shift);
        let indexes = if from < to {
            from / 256..to.div_ceil(256)
        } else {
            0..0
        };
        indexes.filter_map(move |index| Tile::of_log(Layer::Hashes(level), index, new))
    })
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Hashes(level) => write!(f, "tile/{level}/")?,
            Layer::Entries => f.write_str("tile/entries/")?,
        }
        // A 64-bit number has up to seven groups of three digits.
        for group in (1..7).rev() {
            let above = self.index / 1000_u64.pow(group);
            if above > 0 {
                write!(f, "x{:03}/", above % 1000)?;
            }
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

impl FromStr for Tile {
    type Err = FieldError;

    /// Reads a path as `Display` writes it and no other spelling of it (`LOG-TILE-001`).
    fn from_str(path: &str) -> Result<Self, FieldError> {
        let no_path = || {
            FieldError::document(
                "expected a path like tile/0/x001/x234/067.p/8 or tile/entries/000",
            )
        };
        if path.len() > TILE_PATH_BYTES_MAX {
            return Err(no_path());
        }
        let (layer, place) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(no_path)?;
        let layer = match layer {
            "entries" => Layer::Entries,
            level => Layer::Hashes(level.parse().map_err(|_| no_path())?),
        };
        let (place, width) = match place.split_once(".p/") {
            None => (place, TILE_WIDTH),
            Some((place, width)) => (place, width.parse().map_err(|_| no_path())?),
        };
        let mut index = 0_u64;
        for group in place.split('/') {
            let digits: u64 = group
                .trim_start_matches('x')
                .parse()
                .map_err(|_| no_path())?;
            index = index
                .checked_mul(1000)
                .and_then(|index| index.checked_add(digits))
                .ok_or_else(no_path)?;
        }
        let tile = Self::new(layer, index, width)?;
        // Signs, missing or superfluous zeroes and letters, a full width: each would be a second spelling.
        if tile.to_string() == path {
            Ok(tile)
        } else {
            Err(no_path())
        }
    }
}
