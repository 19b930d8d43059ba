//! What was followed and is not written yet: the ledger goes through an audit into an empty database page
//! by page.

use farmops_ledger::Entry;
use farmops_protocol::log::TreeHead;

use super::Audit;
use crate::{
    domain::Changes,
    log::{FullTile, Log},
    store::{Batch, Growth},
};

/// What was followed since the last page.
#[derive(Debug)]
pub struct Page {
    from: TreeHead,
    /// The rows that it touched.
    pub changes: Changes,
    /// The files of the log that it filled.
    pub tiles: Vec<FullTile>,
    /// The entries, where they are written as well.
    pub entries: Vec<Entry>,
}

impl Page {
    /// An empty one after what `log` has.
    pub fn after(log: &Log) -> Self {
        Self {
            from: log.head(),
            changes: Changes::default(),
            tiles: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Turns the page after what `log` has; the one before, if anything stands on it.
    pub fn turn(&mut self, log: &Log) -> Option<Self> {
        let full = std::mem::replace(self, Self::after(log));
        (full.from.size < log.size()).then_some(full)
    }

    /// What there is to write, of an audit that has come to the page's end.
    pub fn batch<'a>(&'a self, audit: &'a Audit) -> Batch<'a> {
        Batch {
            entries: &self.entries,
            changes: Some((audit.state(), &self.changes)),
            log: Some(Growth {
                from: self.from,
                log: audit.log(),
                tiles: &self.tiles,
            }),
            ..Batch::default()
        }
    }
}
