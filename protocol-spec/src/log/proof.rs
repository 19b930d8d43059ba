//! Checking a proof against a root, by the algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2.

use super::TreeHead;
use crate::{
    checkpoint::node_hash,
    digest::{Digest, sha256},
};

/// Why a proof is refused, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The log has no entry there.
    #[error("a log of {size} entries has none at {index}")]
    OutsideLog {
        /// The entry's place, from 0.
        index: u64,
        /// The log's size.
        size: u64,
    },
    /// A log only grows.
    #[error("a log of {old} entries cannot have become one of {new}")]
    Shrinks {
        /// The earlier size.
        old: u64,
        /// The later size.
        new: u64,
    },
    /// Hashes are missing, or there are some too many.
    #[error("the proof has not the number of hashes that these sizes need")]
    ProofLength,
    /// What the proof adds up to is not the log's root.
    #[error("the proof leads to another root")]
    OtherRoot,
    /// What the proof adds up to is not the earlier log's root.
    #[error("the proof leads to another root for the earlier log")]
    OtherOldRoot,
}

/// Checks that `leaf` stands at `index` in the log with this `head` (`LOG-PROOF-001`).
///
/// # Errors
/// [`LogError`] when the proof does not lead from the leaf to the root.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    head: &TreeHead,
    proof: &[Digest],
) -> Result<(), LogError> {
    let size = head.size;
    if index >= size {
        return Err(LogError::OutsideLog { index, size });
    }
    let (mut at, mut last) = (index, size - 1);
    let mut root = *leaf;
    for beside in proof {
        if last == 0 {
            return Err(LogError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            root = node_hash(beside, &root);
            // A node at the right edge without a sibling goes up as it is.
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = node_hash(&root, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match last {
        0 if root == head.root => Ok(()),
        0 => Err(LogError::OtherRoot),
        _ => Err(LogError::ProofLength),
    }
}

/// Checks that the log with the head `new` begins with the one that has the head `old`
/// (`LOG-PROOF-002`).
///
/// # Errors
/// [`LogError`] when the proof does not lead to both roots.
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    proof: &[Digest],
) -> Result<(), LogError> {
    if old.size > new.size {
        let (old, new) = (old.size, new.size);
        return Err(LogError::Shrinks { old, new });
    }
    if old.size == new.size || old.size == 0 {
        return verify_without_hashes(old, new, proof);
    }
    let (mut at, mut last) = (old.size - 1, new.size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // A full old tree is itself the first node; its verifier has it and it is not sent.
    let (first, rest) = if old.size.is_power_of_two() {
        (&old.root, proof)
    } else {
        proof.split_first().ok_or(LogError::ProofLength)?
    };
    let (mut old_root, mut new_root) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return Err(LogError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            old_root = node_hash(beside, &old_root);
            new_root = node_hash(beside, &new_root);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_root = node_hash(&new_root, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match last {
        0 if new_root != new.root => Err(LogError::OtherRoot),
        0 if old_root != old.root => Err(LogError::OtherOldRoot),
        0 => Ok(()),
        _ => Err(LogError::ProofLength),
    }
}

/// Equal sizes need equal roots; from the empty log nothing is to be shown.
fn verify_without_hashes(old: &TreeHead, new: &TreeHead, proof: &[Digest]) -> Result<(), LogError> {
    if !proof.is_empty() {
        return Err(LogError::ProofLength);
    }
    if old.size == 0 && old.root != sha256(b"") {
        return Err(LogError::OtherOldRoot);
    }
    if old.size == new.size && old.root != new.root {
        return Err(LogError::OtherRoot);
    }
    Ok(())
}
