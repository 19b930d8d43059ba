//! Checkpoints: an append-only log's size and root in one signed note.
//!
//! The tree is that of RFC 6962 §2.1; the text is a C2SP `tlog-checkpoint`, signed as a C2SP
//! `signed-note` with Ed25519. [`CompactRange`] keeps only the roots of the full subtrees, so
//! appending costs a few hashes and 32 bytes for each bit of the size.

use sha2::{Digest as _, Sha256};

use crate::{
    digest::{Digest, sha256},
    field::FieldError,
    key::{PublicKey, SecretKey},
    log::{Head, note::SignedNote},
};

/// A log seen from its right edge: enough to append and to tell the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    /// Roots of the full subtrees, largest first: one for each set bit of `size`.
    roots: Vec<Digest>,
}

/// The statement that a log with this `origin` has this `size` and `root`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name; also the name of the key that signs it.
    pub origin: String,
    /// Entries in the log.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Digest,
}

/// The hash of a leaf (RFC 6962 §2.1): SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    let mut hasher = Sha256::new_with_prefix([0]);
    hasher.update(entry);
    Digest::from_bytes(hasher.finalize().into())
}

/// The hash of an inner node (RFC 6962 §2.1): SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new_with_prefix([1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

impl CompactRange {
    /// The range of `size` entries with these subtree roots, largest first.
    ///
    /// # Errors
    /// A [`FieldError`] when the number of roots does not belong to `size`.
    pub fn from_parts(size: u64, roots: Vec<Digest>) -> Result<Self, FieldError> {
        if roots.len() == size.count_ones() as usize {
            Ok(Self { size, roots })
        } else {
            Err(FieldError::new(
                "roots",
                format!(
                    "a log of {size} entries has {} subtree roots",
                    size.count_ones()
                ),
            ))
        }
    }

    /// Entries so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the full subtrees, largest first.
    pub fn roots(&self) -> &[Digest] {
        &self.roots
    }

    /// Appends a leaf by its hash.
    pub fn append(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root over all entries; SHA-256 of nothing for an empty log.
    pub fn root(&self) -> Digest {
        let mut from_right = self.roots.iter().rev().copied();
        let Some(last) = from_right.next() else {
            return sha256(b"");
        };
        from_right.fold(last, |right, left| node_hash(&left, &right))
    }
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, key: &SecretKey) -> String {
        let text = Head::from(self.clone()).text();
        SignedNote::made(text, &self.origin, key).to_string()
    }

    /// Reads a signed note and checks the log's own signature under `key`; other signatures are left alone.
    ///
    /// # Errors
    /// A [`FieldError`] when the note is malformed, or no signature of `key` verifies.
    pub fn verify(note: &str, key: &PublicKey) -> Result<Self, FieldError> {
        match Head::open(note, key) {
            Ok((head, _)) => Ok(head.checkpoint),
            Err(error) => Err(error.within("checkpoint")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The definition of RFC 6962 §2.1, word for word, as the reference.
    fn root_by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => sha256(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&root_by_definition(left), &root_by_definition(right))
            }
        }
    }

    #[test]
    fn the_compact_range_has_the_root_of_the_definition() {
        let mut range = CompactRange::default();
        let mut leaves = Vec::new();
        for n in 0_u8..130 {
            assert_eq!(range.root(), root_by_definition(&leaves), "{n} leaves");
            assert_eq!(
                CompactRange::from_parts(range.size(), range.roots().to_vec()).unwrap(),
                range
            );
            leaves.push(leaf_hash(&[n]));
            range.append(leaf_hash(&[n]));
        }
    }

    #[test]
    fn a_checkpoint_verifies_under_its_key_only() {
        let key = SecretKey::from_bytes([3; 32]);
        let checkpoint = Checkpoint {
            origin: "alice.example/farm".into(),
            size: 7,
            root: leaf_hash(b"x"),
        };
        let note = checkpoint.sign(&key);
        assert_eq!(
            Checkpoint::verify(&note, &key.public()).unwrap(),
            checkpoint
        );
        assert!(Checkpoint::verify(&note, &SecretKey::from_bytes([4; 32]).public()).is_err());
        assert!(Checkpoint::verify(&note.replace("\n7\n", "\n8\n"), &key.public()).is_err());
    }
}
