//! Which nodes a root or a proof is made of, decided before any of them is read.

use std::{collections::BTreeSet, ops::Range};

use super::{LogError, Node, Nodes, Tile, full_subtrees, join};
use crate::digest::{Digest, sha256};

/// Hashes to be put together from nodes: a root, an inclusion proof or a consistency proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The leaves under each hash, in the order of the result.
    spans: Vec<Range<u64>>,
    /// The log's size: where its partial tiles end.
    size: u64,
}

impl Plan {
    /// The root of a log of `size` entries: one hash.
    pub fn root(size: u64) -> Self {
        Self {
            spans: std::iter::once(0..size).collect(),
            size,
        }
    }

    /// The proof that the entry at `index` is in the log of `size` entries (RFC 6962 §2.1.1): the
    /// hashes beside the way from the leaf to the root.
    ///
    /// # Errors
    /// [`LogError::OutsideLog`] when there is no such entry.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, LogError> {
        if index >= size {
            return Err(LogError::OutsideLog { index, size });
        }
        let mut spans = Vec::new();
        let mut here = 0..size;
        while let Some(split) = split(&here) {
            let (left, right) = (here.start..split, split..here.end);
            let (inside, beside) = if index < split {
                (left, right)
            } else {
                (right, left)
            };
            spans.push(beside);
            here = inside;
        }
        spans.reverse();
        Ok(Self { spans, size })
    }

    /// The proof that the log of `new` entries begins with the one of `old` (RFC 6962 §2.1.2). It is
    /// empty for equal sizes, and from the empty log, which every log extends.
    ///
    /// # Errors
    /// [`LogError::Shrinks`] when `old` is larger.
    pub fn consistency(old: u64, new: u64) -> Result<Self, LogError> {
        if old > new {
            return Err(LogError::Shrinks { old, new });
        }
        let mut spans = Vec::new();
        let mut here = 0..new;
        // The verifier knows the old root, so the old tree itself is never part of its proof.
        while old > 0 && here.end != old {
            let Some(split) = split(&here) else { break };
            let (left, right) = (here.start..split, split..here.end);
            let (inside, beside) = if old <= split {
                (left, right)
            } else {
                (right, left)
            };
            spans.push(beside);
            here = inside;
        }
        if here.start > 0 {
            spans.push(here);
        }
        spans.reverse();
        Ok(Self { spans, size: new })
    }

    /// How many hashes the result has.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the result is empty.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The nodes that [`Self::hashes`] asks for, in its order.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.spans
            .iter()
            .flat_map(|span| full_subtrees(span.start, span.end))
    }

    /// The tiles that hold those nodes.
    pub fn tiles(&self) -> BTreeSet<Tile> {
        self.nodes()
            .filter_map(|node| Tile::holding(node, self.size))
            .collect()
    }

    /// The root or the proof.
    ///
    /// # Errors
    /// The source's own, when it does not have a node.
    pub fn hashes<S: Nodes + ?Sized>(&self, source: &S) -> Result<Vec<Digest>, S::Error> {
        self.spans
            .iter()
            .map(|span| {
                let parts = full_subtrees(span.start, span.end)
                    .map(|node| source.node(node))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(join(parts.into_iter()).unwrap_or_else(|| sha256(b"")))
            })
            .collect()
    }
}

/// Where RFC 6962 splits the leaves of `span`: after the largest power of two below their number.
fn split(span: &Range<u64>) -> Option<u64> {
    let length = span.end - span.start;
    (length > 1).then(|| span.start + (1 << (length - 1).ilog2()))
}
