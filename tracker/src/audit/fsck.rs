//! Checking a whole database against its own ledger, without changing it.
//!
//! The ledger is folded once more into an empty database beside it. Whatever the tracker's database
//! has in its projections has to be there, byte for byte; every head that was ever signed has to be
//! the head that the log had at that size; and every signature has to hold. If the ledger itself is
//! damaged, that is all there is to say: what follows from it would be compared with the damage.
//!
//! Not compared, because nothing in the ledger tells of it: cards and milestones, villages, tokens, and
//! the federation's tables.

use farmops_protocol::{key::PublicKey, log::commitment::SaltSource};

use super::{Audit, Remedy, Report, rows, said::Said, waiting, witness::Witness};
use crate::{
    domain::Changes,
    ledger::{Event, FullTile},
    store::{Batch, Growth, Inspect, Journal, LedgerLine, PROJECTIONS, StoreError},
};

/// Entries folded before their rows are written beside.
const PAGE: u32 = 2000;

/// Checks `database`; `scratch` is an empty one, with its writing and its looking side.
///
/// # Errors
/// [`StoreError`] when a database cannot be read at all; whatever it holds is a finding.
pub async fn fsck(
    database: &dyn Inspect,
    scratch: (&mut dyn Journal, &dyn Inspect),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, StoreError> {
    let (journal, folded) = scratch;
    let mut early = Report::default();
    let Some(founder) = founder(database, &mut early).await? else {
        return Ok(early);
    };
    let Some(salts) = salts(database, &founder, &mut early).await? else {
        return Ok(early);
    };
    let mut audit = Audit::with_salts(salts);
    *audit.report_mut() = early;
    let mut fold = Fold {
        said: Said::read(database, &founder, audit.report_mut()).await?,
        witness: Witness::read(database).await?,
        database,
        audit,
    };
    let followed = fold.run(journal, progress).await?;
    let size = fold.audit.state().position;
    let Fold {
        said,
        witness,
        mut audit,
        ..
    } = fold;
    if !followed {
        return Ok(audit.into_report());
    }
    let logged = witness.confirms(size, audit.report_mut());
    let said = said.finish(size, audit.report_mut());
    if logged && said {
        for projection in &PROJECTIONS {
            rows::compare(projection, folded, database, audit.report_mut()).await?;
        }
        waiting::buffered(database, &mut audit).await?;
    }
    Ok(audit.into_report())
}

/// The key that the farm was founded with.
async fn founder(
    database: &dyn Inspect,
    report: &mut Report,
) -> Result<Option<PublicKey>, StoreError> {
    let first = database.ledger(0, 1).await?.into_iter().next();
    let Some(first) = first else {
        return Ok(None);
    };
    match Event::read(&first.kind, &first.body) {
        Ok(Event::FarmFounded(founded)) => return Ok(Some(founded.farmer_key)),
        Ok(other) => {
            let reason = format!("the ledger begins with `{}`", other.kind());
            report.find(1, "ledger", reason, Remedy::Restore);
        }
        Err(error) => report.find(1, "ledger", error.to_string(), Remedy::Restore),
    }
    Ok(None)
}

/// The log's salts, if the farm's secrets are there.
async fn salts(
    database: &dyn Inspect,
    founder: &PublicKey,
    report: &mut Report,
) -> Result<Option<SaltSource>, StoreError> {
    let Some(secrets) = database.secrets().await? else {
        let reason = "the farm's secrets cannot be read, so its log cannot be followed".to_owned();
        report.find(0, "secret", reason, Remedy::Restore);
        return Ok(None);
    };
    if secrets.public_key() != *founder {
        let reason = "the farm's key is not the one it was founded with".to_owned();
        report.find(1, "secret", reason, Remedy::Restore);
    }
    Ok(Some(SaltSource::new(secrets.farm_secret)))
}

/// The ledger, on its way through the audit into the database beside.
struct Fold<'a> {
    database: &'a dyn Inspect,
    audit: Audit,
    said: Said,
    witness: Witness,
}

impl Fold<'_> {
    /// Follows the ledger to its end; false if it cannot be followed that far.
    async fn run(
        &mut self,
        journal: &mut dyn Journal,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<bool, StoreError> {
        loop {
            let after = self.audit.state().position;
            let lines = self.database.ledger(after, PAGE).await?;
            if lines.is_empty() {
                return Ok(true);
            }
            let from = self.audit.log().head();
            let (mut changes, mut tiles) = (Changes::default(), Vec::new());
            for line in &lines {
                if !self.follow(line, &mut changes, &mut tiles).await? {
                    return Ok(false);
                }
            }
            let batch = Batch {
                changes: Some((self.audit.state(), &changes)),
                log: Some(Growth {
                    from,
                    log: self.audit.log(),
                    tiles: &tiles,
                }),
                ..Batch::default()
            };
            journal.commit(&batch).await?;
            progress(self.audit.state().position);
        }
    }

    async fn follow(
        &mut self,
        line: &LedgerLine,
        changes: &mut Changes,
        tiles: &mut Vec<FullTile>,
    ) -> Result<bool, StoreError> {
        let LedgerLine {
            position,
            kind,
            recorded_at,
            body,
        } = line;
        let Some(followed) = self.audit.line(*position, kind, *recorded_at, body) else {
            return Ok(false);
        };
        changes.note(
            self.audit.state(),
            &followed.entry,
            followed.entered.applied,
        );
        let entry = followed.entered.commitment.entry();
        self.witness.entry(self.database, *position, entry).await?;
        tiles.extend(followed.entered.tiles);
        if self.said.compare(&mut self.audit) {
            self.witness.vouch(*position);
        }
        Ok(true)
    }
}
