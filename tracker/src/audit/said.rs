//! What the farm said to the world about its log: signed heads, alone and in snapshots.

use std::collections::BTreeMap;

use farmops_protocol::{
    checkpoint::Checkpoint, key::PublicKey, log::TreeHead, snapshot::SnapshotDocument,
};
use futures::TryStreamExt as _;

use super::{Audit, Remedy, Report};
use crate::store::{Cell, Inspect, Publication, RawRow, SignedHead, StoreError};

/// The heads that were said, by their sizes: each has to be the log's own when the fold gets there.
#[derive(Debug, Default)]
pub struct Said(BTreeMap<u64, Vec<Claim>>);

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
            let size = number(&row, "size");
            let claim = match text(&row, "note") {
                Some(note) => checkpoint(note, size, row.get("root"), key),
                None => Err("the note is no text".to_owned()),
            };
            said.hear("checkpoint", size, claim, report);
        }
        drop(rows);
        let mut rows = database.rows("publication", &["sequence"]);
        while let Some(row) = rows.try_next().await? {
            let position = number(&row, "ledger_position");
            let claim = match row.get("document") {
                Some(Cell::Bytes(document)) => {
                    let shown = Shown {
                        sequence: number(&row, "sequence"),
                        object_id: text(&row, "object_id"),
                        ledger_position: position,
                        published_at: row.get("published_at"),
                    };
                    publication(document, &shown, key)
                }
                _ => Err("the document is not there".to_owned()),
            };
            said.hear("publication", position, claim, report);
        }
        Ok(said)
    }

    /// Takes note of a signed head, and checks its signature.
    pub fn head(&mut self, signed: &SignedHead, key: &PublicKey, report: &mut Report) {
        let size = Some(signed.head.size);
        let root = Cell::Bytes(signed.head.root.as_bytes().to_vec());
        let claim = checkpoint(&signed.note, size, Some(&root), key);
        self.hear("checkpoint", size, claim, report);
    }

    /// Takes note of a snapshot, and checks its signatures.
    pub fn snapshot(&mut self, published: &Publication, key: &PublicKey, report: &mut Report) {
        let position = Some(published.ledger_position);
        let published_at = Cell::Number(published.published_at.second());
        let shown = Shown {
            sequence: Some(published.sequence),
            object_id: Some(&published.object_id),
            ledger_position: position,
            published_at: Some(&published_at),
        };
        let claim = publication(&published.document, &shown, key);
        self.hear("publication", position, claim, report);
    }

    /// Compares what was said of the log at the size it has now with what it is; true if a signed head
    /// agrees. Of a log that cannot be followed only the farm is compared.
    pub fn compare(&mut self, audit: &mut Audit) -> bool {
        let Some(claims) = self.0.remove(&audit.log().size()) else {
            return false;
        };
        let ours = audit.log().head();
        let farm = (audit.state().public_position, audit.state().coins.earned);
        let mut agrees = false;
        for claim in claims {
            let reason = if audit.follows_log() && claim.head.root != ours.root {
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
    pub fn finish(self, size: u64, report: &mut Report) -> bool {
        for (beyond, claims) in &self.0 {
            for Claim { table, .. } in claims {
                let reason = format!("a head of {beyond} entries was signed, and there are {size}");
                report.find(size + 1, table, reason, Remedy::Restore);
            }
        }
        self.0.is_empty()
    }

    fn hear(
        &mut self,
        table: &'static str,
        position: Option<u64>,
        claim: Result<Claim, String>,
        report: &mut Report,
    ) {
        match claim {
            Ok(claim) => {
                report.heads += 1;
                self.0.entry(claim.head.size).or_default().push(claim);
            }
            Err(reason) => report.find(position.unwrap_or(0), table, reason, Remedy::Restore),
        }
    }
}

/// What is kept beside a snapshot's document, as far as it can be read.
struct Shown<'a> {
    sequence: Option<u64>,
    object_id: Option<&'a str>,
    ledger_position: Option<u64>,
    published_at: Option<&'a Cell>,
}

/// What a note says, if that is what is kept beside it.
fn checkpoint(
    note: &str,
    size: Option<u64>,
    root: Option<&Cell>,
    key: &PublicKey,
) -> Result<Claim, String> {
    let signed = Checkpoint::verify(note, key).map_err(|e| e.to_string())?;
    let ours = Cell::Bytes(signed.root.as_bytes().to_vec());
    if size != Some(signed.size) || root != Some(&ours) {
        return Err("the row does not say what its note says".to_owned());
    }
    Ok(Claim {
        table: "checkpoint",
        head: TreeHead::from(&signed),
        farm: None,
    })
}

/// What a snapshot says, if that is what is kept beside it.
fn publication(document: &[u8], shown: &Shown<'_>, key: &PublicKey) -> Result<Claim, String> {
    let verified = SnapshotDocument::parse(document)
        .and_then(|document| document.verify(key))
        .map_err(|e| e.to_string())?;
    let snapshot = verified.snapshot();
    let post = verified.post();
    let published = Cell::Number(post.published.second());
    if shown.sequence != Some(snapshot.sequence.value())
        || shown.object_id != Some(post.id.as_str())
        || shown.published_at != Some(&published)
    {
        return Err("the row does not say what its document says".to_owned());
    }
    let signed = Checkpoint::verify(&snapshot.checkpoint, key).map_err(|e| e.to_string())?;
    Ok(Claim {
        table: "publication",
        head: TreeHead::from(&signed),
        farm: shown
            .ledger_position
            .zip(Some(snapshot.total_coins.value())),
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
