//! A log's tree held whole in memory: for small logs, for checking one against its entries, for tests.

use super::{Node, Nodes, Plan, TreeHead};
use crate::{checkpoint::node_hash, digest::Digest};

/// Every full subtree of a log: about 64 bytes for each entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The nodes by level, from the leaves up.
    levels: Vec<Vec<Digest>>,
}

/// A node that the log is too short for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log has no full subtree {} of level {}", .0.index(), .0.level())]
pub struct MissingNode(pub Node);

impl Tree {
    /// Entries so far.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let row = &mut self.levels[level];
            row.push(node);
            match row.as_chunks::<2>() {
                (pairs, []) => match pairs.last() {
                    Some([left, right]) => node = node_hash(left, right),
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// The head that this log had at `size`.
    ///
    /// # Errors
    /// [`MissingNode`] when it has not grown that far.
    pub fn head_at(&self, size: u64) -> Result<TreeHead, MissingNode> {
        let root = Plan::root(size).hashes(self)?[0];
        Ok(TreeHead { size, root })
    }
}

impl Nodes for Tree {
    type Error = MissingNode;

    fn node(&self, node: Node) -> Result<Digest, MissingNode> {
        let index = usize::try_from(node.index()).ok();
        self.levels
            .get(usize::from(node.level()))
            .and_then(|row| row.get(index?))
            .copied()
            .ok_or(MissingNode(node))
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}
