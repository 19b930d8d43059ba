//! The transparency log over the ledger: a commitment for each entry, in a tree that only grows.
//!
//! Heads and tiles are public, the ledger is not. What stands in the log of an entry says nothing
//! without its salts, which come from the farm's secret (`protocol-spec/docs/log.md`).
//!
//! [`enter`] is the only way in: the writer, a rebuild and an audit fold an entry and commit to it by
//! the same lines. The tiles of leaves are not kept, because they are the hashes of the bundles.

use farmops_ledger::Entry;
use farmops_protocol::{
    checkpoint::leaf_hash,
    digest::Digest,
    field::FieldError,
    int::SafeUint,
    limits::INTEGER_MAX,
    log::{
        Edge, Layer, Tile, TreeHead, bundle,
        commitment::{Commitment, LoggedEvent, LoggedScore, SaltSource},
    },
    time::Timestamp,
};

use crate::domain::{Applied, ProofRow, State};

/// A file of the log that will never change, with its contents.
pub type FullTile = (Tile, Vec<u8>);

/// Bytes of an entry in a bundle and of a hash in a tile.
const BUNDLED_BYTES: usize = 34;
const HASH_BYTES: usize = 32;

/// The log's right edge: everything that appending needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    edge: Edge,
    /// The entries of the bundle that is not full.
    entries: Vec<Digest>,
}

/// What entering an entry brought.
#[derive(Debug)]
pub struct Entered {
    /// What applying it worked out.
    pub applied: Applied,
    /// The commitment that stands in the log.
    pub commitment: Commitment,
    /// The files that it filled.
    pub tiles: Vec<FullTile>,
}

/// Folds `entry` into `state` and appends its commitment to `log`.
pub fn enter(state: &mut State, log: &mut Log, salts: &SaltSource, entry: &Entry) -> Entered {
    let applied = state.apply(entry);
    let body = entry.event.body();
    let event = LoggedEvent {
        kind: entry.event.kind(),
        recorded_at: entry.recorded_at,
        body: &body,
    };
    let score = logged_score(&applied, state);
    let commitment = salts.commit(entry.position.saturating_sub(1), &event, score.as_ref());
    Entered {
        applied,
        commitment,
        tiles: log.append(commitment.entry()),
    }
}

/// Like [`enter`], for a proof whose content is archived: `row` stands in for it, and `event` is the
/// commitment to it.
pub fn pass_over(
    state: &mut State,
    log: &mut Log,
    salts: &SaltSource,
    row: &ProofRow,
    recorded_at: Timestamp,
    event: Digest,
) -> Entered {
    let applied = state.apply_archived(row, recorded_at);
    let score = logged_score(&applied, state);
    // Only the score's half of this one is used.
    let nothing = LoggedEvent {
        kind: "",
        recorded_at,
        body: b"",
    };
    let index = row.position.saturating_sub(1);
    let commitment = Commitment {
        event,
        ..salts.commit(index, &nothing, score.as_ref())
    };
    Entered {
        applied,
        commitment,
        tiles: log.append(commitment.entry()),
    }
}

/// What the log says that an entry was worth; nothing for an event that has no score.
pub fn logged_score(applied: &Applied, state: &State) -> Option<LoggedScore> {
    match applied {
        Applied::Scored { score, .. } => Some(logged(score.coins, state.rules.digest)),
        Applied::Composed { coins } => Some(logged(*coins, state.rules.digest)),
        Applied::Noted => None,
    }
}

/// A score as the log commits to it.
pub fn logged(coins: u64, rules: Digest) -> LoggedScore {
    LoggedScore {
        // From 2^53 coins on the log says "that many or more".
        coins: SafeUint::try_from(coins.min(INTEGER_MAX)).unwrap_or_default(),
        rules,
    }
}

impl Log {
    /// The log of `size` entries with the bundle and the tiles above the leaves that are not full, as
    /// [`Self::bundle`] and [`Self::rows`] gave them.
    ///
    /// # Errors
    /// A [`FieldError`] when they are not those of a log of that size.
    pub fn from_parts(size: u64, bundle: &[u8], rows: &[u8]) -> Result<Self, FieldError> {
        let entries = match Tile::of_log(Layer::Entries, size >> 8, size) {
            Some(tile) => bundle::parse(&tile, bundle).map_err(|e| e.within("bundle"))?,
            None if bundle.is_empty() => Vec::new(),
            None => return Err(FieldError::new("bundle", "expected none")),
        };
        let mut levels = vec![bundle::leaves(&entries)];
        let (hashes, broken) = rows.as_chunks::<HASH_BYTES>();
        let mut hashes = hashes.iter().copied().map(Digest::from_bytes);
        for width in &size.to_le_bytes()[1..] {
            levels.push(hashes.by_ref().take(usize::from(*width)).collect());
        }
        if !broken.is_empty() || hashes.next().is_some() {
            return Err(FieldError::new("rows", "longer than the tiles of this log"));
        }
        let edge = Edge::from_rows(size, levels)?;
        Ok(Self { edge, entries })
    }

