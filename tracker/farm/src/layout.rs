//! Where the owner put things, as a document that two devices can edit apart and merge.
//!
//! The document is an Automerge map with flat keys, each a short text: `at:barn.1` is `8,1` (a cell) or
//! `shed`, `name:barn.1` is a name. A place is one value, so of two devices that moved the same thing one
//! wins as a whole. Whatever the document says, [`Layout::view`] makes an [`Arrangement`] of it in which
//! nothing is placed that is not owned and nothing overlaps; the document itself is never believed.
//!
//! Nothing here reads a clock or makes a number up: the device's id and the time of an edit are given.
//!
//! Bytes from elsewhere are weighed by `gate` before Automerge sees them, and taken in on a copy: a
//! document that is refused leaves no trace.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{
    ActorId, AutoCommit, Automerge, AutomergeError, Change, ChangeHash, LoadOptions, ObjId,
    OnPartialLoad, ROOT, ReadDoc, ScalarValue, StringMigration, Value, VerificationMode,
    transaction::Transactable,
};
use farmops_protocol::digest::Digest;

use crate::{
    arrangement::{Arrangement, Instance, Spot, Wish},
    catalogue::Owned,
    grid::Cell,
};

mod edit;
mod gate;
#[cfg(test)]
mod tests;

pub use edit::{EditError, Farm};

/// Bytes of a document or of changes that are taken in at once.
pub const LAYOUT_BYTES_MAX: usize = 512 * 1024;
/// Changes in a document. Each drag is one, so this is years of arranging; then it is rewritten.
pub const CHANGES_MAX: usize = 10_000;
/// Operations in a document.
pub const OPERATIONS_MAX: u64 = 50_000;
/// Hashes with which another side says what it has.
pub const HEADS_MAX: usize = 256;

/// The highest number of an operation: far below where Automerge's counters end, so that a document
/// cannot be brought to where nobody can edit it any more.
const COUNTER_MAX: u64 = 1 << 28;

/// Why bytes are not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// More bytes, changes or operations than a layout may have.
    #[error("the layout is too large")]
    TooLarge,
    /// They are not a document or changes of one, or are damaged.
    #[error("these bytes are not a layout")]
    Malformed,
    /// They build on changes that are not here and do not come with them.
    #[error("the changes build on others that are missing")]
    MissingChanges,
}

impl LayoutError {
    /// A stable name of the reason, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "layout-too-large",
            Self::Malformed => "layout-malformed",
            Self::MissingChanges => "layout-changes-missing",
        }
    }
}

/// What distinguishes one device's edits from another's: 16 bytes that no other device, and no other
/// copy of the document that is edited apart, has.
pub type Device = [u8; 16];

/// A farm's layout.
#[derive(Debug, Clone)]
pub struct Layout {
    document: AutoCommit,
    changes: usize,
}

impl Layout {
    /// A layout in which nothing has been moved yet.
    pub fn new(device: Device) -> Self {
        Self {
            document: AutoCommit::new().with_actor(ActorId::from(device)),
            changes: 0,
        }
    }

    /// Reads a saved layout, to be edited by `device`.
    ///
    /// # Errors
    /// [`LayoutError`]; nothing about the bytes is trusted.
    pub fn load(bytes: &[u8], device: Device) -> Result<Self, LayoutError> {
        let mut layout = Self::new(device);
        layout.merge(bytes)?;
        Ok(layout)
    }

