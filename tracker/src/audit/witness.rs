//! The stored log as a witness of what the ledger was when it was written.
//!
//! An entry that was changed afterwards no longer is the one that its bundle holds. Whether the entry or
//! the bundle was changed is told by the next signed head: it agrees with one of them.

use farmops_protocol::{
    digest::Digest,
    log::{Layer, TILE_WIDTH, Tile, bundle},
};
use futures::TryStreamExt as _;

use super::{Remedy, Report};
use crate::store::{Cell, Inspect, RawRow, StoreError};

/// What the stored log and the signed heads say of the ledger.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// The stored entries of the bundle at hand, and its number.
    bundle: Option<(u64, Vec<Digest>)>,
    /// The bundle that is not full, and the log's size.
    edge: (Vec<Digest>, u64),
    /// How many entries are as stored, and the first one that is not.
    same: u64,
    differs: Option<u64>,
    /// The size of the largest signed head that agrees with the ledger.
    vouched: u64,
}

impl Witness {
    /// Reads the log's right edge; nothing of it if it is damaged.
    pub(super) async fn read(database: &dyn Inspect) -> Result<Self, StoreError> {
        let row = database.rows("ledger_head", &[]).try_next().await?;
        Ok(Self {
            edge: row.as_ref().and_then(edge).unwrap_or_default(),
            ..Self::default()
        })
    }

    /// Compares the entry at `position` with the stored one.
    pub(super) async fn entry(
        &mut self,
        database: &dyn Inspect,
        position: u64,
        entry: Digest,
    ) -> Result<(), StoreError> {
        let index = position.saturating_sub(1);
        let (number, place) = (index / 256, usize::try_from(index % 256).unwrap_or(0));
        if self.bundle.as_ref().is_none_or(|(held, _)| *held != number) {
            let stored = if number == self.edge.1 / 256 {
                self.edge.0.clone()
            } else {
                full(database, number).await?
            };
            self.bundle = Some((number, stored));
        }
        let stored = self.bundle.as_ref().and_then(|(_, held)| held.get(place));
        match stored {
            Some(stored) if *stored == entry => self.same += 1,
            _ => self.differs = self.differs.or(Some(position)),
        }
        Ok(())
    }

    /// Takes note of a signed head of `size` entries that agrees with the ledger.
    pub(super) fn vouch(&mut self, size: u64) {
        self.vouched = self.vouched.max(size);
    }

    /// Whether the ledger of `size` entries is the one that was logged; if not, that is the finding.
    pub(super) fn confirms(&self, size: u64, report: &mut Report) -> bool {
        let logged = self.edge.1;
        if size < logged {
            let reason = format!("the ledger ends here, and {logged} entries were logged");
            report.find(size + 1, "ledger", reason, Remedy::Restore);
            return false;
        }
        let Some(position) = self.differs.filter(|position| *position > self.vouched) else {
            return true;
        };
        let (table, reason) = if self.same == 0 && size > 1 {
            (
                "secret",
                "the farm's secret is not the one that the log was made with",
            )
        } else {
            ("ledger", "the entry is not the one that was logged")
        };
        report.find(position, table, reason.to_owned(), Remedy::Restore);
        false
    }
}

/// The entries of a full bundle; none if it is missing or damaged.
async fn full(database: &dyn Inspect, number: u64) -> Result<Vec<Digest>, StoreError> {
    let Ok(tile) = Tile::new(Layer::Entries, number, TILE_WIDTH) else {
        return Ok(Vec::new());
    };
    match database.tile(&tile).await {
        Ok(Some(body)) => Ok(bundle::parse(&tile, &body).unwrap_or_default()),
        Ok(None) | Err(StoreError::Unreadable { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn edge(row: &RawRow) -> Option<(Vec<Digest>, u64)> {
    let (Some(Cell::Number(size)), Some(Cell::Bytes(body))) = (row.get("size"), row.get("bundle"))
    else {
        return None;
    };
    let size = u64::try_from(*size).ok()?;
    let entries = match Tile::of_log(Layer::Entries, size / 256, size) {
        Some(tile) => bundle::parse(&tile, body).ok()?,
        None => Vec::new(),
    };
    Some((entries, size))
}
