//! Checking a whole database against its own ledger, without changing it.
//!
//! The ledger is folded once more into an empty database beside it. Whatever the tracker's database
//! has in its projections has to be there, byte for byte; every head that was ever signed has to be
//! the head that the log had at that size; and every signature has to hold. If the ledger itself is
//! damaged, that is all there is to say: what follows from it would be compared with the damage.
//!
//! Of archived proofs the rows that the tracker kept stand in for the bodies, where the archive is not
//! given: then everything but `UNTOLD` is compared all the same, because the log commits to what they were
//! worth.
//!
//! Not compared, because nothing in the ledger tells of it: cards and milestones, villages, tokens, and
//! the federation's tables.

use farmops_ledger::{AGENT_REVOKED, CHAIN_RESET, Event};
use farmops_protocol::{
    digest::Digest,
    key::PublicKey,
    log::commitment::{LoggedEvent, SaltSource},
};

use super::{
    Audit, Page, Remedy, Report, against_rows, rows, said::Said, waiting, witness::Witness,
};
use crate::store::{
    Bodies, Inspect, Journal, LedgerLine, LineBody, PROJECTIONS, Projection, StoreError,
};

/// Entries folded before their rows are written beside.
const PAGE_MAX: u32 = 2000;

/// What also follows from what archived proofs say, and not from their rows alone.
const UNTOLD: [&str; 2] = ["composing", "hour_activity"];

/// Checks `database`, with what `archive` has of it; `scratch` is an empty one, with its writing and its
/// looking side.
///
/// # Errors
/// [`StoreError`] when a database cannot be read at all; whatever it holds is a finding.
pub async fn fsck(
    database: &dyn Inspect,
    archive: &mut dyn Bodies,
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
    let mut audit = Audit::with_salts(salts.clone());
    *audit.report_mut() = early;
    let mut fold = Fold {
        said: Said::read(database, &founder, audit.report_mut()).await?,
        witness: Witness::read(database).await?,
        database,
        archive,
        salts,
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
        let whole = audit.report_mut().archived.is_empty();
        let told = |p: &&Projection| whole || !UNTOLD.contains(&p.table);
        for projection in PROJECTIONS.iter().filter(told) {
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
        if let Err(StoreError::Damaged(reason)) = database.glance().await {
            report.find(1, "ledger", reason, Remedy::Restore);
        }
        return Ok(None);
    };
    match Event::read(&first.kind, first.body.bytes().unwrap_or_default()) {
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
    archive: &'a mut dyn Bodies,
    salts: SaltSource,
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
            let lines = match self.database.ledger(after, PAGE_MAX).await {
                Err(error) if error.is_unreadable() => {
                    self.find_unreadable(after).await?;
                    return Ok(false);
                }
                lines => lines?,
            };
            if lines.is_empty() {
                return Ok(true);
            }
            self.know_rows(&lines).await?;
            let mut page = Page::after(self.audit.log());
            for line in &lines {
                if line.kind == AGENT_REVOKED || line.kind == CHAIN_RESET {
                    // What they say is compared with the rows as they are then.
                    self.write(journal, &mut page).await?;
                    let body = line.body.bytes().unwrap_or_default();
                    if let Some(reason) = against_rows(journal, &line.kind, body).await? {
                        let report = self.audit.report_mut();
                        report.find(line.position, "ledger", reason, Remedy::Restore);
                    }
                }
                if !self.follow(line, &mut page).await? {
                    return Ok(false);
                }
            }
            self.write(journal, &mut page).await?;
            progress(self.audit.state().position);
        }
    }

    /// Writes what was followed since the last time into the database beside.
    async fn write(&self, journal: &mut dyn Journal, page: &mut Page) -> Result<(), StoreError> {
        match page.turn(self.audit.log()) {
            Some(page) => journal.commit(&page.batch(&self.audit)).await,
            None => Ok(()),
        }
    }

    /// Names the first entry after `after` that cannot be read.
    async fn find_unreadable(&mut self, after: u64) -> Result<(), StoreError> {
        for before in after.. {
            match self.database.ledger(before, 1).await {
                Err(error) if error.is_unreadable() => {
                    let reason = format!("the entry cannot be read: {error}");
                    let report = self.audit.report_mut();
                    report.find(before + 1, "ledger", reason, Remedy::Restore);
                    break;
                }
                lines => {
                    if lines?.is_empty() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn follow(&mut self, line: &LedgerLine, page: &mut Page) -> Result<bool, StoreError> {
        let position = line.position;
        let body = match &line.body {
            LineBody::Here(body) => Some(body.clone()),
            LineBody::Archived(commitment) => self.opened(line, *commitment)?,
        };
        let entered = match (body, &line.body) {
            (None, LineBody::Archived(commitment)) => {
                let (kind, at) = (&line.kind, line.recorded_at);
                let passed = self.audit.archived(position, kind, at, *commitment);
                passed.map(|(row, entered)| {
                    page.changes.note_archived(&row);
                    entered
                })
            }
            (body, _) => {
                let body = body.unwrap_or_default();
                let (kind, at) = (&line.kind, line.recorded_at);
                let followed = self.audit.line(position, kind, at, &body);
                followed.map(|followed| {
                    let entered = followed.entered;
                    page.changes
                        .note(self.audit.state(), &followed.entry, entered.applied.clone());
                    entered
                })
            }
        };
        let Some(entered) = entered else {
            return Ok(false);
        };
        let entry = entered.commitment.entry();
        self.witness.entry(self.database, position, entry).await?;
        page.tiles.extend(entered.tiles);
        if self.said.compare(&mut self.audit) {
            self.witness.vouch(position);
        }
        Ok(true)
    }

    /// What an archived entry says, if the archive has it and the log has committed to it.
    fn opened(
        &mut self,
        line: &LedgerLine,
        commitment: Digest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(body) = self.archive.body(line.position)? else {
            return Ok(None);
        };
        let event = LoggedEvent {
            kind: &line.kind,
            recorded_at: line.recorded_at,
            body: &body,
        };
        let index = line.position.saturating_sub(1);
        if self.salts.commit(index, &event, None).event == commitment {
            return Ok(Some(body));
        }
        let reason = "the archive has another entry than the one that was logged".to_owned();
        let report = self.audit.report_mut();
        report.find(line.position, "ledger", reason, Remedy::Archive);
        Ok(None)
    }

    /// Reads the rows that stand in for what is archived among these lines.
    async fn know_rows(&mut self, lines: &[LedgerLine]) -> Result<(), StoreError> {
        let archived = |line: &LedgerLine| line.body.bytes().is_none();
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return Ok(());
        };
        if !self.audit.needs_rows() && !lines.iter().any(archived) {
            return Ok(());
        }
        let after = first.position.saturating_sub(1);
        match self.database.proof_rows(after, last.position).await {
            Ok(rows) => self.audit.know_rows(rows),
            Err(StoreError::Unreadable { column, reason }) => {
                let reason =
                    format!("a row of an archived proof is unreadable: {column}, {reason}");
                let report = self.audit.report_mut();
                report.find(first.position, "proof_chain", reason, Remedy::Rebuild);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
