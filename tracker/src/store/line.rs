//! Lines of the ledger, whole ones and those whose bodies are archived.

use farmops_ledger::Event;
use farmops_protocol::{digest::Digest, snapshot::season_of, time::Timestamp};
use serde::Serialize;

use super::StoreError;

/// A raw ledger line.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Its place.
    pub position: u64,
    /// The event's word.
    pub kind: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The canonical body.
    pub body: LineBody,
}

/// What an entry says, or what is left of it here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineBody {
    /// Its canonical bytes.
    Here(Vec<u8>),
    /// They are in an archive; this is the commitment to them, of which the log is made.
    Archived(Digest),
}

impl LedgerLine {
    /// The line as a sentence; one of a later version is shown by its word.
    pub fn told(&self) -> String {
        match self.body.bytes().map(|body| Event::read(&self.kind, body)) {
            Some(Ok(event)) => event.told(),
            Some(Err(_)) => self.kind.clone(),
            None => format!(
                "A proof; what it says is archived with the season {}.",
                season_of(self.recorded_at)
            ),
        }
    }
}

impl LineBody {
    /// The canonical bytes, if they are here.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Here(bytes) => Some(bytes),
            Self::Archived(_) => None,
        }
    }
}

/// The entries of one season whose bodies are archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedSeason {
    /// The season, `2026-Q3`.
    pub season: String,
    /// How many entries.
    pub entries: u64,
    /// The position of the first one.
    pub first: u64,
    /// The position of the last one.
    pub last: u64,
}

impl ArchivedSeason {
    /// Counts the entry at `position` among those of its season; positions come in order.
    pub fn count(seasons: &mut Vec<Self>, season: String, position: u64) {
        match seasons.iter_mut().find(|known| known.season == season) {
            Some(known) => {
                known.entries += 1;
                known.last = position;
            }
            None => seasons.push(Self {
                season,
                entries: 1,
                first: position,
                last: position,
            }),
        }
    }
}

/// Where the bodies are that the ledger does not have.
pub trait Bodies: Send {
    /// What the entry at `position` says; nothing if it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn body(&mut self, position: u64) -> Result<Option<Vec<u8>>, StoreError>;
}

/// No archive.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Bodies for Nowhere {
    fn body(&mut self, _: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}