    /// Takes in what another device saved, a whole layout or changes, and says whether that brought
    /// anything new. On an error the layout is as it was.
    ///
    /// # Errors
    /// [`LayoutError`]; nothing about the bytes is trusted.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<bool, LayoutError> {
        let chunks = gate::weigh(bytes)?;
        let mut merged = self.document.clone();
        // The bytes are weighed, but decoding them is another project's code: should it come upon
        // something that it holds to be impossible, that is an error like any other. The copy it was
        // working on is dropped.
        let taken = catch_unwind(AssertUnwindSafe(move || {
            take_in(&mut merged, &chunks).map(|()| merged)
        }));
        let mut merged = taken.map_err(|_| LayoutError::Malformed)??;
        let changes = count(&mut merged)?;
        let news = changes != self.changes;
        self.document = merged;
        self.changes = changes;
        Ok(news)
    }

    /// The whole layout, to be stored or sent to another device.
    pub fn save(&mut self) -> Vec<u8> {
        self.document.save()
    }

    /// The changes that a side with these `heads` does not have; all of them for heads not known here.
    pub fn changes_since(&mut self, heads: &[Digest]) -> Vec<u8> {
        let known: Vec<ChangeHash> = heads
            .iter()
            .take(HEADS_MAX)
            .map(|head| ChangeHash(*head.as_bytes()))
            .filter(|hash| self.document.get_change_meta_by_hash(hash).is_some())
            .collect();
        self.document.save_after(&known)
    }

    /// The hashes of the latest changes: two layouts with the same heads are the same.
    pub fn heads(&mut self) -> Vec<Digest> {
        let heads = self.document.get_heads();
        heads
            .into_iter()
            .map(|head| Digest::from_bytes(head.0))
            .collect()
    }

    /// Changes made so far, at most [`CHANGES_MAX`].
    pub fn len(&self) -> usize {
        self.changes
    }

    /// Whether nothing has ever been changed.
    pub fn is_empty(&self) -> bool {
        self.changes == 0
    }

    /// Where everything stands on a farm that owns `owned` and has reached `farm_level`: the same for
    /// the same document on every machine.
    pub fn view(&self, owned: &[Owned], farm_level: u64) -> Arrangement {
        Arrangement::of(owned, farm_level, |instance| self.wish(instance))
    }

    fn wish(&self, instance: &Instance) -> Wish {
        let spot = match self.text(&place_key(instance)) {
            Some((text, _)) if text == SHED => Spot::Shed,
            Some((text, rank)) => {
                parse_cell(&text).map_or(Spot::Usual, |cell| Spot::At(cell, rank))
            }
            None => Spot::Usual,
        };
        let name = self.text(&name_key(instance)).map(|(text, _)| text);
        Wish { spot, name }
    }

    /// The short text under a key, and when in the document's order it was written.
    fn text(&self, key: &str) -> Option<(String, u64)> {
        let (value, id) = self.document.get(ROOT, key).ok()??;
        let (Value::Scalar(scalar), ObjId::Id(counter, ..)) = (value, id) else {
            return None;
        };
        match scalar.as_ref() {
            ScalarValue::Str(text) if text.len() <= TEXT_BYTES_MAX => {
                Some((text.to_string(), counter))
            }
            _ => None,
        }
    }
}

/// The value of a thing that is in the shed.
const SHED: &str = "shed";

/// Bytes of a value that is looked at: a name of 40 characters has at most 160.
const TEXT_BYTES_MAX: usize = 160;

fn place_key(instance: &Instance) -> String {
    format!("at:{instance}")
}

fn name_key(instance: &Instance) -> String {
    format!("name:{instance}")
}

fn parse_cell(text: &str) -> Option<Cell> {
    let (x, y) = text.split_once(',')?;
    Some(Cell {
        x: x.parse().ok()?,
        y: y.parse().ok()?,
    })
}

fn take_in(document: &mut AutoCommit, chunks: &[gate::Chunk<'_>]) -> Result<(), LayoutError> {
    let malformed = |_: AutomergeError| LayoutError::Malformed;
    let mut changes = Vec::new();
    for chunk in chunks {
        match chunk {
            gate::Chunk::Document(bytes) => {
                let options = LoadOptions::new()
                    .on_partial_load(OnPartialLoad::Error)
                    .verification_mode(VerificationMode::Check)
                    .migrate_strings(StringMigration::NoMigration);
                let other = Automerge::load_with_options(bytes, options).map_err(malformed)?;
                changes.extend(other.get_changes(&[]));
            }
            gate::Chunk::Change(bytes) => {
                let change = Change::from_bytes(bytes.to_vec());
                changes.push(change.map_err(|_| LayoutError::Malformed)?);
            }
        }
    }
    document.apply_changes(changes).map_err(malformed)?;
    if document.get_missing_deps(&[]).is_empty() {
        try_out(document)
    } else {
        Err(LayoutError::MissingChanges)
    }
}

/// Edits, saves and reads a copy. Automerge applies some damaged changes that it cannot read again once
/// they are saved: the owner would find out when the layout is lost.
fn try_out(document: &AutoCommit) -> Result<(), LayoutError> {
    let malformed = |_: AutomergeError| LayoutError::Malformed;
    let mut copy = document.clone();
    copy.put(ROOT, "trial", "").map_err(malformed)?;
    let mut again = AutoCommit::load(&copy.save()).map_err(malformed)?;
    if again.get_heads() == copy.get_heads() {
        Ok(())
    } else {
        Err(LayoutError::Malformed)
    }
}

/// Counts the changes, unless they are too many or too large.
fn count(document: &mut AutoCommit) -> Result<usize, LayoutError> {
    let changes = document.get_changes_meta(&[]);
    let operations = changes.iter().fold(0_u64, |sum, change| {
        let of = change
            .max_op
            .saturating_add(1)
            .saturating_sub(change.start_op);
        sum.saturating_add(of)
    });
    let highest = changes.iter().map(|change| change.max_op).max();
    if changes.len() > CHANGES_MAX || operations > OPERATIONS_MAX || highest > Some(COUNTER_MAX) {
        return Err(LayoutError::TooLarge);
    }
    Ok(changes.len())
}
