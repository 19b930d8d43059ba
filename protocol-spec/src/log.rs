//! The transparency log: proofs over its tree, its tiles, and what an entry says (`protocol-spec/docs/log.md`).
//!
//! The tree is that of RFC 6962 §2.1, as in [`crate::checkpoint`]; the files are those of C2SP
//! `tlog-tiles`. Nothing here reads or writes: a [`Plan`] names the [`Node`]s that a root or a proof
//! needs, the caller fetches them in whatever way it can, and [`Plan::hashes`] puts them together.
//!
//! - A log that grows: [`Edge::append`] gives the tiles that are full, [`Edge::partial`] the others.
//! - A reader: [`Plan::tiles`] → fetch → [`TileSet::insert`] → [`Plan::hashes`] → [`verify_inclusion`].
//! - What stands in it: [`commitment::Commitment`], opened part by part with a [`LogProof`].

pub mod bundle;
pub mod commitment;
pub mod cosignature;
mod edge;
mod head;
pub mod note;
mod opening;
mod plan;
mod proof;
mod tile;
mod tile_set;
mod tree;

pub use self::{
    edge::Edge,
    head::{Head, TreeHead},
    opening::{LogProof, Opening, OpeningError, Part},
    plan::Plan,
    proof::{LogError, verify_consistency, verify_inclusion},
    tile::{Layer, TILE_WIDTH, Tile, new_tiles},
    tile_set::{MissingTile, TileSet},
    tree::{MissingNode, Tree},
};
use crate::{checkpoint::node_hash, digest::Digest};

/// A full subtree: the 2^`level` leaves from `index` × 2^`level` on. A leaf is one of level 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    level: u8,
    index: u64,
}

impl Node {
    /// The node at these coordinates; `None` when no log of up to 2^64 − 1 entries has it.
    pub fn new(level: u8, index: u64) -> Option<Self> {
        let end = (u128::from(index) + 1).checked_shl(level.into())?;
        (level < 64 && end <= u128::from(u64::MAX)).then_some(Self { level, index })
    }

    /// The logarithm of its number of leaves.
    pub const fn level(self) -> u8 {
        self.level
    }

    /// How many nodes of its level stand before it.
    pub const fn index(self) -> u64 {
        self.index
    }

    /// Its first leaf.
    pub const fn first(self) -> u64 {
        self.index << self.level
    }

    /// The leaf after its last one: the size from which on a log has this node.
    pub const fn end(self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// Where the hashes of full subtrees come from: a table, a set of tiles, a whole [`Tree`], a closure.
pub trait Nodes {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of `node`.
    ///
    /// # Errors
    /// When the source does not have it.
    fn node(&self, node: Node) -> Result<Digest, Self::Error>;
}

impl<E, F: Fn(Node) -> Result<Digest, E>> Nodes for F {
    type Error = E;

    fn node(&self, node: Node) -> Result<Digest, E> {
        self(node)
    }
}

/// The full subtrees that make up the leaves from `start` to before `end`, largest first.
///
/// `start` is a multiple of the largest of them, as for every part that RFC 6962 splits off.
fn full_subtrees(start: u64, end: u64) -> impl Iterator<Item = Node> {
    let mut at = start;
    std::iter::from_fn(move || {
        let left = end.checked_sub(at).filter(|left| *left > 0)?;
        let level = u8::try_from(left.ilog2()).ok()?; // below 64
        let node = Node {
            level,
            index: at >> level,
        };
        at = node.end();
        Some(node)
    })
}

/// The root over full subtrees of falling size; `None` of none.
fn join(hashes: impl DoubleEndedIterator<Item = Digest>) -> Option<Digest> {
    hashes.rev().reduce(|right, left| node_hash(&left, &right))
}

/// The roots of the full subtrees over any number of leaves, largest first.
fn full_roots(leaves: &[Digest]) -> impl Iterator<Item = Digest> {
    let mut rest = leaves;
    std::iter::from_fn(move || {
        let (full, after) = rest.split_at_checked(1 << rest.len().checked_ilog2()?)?;
        rest = after;
        full_root(full)
    })
}

/// The root over `leaves`, of which there is a power of two.
fn full_root(leaves: &[Digest]) -> Option<Digest> {
    let mut row = leaves.to_vec();
    while row.len() > 1 {
        row = row
            .chunks_exact(2)
            .map(|pair| node_hash(&pair[0], &pair[1]))
            .collect();
    }
    row.pop()
}
