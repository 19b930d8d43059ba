//! What the farm said to the world about its log: signed heads, alone and in snapshots.

use std::collections::BTreeMap;

use farmops_protocol::{
    checkpoint::Checkpoint, key::PublicKey, log::TreeHead, snapshot::SnapshotDocument,
};
use futures::TryStreamExt as _;

use super::{Remedy, Report};
use crate::store::{Cell, Inspect, RawRow, StoreError};

/// The heads that were said, by their sizes: each has to be the log's own when the fold gets there.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<u64, Vec<(&'static str, TreeHead)>>);

impl Said {
    /// Reads everything that was said, and checks its signatures.
    pub(super) async fn read(
        database: &dyn Inspect,
        key: &PublicKey,
        report: &mut Report,
    ) -> Result<Self, StoreError> {
        let mut said = Self::default();
        let mut rows = database.rows("checkpoint", &["size"]);
        while let Some(row) = rows.try_next().await? {
            match checkpoint(&row, key) {
                Ok(head) => said.note("checkpoint", head, report),
                Err(reason) => {
                    let size = number(&row, "size").unwrap_or(0);
                    report.find(size, "checkpoint", reason, Remedy::Restore);
                }
            }
        }
        drop(rows);
        let mut rows = database.rows("publication", &["sequence"]);
        while let Some(row) = rows.try_next().await? {
            match publication(&row, key) {
                Ok(head) => said.note("publication", head, report),
                Err(reason) => {
                    let position = number(&row, "ledger_position").unwrap_or(0);
                    report.find(position, "publication", reason, Remedy::Restore);
                }
            }
        }
        Ok(said)
    }

    /// Compares what was said of the log at this size with what it is.
    pub(super) fn compare(&mut self, ours: &TreeHead, report: &mut Report) {
        for (table, head) in self.0.remove(&ours.size).unwrap_or_default() {
            if head.root != ours.root {
                let reason = format!(
                    "the head of {} entries that was signed is not the one that they have",
                    head.size
                );
                report.find(ours.size, table, reason, Remedy::Restore);
            }
        }
    }

    /// Reports heads of more entries than the ledger has.
    pub(super) fn finish(self, size: u64, report: &mut Report) {
        for (beyond, heads) in self.0 {
            for (table, _) in heads {
                let reason = format!("a head of {beyond} entries was signed, and there are {size}");
                report.find(size + 1, table, reason, Remedy::Restore);
            }
        }
    }

    fn note(&mut self, table: &'static str, head: TreeHead, report: &mut Report) {
        report.heads += 1;
        self.0.entry(head.size).or_default().push((table, head));
    }
}

fn checkpoint(row: &RawRow, key: &PublicKey) -> Result<TreeHead, String> {
    let note = text(row, "note").ok_or("the note is no text")?;
    let signed = Checkpoint::verify(note, key).map_err(|e| e.to_string())?;
    let root = Cell::Bytes(signed.root.as_bytes().to_vec());
    if number(row, "size") != Some(signed.size) || row.get("root") != Some(&root) {
        return Err("the row does not say what its note says".to_owned());
    }
    Ok(TreeHead::from(&signed))
}

fn publication(row: &RawRow, key: &PublicKey) -> Result<TreeHead, String> {
    let Some(Cell::Bytes(document)) = row.get("document") else {
        return Err("the document is not there".to_owned());
    };
    let verified = SnapshotDocument::parse(document)
        .and_then(|document| document.verify(key))
        .map_err(|e| e.to_string())?;
    let snapshot = verified.snapshot();
    let told = (number(row, "sequence"), text(row, "object_id"));
    if told
        != (
            Some(snapshot.sequence.value()),
            Some(verified.post().id.as_str()),
        )
    {
        return Err("the row does not say what its document says".to_owned());
    }
    let signed = Checkpoint::verify(&snapshot.checkpoint, key).map_err(|e| e.to_string())?;
    if number(row, "ledger_position").is_none_or(|position| position > signed.size) {
        return Err("the snapshot tells of entries that its head does not have".to_owned());
    }
    Ok(TreeHead::from(&signed))
}

fn number(row: &RawRow, column: &str) -> Option<u64> {
    match row.get(column) {
        Some(Cell::Number(number)) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn text<'a>(row: &'a RawRow, column: &str) -> Option<&'a str> {
    match row.get(column) {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}
