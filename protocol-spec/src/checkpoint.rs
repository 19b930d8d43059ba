//! Checkpoints: an append-only log's size and root in one signed note.
//!
//! The tree is that of RFC 6962 §2.1; the text is a C2SP `tlog-checkpoint`, signed as a C2SP
//! `signed-note` with Ed25519. [`CompactRange`] keeps only the roots of the full subtrees, so
//! appending costs a few hashes and 32 bytes for each bit of the size.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest as _, Sha256};

use crate::{
    digest::{Digest, sha256},
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    limits::CHECKPOINT_BYTES_MAX,
};

/// The signature algorithm byte of an Ed25519 signed note.
const ED25519: u8 = 0x01;

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
    /// The note's text, without signatures.
    fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            BASE64.encode(self.root.as_bytes())
        )
    }

    /// The signed note.
    pub fn sign(&self, key: &SecretKey) -> String {
        let text = self.text();
        let mut line = key_hash(&self.origin, &key.public()).to_vec();
        line.extend_from_slice(key.sign(text.as_bytes()).as_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.origin, BASE64.encode(line))
    }

    /// Reads a signed note and checks the log's own signature under `key`; other signatures are left alone.
    ///
    /// # Errors
    /// A [`FieldError`] when the note is malformed, or no signature of `key` verifies.
    pub fn verify(note: &str, key: &PublicKey) -> Result<Self, FieldError> {
        let refuse = |reason: &str| FieldError::new("checkpoint", reason);
        if note.len() > CHECKPOINT_BYTES_MAX {
            return Err(refuse("a signed note has at most 4096 bytes"));
        }
        let (body, signatures) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| refuse("a signed note has a blank line before its signatures"))?;
        if body.chars().any(|c| c.is_control() && c != '\n') || body.contains("\n\n") {
            return Err(refuse("the text has a control character or an empty line"));
        }
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(refuse("expected the lines origin, size and root"));
        };
        if origin.is_empty()
            || origin.contains(|c: char| c.is_whitespace() || c == '+')
            || (size.len() > 1 && size.starts_with('0'))
            || !size.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(refuse(
                "expected an origin without spaces or + and a decimal size",
            ));
        }
        let root = BASE64
            .decode(root)
            .ok()
            .and_then(|r| r.try_into().ok())
            .ok_or_else(|| refuse("the root is not 32 bytes of base64"))?;
        let size = size
            .parse()
            .map_err(|_| refuse("the size is no 64-bit number"))?;
        let text = format!("{body}\n");
        let ours = signatures
            .lines()
            .any(|line| signed_by(line, origin, key, text.as_bytes()));
        if ours {
            Ok(Self {
                origin: origin.to_owned(),
                size,
                root: Digest::from_bytes(root),
            })
        } else {
            Err(refuse("no signature of the log's key verifies"))
        }
    }
}

/// The first four bytes of SHA-256(name ‖ newline ‖ algorithm ‖ key), by C2SP signed-note.
fn key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let id = [name.as_bytes(), b"\n", &[ED25519], key.as_bytes()].concat();
    let [a, b, c, d, ..] = *sha256(&id).as_bytes();
    [a, b, c, d]
}

fn signed_by(line: &str, origin: &str, key: &PublicKey, text: &[u8]) -> bool {
    let signature = line
        .strip_prefix("\u{2014} ")
        .and_then(|rest| rest.rsplit_once(' '))
        .filter(|(name, _)| *name == origin)
        .and_then(|(_, encoded)| BASE64.decode(encoded).ok());
    match signature
        .as_deref()
        .and_then(<[u8]>::split_first_chunk::<4>)
    {
        Some((id, signature)) if *id == key_hash(origin, key) => <[u8; 64]>::try_from(signature)
            .is_ok_and(|bytes| key.verify(text, &Signature::from_bytes(bytes)).is_ok()),
        _ => false,
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