    /// Entries so far.
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.edge.size(),
            root: self.edge.root(),
        }
    }

    /// Appends an entry, and gives the files that it fills: none most of the time.
    pub fn append(&mut self, entry: Digest) -> Vec<FullTile> {
        self.entries.push(entry);
        let mut full = self.edge.append(leaf_hash(entry.as_bytes()));
        for (tile, contents) in &mut full {
            if let Some(bundle) = tile.bundle() {
                *tile = bundle;
                *contents = bundle::write(&std::mem::take(&mut self.entries));
            }
        }
        full
    }

    /// The bundle that is not full; empty if the last one is.
    pub fn bundle(&self) -> Vec<u8> {
        bundle::write(&self.entries)
    }

    /// The tiles above the leaves that are not full, one after the other from the lowest.
    pub fn rows(&self) -> Vec<u8> {
        let above = |tile: &Tile| tile.layer() != Layer::Hashes(0);
        self.edge
            .partial()
            .filter(|(tile, _)| above(tile))
            .flat_map(|(_, contents)| contents)
            .collect()
    }

    /// Where a file comes from; nothing if this log does not have it.
    pub fn source(&self, wanted: &Tile) -> Option<Source> {
        let widest = Tile::of_log(wanted.layer(), wanted.index(), self.size())?;
        if widest.width() < wanted.width() {
            return None;
        }
        let kept = kept_as(&widest);
        if kept.is_full() {
            return Some(Source::Kept(kept));
        }
        let contents = if kept.layer() == Layer::Entries {
            self.bundle()
        } else {
            self.edge.partial().find(|(tile, _)| *tile == kept)?.1
        };
        Some(Source::Edge(contents))
    }
}

/// Where a file of the log comes from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// From what this full one, which is kept, contains.
    Kept(Tile),
    /// From these contents of the edge.
    Edge(Vec<u8>),
}

/// The file that a tile is made from: leaves are the hashes of what their bundle holds.
fn kept_as(tile: &Tile) -> Tile {
    tile.bundle().unwrap_or(*tile)
}

/// The file `wanted`, from the contents of its [`Source`].
///
/// # Errors
/// A [`FieldError`] when those are shorter than it, or no bundle.
pub fn file(wanted: &Tile, mut source: Vec<u8>) -> Result<Vec<u8>, FieldError> {
    let width = usize::from(wanted.width());
    let kept = kept_as(wanted);
    let each = if kept.layer() == Layer::Entries {
        BUNDLED_BYTES
    } else {
        HASH_BYTES
    };
    if source.len() < width * each {
        return Err(FieldError::document("the file is shorter than it was"));
    }
    source.truncate(width * each);
    if kept == *wanted {
        return Ok(source);
    }
    let leaves = bundle::leaves(&bundle::parse(&kept, &source)?);
    Ok(leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use farmops_protocol::{
        digest::sha256,
        log::{Plan, TileSet, Tree, new_tiles},
    };

    use super::*;

    fn entry(n: u64) -> Digest {
        sha256(&n.to_be_bytes())
    }

    /// Every file, at every size around the widths of tiles, is what a whole tree in memory says.
    #[test]
    fn the_files_are_those_of_the_tree() {
        let (mut log, mut kept, mut tree) = (Log::default(), BTreeMap::new(), Tree::default());
        for n in 0..1_100 {
            kept.extend(log.append(entry(n)));
            tree.push(leaf_hash(entry(n).as_bytes()));
            let head = log.head();
            assert_eq!(head, tree.head_at(n + 1).unwrap());
            let again = Log::from_parts(n + 1, &log.bundle(), &log.rows()).unwrap();
            assert_eq!(again, log);
            if ![0, 1, 100, 254, 255, 256, 257, 511, 512, 1_099].contains(&n) {
                continue;
            }
            let read = |tile: &Tile| match log.source(tile)? {
                Source::Kept(full) => Some(file(tile, kept[&full].clone()).unwrap()),
                Source::Edge(contents) => Some(file(tile, contents).unwrap()),
            };
            let mut set = TileSet::default();
            for tile in new_tiles(0, n + 1) {
                let contents = read(&tile).unwrap();
                assert_eq!(contents, tile.write(&tree).unwrap(), "{tile} of {}", n + 1);
                set.insert(tile, &contents).unwrap();
                // A narrower one, that an earlier checkpoint needed, is still there.
                for width in 1..tile.width() {
                    let narrow = Tile::new(tile.layer(), tile.index(), width).unwrap();
                    assert_eq!(read(&narrow).unwrap(), contents[..usize::from(width) * 32]);
                }
                let Some(bundle) = tile.bundle() else {
                    continue;
                };
                let entries: Vec<_> = tile.entries().map(entry).collect();
                assert_eq!(read(&bundle).unwrap(), bundle::write(&entries));
            }
            assert_eq!(Plan::root(n + 1).hashes(&set).unwrap()[0], head.root);
            let beyond = |layer, index, width| Tile::new(layer, index, width).unwrap();
            for absent in [
                beyond(Layer::Hashes(0), (n + 1) / 256 + 1, 1),
                beyond(Layer::Entries, (n + 1) / 256 + 1, 256),
                beyond(Layer::Hashes(2), 0, 1),
            ] {
                assert_eq!(read(&absent), None, "{absent} of {}", n + 1);
            }
        }
    }

    #[test]
    fn parts_of_another_size_are_refused() {
        let mut log = Log::default();
        (0..300).for_each(|n| drop(log.append(entry(n))));
        let (bundle, rows) = (log.bundle(), log.rows());
        assert!(Log::from_parts(300, &bundle, &rows).is_ok());
        for (size, bundle, rows) in [
            (299, &bundle[..], &rows[..]),
            (300, &bundle[1..], &rows[..]),
            (300, &bundle[..], &rows[1..]),
            (300, &bundle[..], &[]),
            (256, &bundle[..], &rows[..]),
            (300, &bundle[..], &[rows.clone(), rows.clone()].concat()),
        ] {
            assert!(Log::from_parts(size, bundle, rows).is_err());
        }
    }
}
