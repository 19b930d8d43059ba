//! Entry bundles by C2SP `tlog-tiles`: what was hashed into the leaves, 256 entries to a file.
//!
//! Our entries are commitments of 32 bytes, so a bundle gives nothing away.

use super::{Layer, Tile};
use crate::{checkpoint::leaf_hash, digest::Digest, field::FieldError};

/// Bytes of an entry with the length before it.
const ENTRY_BYTES: usize = 2 + 32;

/// The contents of the bundle with these entries.
pub fn write(entries: &[Digest]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for entry in entries {
        bytes.extend_from_slice(&[0, 32]);
        bytes.extend_from_slice(entry.as_bytes());
    }
    bytes
}

/// Reads the entries of the bundle at `tile` (`LOG-BUNDLE-001`).
///
/// # Errors
/// A [`FieldError`] when `tile` is no bundle, or an entry is missing, too many or no commitment.
pub fn parse(tile: &Tile, bytes: &[u8]) -> Result<Vec<Digest>, FieldError> {
    if tile.layer() != Layer::Entries {
        return Err(FieldError::document("a tile of hashes is no entry bundle"));
    }
    let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    if entries.len() != usize::from(tile.width()) || !rest.is_empty() {
        return Err(FieldError::document(format!(
            "a bundle of {} entries has {} bytes",
            tile.width(),
            usize::from(tile.width()) * ENTRY_BYTES
        )));
    }
    let entry = |(at, bytes): (usize, &[u8; ENTRY_BYTES])| match bytes.split_first_chunk::<2>() {
        Some(([0, 32], entry)) => <[u8; 32]>::try_from(entry)
            .map(Digest::from_bytes)
            .map_err(|_| FieldError::new(format!("[{at}]"), "an entry has 32 bytes")),
        _ => Err(FieldError::new(format!("[{at}]"), "an entry has 32 bytes")),
    };
    entries.iter().enumerate().map(entry).collect()
}

/// The hashes that the tile of leaves above a bundle has.
pub fn leaves(entries: &[Digest]) -> Vec<Digest> {
    entries
        .iter()
        .map(|entry| leaf_hash(entry.as_bytes()))
        .collect()
}
