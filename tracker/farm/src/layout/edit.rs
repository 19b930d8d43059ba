//! What an owner does to a layout: put a thing somewhere, put it away, name it.

use automerge::{
    ROOT,
    transaction::{CommitOptions, Transactable},
};
use farmops_protocol::time::Timestamp;

use super::{CHANGES_MAX, Device, Layout, SHED, name_key, place_key};
use crate::{
    arrangement::{Arrangement, Instance, NAME_CHARS_MAX, Piece, is_name, pieces},
    catalogue::{Catalogue, Owned},
    grid::{self, Cell},
};

/// The farm that is arranged: what may stand on it and how much ground there is.
#[derive(Debug, Clone, Copy)]
pub struct Farm<'a> {
    /// What the farm owns.
    pub owned: &'a [Owned],
    /// The farm's level.
    pub level: u64,
}

/// Why an edit is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The farm does not have that piece, or it is nothing that stands on the ground.
    #[error("There is no {0} on this farm to be placed.")]
    NotOwned(Instance),
    /// Part of it would be off the grid.
    #[error("That is off the land: this farm has {side} by {side} cells.")]
    OffTheGrid {
        /// Cells along each side.
        side: u8,
    },
    /// The house, the flag, the fire or a field is there.
    #[error("House and fields stay where they are.")]
    Reserved,
    /// Something else stands there.
    #[error("{name} stands there already.")]
    Taken {
        /// Which piece.
        by: Instance,
        /// What it is called.
        name: String,
    },
    /// The name has too many characters.
    #[error("A name has at most {NAME_CHARS_MAX} characters.")]
    NameTooLong,
    /// The name has characters that cannot be seen, or spaces around it.
    #[error("A name has visible characters only.")]
    NameForm,
    /// The document has as many changes as it may.
    #[error("The layout has been changed {CHANGES_MAX} times: it must be rewritten first.")]
    Full,
}

impl EditError {
    /// A stable name of the reason, for programs; the sentence is its `Display`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOwned(_) => "not-owned",
            Self::OffTheGrid { .. } => "off-the-grid",
            Self::Reserved => "reserved",
            Self::Taken { .. } => "taken",
            Self::NameTooLong => "name-too-long",
            Self::NameForm => "name-form",
            Self::Full => "layout-full",
        }
    }
}

impl Layout {
    /// Puts a piece at `cell`, from wherever it is now: the ground or the shed.
    ///
    /// # Errors
    /// [`EditError`] when it is not owned, there is no room for it, or the document is full.
    pub fn place(
        &mut self,
        farm: Farm<'_>,
        instance: &Instance,
        cell: Cell,
        now: Timestamp,
    ) -> Result<(), EditError> {
        let piece = owned_piece(farm, instance)?;
        let side = grid::side(farm.level);
        let fits = |at: u8, extent: u8| at.saturating_add(extent) <= side;
        if !fits(cell.x, piece.footprint.width) || !fits(cell.y, piece.footprint.depth) {
            return Err(EditError::OffTheGrid { side });
        }
        let view = self.view(farm.owned, farm.level);
        for cell in piece.footprint.cells(cell) {
            if cell.is_reserved() {
                return Err(EditError::Reserved);
            }
            if let Some(other) = view.on(cell).filter(|other| other.instance != *instance) {
                let item = Catalogue::builtin().item(&other.instance.item);
                let name = other.name.clone();
                return Err(EditError::Taken {
                    name: name.unwrap_or_else(|| item.map_or_else(String::new, |i| i.name.clone())),
                    by: other.instance.clone(),
                });
            }
        }
        let value = format!("{},{}", cell.x, cell.y);
        self.write(&place_key(instance), Some(&value), now)
    }

    /// Puts a piece into the shed.
    ///
    /// # Errors
    /// [`EditError::NotOwned`] and [`EditError::Full`].
    pub fn remove(
        &mut self,
        farm: Farm<'_>,
        instance: &Instance,
        now: Timestamp,
    ) -> Result<(), EditError> {
        owned_piece(farm, instance)?;
        self.write(&place_key(instance), Some(SHED), now)
    }

    /// Lets a piece go back to its usual place.
    ///
    /// # Errors
    /// [`EditError::NotOwned`] and [`EditError::Full`].
    pub fn reset(
        &mut self,
        farm: Farm<'_>,
        instance: &Instance,
        now: Timestamp,
    ) -> Result<(), EditError> {
        owned_piece(farm, instance)?;
        self.write(&place_key(instance), None, now)
    }

    /// Gives a piece a name of its own, or with an empty one takes it away. Spaces around it are left
    /// out.
    ///
    /// # Errors
    /// [`EditError::NotOwned`], [`EditError::NameTooLong`], [`EditError::NameForm`] and
    /// [`EditError::Full`].
    pub fn rename(
        &mut self,
        farm: Farm<'_>,
        instance: &Instance,
        name: &str,
        now: Timestamp,
    ) -> Result<(), EditError> {
        owned_piece(farm, instance)?;
        let name = name.trim();
        if name.chars().nth(NAME_CHARS_MAX).is_some() {
            return Err(EditError::NameTooLong);
        }
        if !name.is_empty() && !is_name(name) {
            return Err(EditError::NameForm);
        }
        let value = Some(name).filter(|name| !name.is_empty());
        self.write(&name_key(instance), value, now)
    }

    /// The same arrangement as a new document without the past, for one that is full. Other devices
    /// must load it anew: merged with the old document it has all the old changes again.
    #[must_use]
    pub fn rewritten(&self, farm: Farm<'_>, device: Device, now: Timestamp) -> Self {
        let mut fresh = Self::new(device);
        let view = self.view(farm.owned, farm.level);
        let mut entries = Vec::new();
        for (instance, value, name) in settled(&view) {
            entries.push((place_key(instance), value));
            entries.extend(name.map(|name| (name_key(instance), name)));
        }
        for (key, value) in &entries {
            // A map of texts takes every text.
            let _ = fresh.document.put(ROOT, key, value.as_str());
        }
        fresh.commit(now);
        fresh
    }

    /// Writes or deletes one key, unless it already is so.
    fn write(&mut self, key: &str, value: Option<&str>, now: Timestamp) -> Result<(), EditError> {
        let before = self.text(key).map(|(text, _)| text);
        if before.as_deref() == value {
            return Ok(());
        }
        if self.changes >= CHANGES_MAX {
            return Err(EditError::Full);
        }
        // The root is a map that takes every text, and deleting what is not there changes nothing.
        let _ = match value {
            Some(value) => self.document.put(ROOT, key, value),
            None => self.document.delete(ROOT, key),
        };
        self.commit(now);
        Ok(())
    }

    fn commit(&mut self, now: Timestamp) {
        let options = CommitOptions::default().with_time(now.second());
        if self.document.commit_with(options).is_some() {
            self.changes += 1;
        }
    }
}

/// Each piece with its value and name, as the document writes them.
fn settled(view: &Arrangement) -> impl Iterator<Item = (&Instance, String, Option<String>)> {
    let placed = view.placed().iter().map(|p| {
        let value = format!("{},{}", p.cell.x, p.cell.y);
        (&p.instance, value, p.name.clone())
    });
    let shed = view.shed().iter();
    placed.chain(shed.map(|s| (&s.instance, SHED.to_owned(), s.name.clone())))
}

fn owned_piece(farm: Farm<'_>, instance: &Instance) -> Result<Piece, EditError> {
    pieces(farm.owned)
        .into_iter()
        .find(|piece| piece.instance == *instance)
        .ok_or_else(|| EditError::NotOwned(instance.clone()))
}
