//! Following an archive into an empty database: to check it, or to found the farm anew.

use farmops_ledger::{
    AGENT_REVOKED, CHAIN_RESET, Event,
    archive::{ANOTHER_END, Line, Opened},
};
use farmops_protocol::log::commitment::SaltSource;

use super::ArchiveError;
use crate::{
    audit::{Audit, Page, Remedy, Report, Said, against_rows},
    store::{Batch, Journal, Publication, SignedHead, Village},
};

/// Entries, or signed heads, written at once.
const PAGE_MAX: usize = 2000;

/// Follows `archive` into the empty database of `journal`: every signature, link and score, what entries say of
/// earlier ones, and what was said to the world. Without the farm's keys the log cannot be followed, and its roots
/// are not compared.
///
/// The database holds the farm if nothing was found, and if the archive has the keys; otherwise it is of no use.
///
/// # Errors
/// [`ArchiveError`] when the file cannot be read, or the database fails; what is wrong with the farm is in the
/// report.
pub async fn adopt(archive: &Opened, journal: &mut dyn Journal) -> Result<Report, ArchiveError> {
    archive.whole()?;
    let salts = archive
        .keys()?
        .map(|keys| SaltSource::new(keys.farm_secret));
    let has_keys = salts.is_some();
    let told = archive.told()?;
    let publication = told.snapshot.map(Publication::from);
    let villages: Vec<_> = told.villages.into_iter().map(Village::from).collect();
    let mut audit = salts.map_or_else(Audit::default, Audit::with_salts);
    let said = listen(archive, publication.as_ref(), audit.report_mut())?;
    let mut following = Following {
        page: Page::after(audit.log()),
        archive,
        journal,
        audit,
        said,
    };
    following.run().await?;
    let Following {
        mut audit, said, ..
    } = following;
    let ours = audit.log().head();
    let named = archive.manifest.head();
    if ours.size != named.size || (has_keys && ours.root != named.root) {
        find(&mut audit, ours.size, "manifest", ANOTHER_END);
    }
    said.finish(ours.size, audit.report_mut());
    if has_keys && audit.report_mut().findings.is_empty() {
        let told = Batch {
            layout: told.layout.as_deref(),
            publication: publication.as_ref(),
            villages: &villages,
            ..Batch::default()
        };
        write_said(archive, &told, journal).await?;
    }
    let (coins, size) = (audit.state().coins.earned, audit.state().position);
    Ok(audit.finish(coins, size))
}

/// Everything that was said of the log, with its signatures checked.
fn listen(
    archive: &Opened,
    published: Option<&Publication>,
    report: &mut Report,
) -> Result<Said, ArchiveError> {
    let manifest = &archive.manifest;
    let mut said = Said::default();
    for signed in archive.heads()? {
        let signed = SignedHead::from(signed?);
        said.head(&signed, &manifest.farmer_key, report);
        if signed.head.size == manifest.size && signed.head.root != manifest.root {
            let reason = "the head that was signed is not the one that the manifest names";
            let reason = reason.to_owned();
            report.find(manifest.size, "checkpoint", reason, Remedy::Restore);
        }
    }
    if let Some(published) = published {
        said.snapshot(published, &manifest.farmer_key, report);
    }
    Ok(said)
}

fn find(audit: &mut Audit, position: u64, table: &'static str, reason: &str) {
    let report = audit.report_mut();
    report.find(position, table, reason.to_owned(), Remedy::Restore);
}

/// The ledger, on its way from the archive through the audit into the database.
struct Following<'a> {
    archive: &'a Opened,
    journal: &'a mut dyn Journal,
    audit: Audit,
    said: Said,
    page: Page,
}

impl Following<'_> {
    async fn run(&mut self) -> Result<(), ArchiveError> {
        for line in self.archive.lines()? {
            let line = line?;
            if line.kind == AGENT_REVOKED || line.kind == CHAIN_RESET {
                self.compare(&line).await?;
            }
            if !self.follow(&line) {
                break;
            }
            if self.page.entries.len() == PAGE_MAX {
                self.write().await?;
            }
        }
        self.write().await
    }

    /// Compares what a line says of earlier ones with the rows as they are then.
    async fn compare(&mut self, line: &Line) -> Result<(), ArchiveError> {
        self.write().await?;
        if !self.is_sound() {
            // The rows are not those that the ledger would have made.
            return Ok(());
        }
        let body = line.body.get().as_bytes();
        if let Some(reason) = against_rows(self.journal, &line.kind, body).await? {
            find(&mut self.audit, line.position, "ledger", &reason);
        }
        Ok(())
    }

    /// Whether the ledger can be followed further.
    fn follow(&mut self, line: &Line) -> bool {
        let body = line.body.get().as_bytes();
        let followed = self
            .audit
            .line(line.position, &line.kind, line.recorded_at, body);
        let Some(followed) = followed else {
            return false;
        };
        if let Event::FarmFounded(founded) = &followed.entry.event
            && founded.farmer_key != self.archive.manifest.farmer_key
        {
            let reason =
                "the farm was founded with another key than the one that signed the archive";
            find(&mut self.audit, line.position, "ledger", reason);
        }
        let (state, applied) = (self.audit.state(), followed.entered.applied);
        self.page.changes.note(state, &followed.entry, applied);
        self.page.tiles.extend(followed.entered.tiles);
        self.page.entries.push(followed.entry);
        self.said.compare(&mut self.audit);
        true
    }

    /// Writes what was followed, as long as nothing was found.
    async fn write(&mut self) -> Result<(), ArchiveError> {
        match self.page.turn(self.audit.log()) {
            Some(page) if self.is_sound() => {
                Ok(self.journal.commit(&page.batch(&self.audit)).await?)
            }
            _ => Ok(()),
        }
    }

    fn is_sound(&mut self) -> bool {
        self.audit.report_mut().findings.is_empty()
    }
}

/// What was signed and published, and where the farm is a member.
async fn write_said(
    archive: &Opened,
    told: &Batch<'_>,
    journal: &mut dyn Journal,
) -> Result<(), ArchiveError> {
    let mut heads = archive.heads()?.map(|head| head.map(SignedHead::from));
    loop {
        let page: Vec<SignedHead> = heads.by_ref().take(PAGE_MAX).collect::<Result<_, _>>()?;
        if page.is_empty() {
            break;
        }
        let batch = Batch {
            checkpoints: &page,
            ..Batch::default()
        };
        journal.commit(&batch).await?;
    }
    Ok(journal.commit(told).await?)
}
