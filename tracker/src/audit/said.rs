//! What the farm said to the world about its log: signed heads, alone and in snapshots.

use std::collections::BTreeMap;

use farmops_protocol::{
    checkpoint::Checkpoint, key::PublicKey, log::TreeHead, snapshot::SnapshotDocument,
};
use futures::TryStreamExt as _;

use super::{Audit, Remedy, Report};
use crate::store::{Cell, Inspect, RawRow, StoreError};

/// The heads that were said, by their sizes: each has to be the log's own when the fold gets there.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<u64, Vec<Claim>>);

/// What was said of the log, or the farm, at one size.
#[derive(Debug)]
struct Claim {
    table: &'static str,
    head: TreeHead,
    /// In a snapshot: the last entry that it tells of, and the coins earned.
    farm: Option<(u64, u64)>,
}

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
                Ok(claim) => said.note(claim, report),
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
                Ok(claim) => said.note(claim, report),
                Err(reason) => {
                    let position = number(&row, "ledger_position").unwrap_or(0);
                    report.find(position, "publication", reason, Remedy::Restore);
                }
            }
        }
        Ok(said)
    }

    /// Compares what was said of the log at the size it has now with what it is; true if a signed head
    /// agrees.
    pub(super) fn compare(&mut self, audit: &mut Audit) -> bool {
        let Some(claims) = self.0.remove(&audit.log().size()) else {
            return false;
        };
        let ours = audit.log().head();
        let farm = (audit.state().public_position, audit.state().coins.earned);
        let mut agrees = false;
        for claim in claims {
            let reason = if claim.head.root != ours.root {
                "the head that was signed is not the one that these entries have"
            } else if claim.farm.is_some_and(|claimed| claimed != farm) {
                "the farm that was shown is not the one that these entries make"
            } else {
                agrees = true;
                continue;
            };
            let reason = reason.to_owned();
            audit
                .report_mut()
                .find(ours.size, claim.table, reason, Remedy::Restore);
        }
        agrees
    }

    /// Whether every head was of entries that the ledger has; others are reported.
    pub(super) fn finish(self, size: u64, report: &mut Report) -> bool {
        for (beyond, claims) in &self.0 {
            for Claim { table, .. } in claims {
                let reason = format!("a head of {beyond} entries was signed, and there are {size}");
                report.find(size + 1, table, reason, Remedy::Restore);
            }
        }
        self.0.is_empty()
    }

    fn note(&mut self, claim: Claim, report: &mut Report) {
        report.heads += 1;
        self.0.entry(claim.head.size).or_default().push(claim);
    }
}

fn checkpoint(row: &RawRow, key: &PublicKey) -> Result<Claim, String> {
    let note = text(row, "note").ok_or("the note is no text")?;
    let signed = Checkpoint::verify(note, key).map_err(|e| e.to_string())?;
    let root = Cell::Bytes(signed.root.as_bytes().to_vec());
    if number(row, "size") != Some(signed.size) || row.get("root") != Some(&root) {
        return Err("the row does not say what its note says".to_owned());
    }
    Ok(Claim {
        table: "checkpoint",
        head: TreeHead::from(&signed),
        farm: None,
    })
}

fn publication(row: &RawRow, key: &PublicKey) -> Result<Claim, String> {
    let Some(Cell::Bytes(document)) = row.get("document") else {
        return Err("the document is not there".to_owned());
    };
    let verified = SnapshotDocument::parse(document)
        .and_then(|document| document.verify(key))
        .map_err(|e| e.to_string())?;
    let snapshot = verified.snapshot();
    let post = verified.post();
    let published = Cell::Number(post.published.second());
    if number(row, "sequence") != Some(snapshot.sequence.value())
        || text(row, "object_id") != Some(post.id.as_str())
        || row.get("published_at") != Some(&published)
    {
        return Err("the row does not say what its document says".to_owned());
    }
    let signed = Checkpoint::verify(&snapshot.checkpoint, key).map_err(|e| e.to_string())?;
    Ok(Claim {
        table: "publication",
        head: TreeHead::from(&signed),
        farm: number(row, "ledger_position").zip(Some(snapshot.total_coins.value())),
    })
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
