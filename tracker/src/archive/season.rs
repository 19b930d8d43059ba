//! The proofs of a closed season in a file, so that the database need not keep what they say.
//!
//! The file is an archive as every other, with `season.json` beside a `ledger.ndjson` that has the season's
//! proofs only. Which entries belong to a season is told by when they were recorded: so nothing is added
//! to a season that is over.
//!
//! Nothing leaves the database before [`Sealed::check`] has read the file again, and compared every line of
//! it with the ledger, with the log, and with the head that the farm signed.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    str::FromStr,
};

use farmops_ledger::{
    Event, PROOF_ACCEPTED,
    archive::{Extent, FormatError, LEDGER, Line, Manifest, Opened, README, SEASON, Writer},
};
use farmops_protocol::{
    digest::Digest,
    key::PublicKey,
    log::{
        Layer, Tile, bundle,
        commitment::{Commitment, LoggedEvent, SaltSource},
    },
    scoring::RuleSet,
    snapshot::season_of,
    time::Timestamp,
};

use super::{
    ArchiveError,
    export::{log_head, written},
};
use crate::{
    domain::ProofRow,
    log::{Log, logged},
    store::{Inspect, LedgerLine, LineBody, Secrets},
};

/// Entries read at once: so many bundles of the log.
const PAGE_BUNDLES: u64 = 8;
const PAGE: u32 = 8 * 256;

const ABOUT: &str = "These are the proofs of one season of a farm, signed by its key. Its tracker keeps what they were worth,\n\
    and their place in its log, but not what they say: keep this file.\n\
    `farmops-tracker fsck --archive FILE` opens them; `farmops-tracker unprune --from FILE` puts them back.\n";

/// A quarter of a year, `2026-Q3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarter {
    name: String,
    end: Timestamp,
}

/// Text that names no season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a season like 2026-Q3")]
pub struct NoSeason;

/// A season's file, as it was read.
pub struct Sealed {
    opened: Opened,
    /// What it holds.
    pub extent: Extent,
}

/// An entry of a season whose line in the file is the one that was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Its position.
    pub position: u64,
    /// The commitment to it, from which the log is made.
    pub commitment: Digest,
    /// Whether the database has its body as well.
    pub is_here: bool,
}

impl FromStr for Quarter {
    type Err = NoSeason;

    fn from_str(text: &str) -> Result<Self, NoSeason> {
        let (year, quarter) = text.split_once("-Q").ok_or(NoSeason)?;
        let year: u16 = year.parse().map_err(|_| NoSeason)?;
        let end = match quarter {
            "1" => format!("{year:04}-04-01T00:00:00Z"),
            "2" => format!("{year:04}-07-01T00:00:00Z"),
            "3" => format!("{year:04}-10-01T00:00:00Z"),
            "4" => format!("{:04}-01-01T00:00:00Z", u32::from(year) + 1),
            _ => return Err(NoSeason),
        };
        let end: Timestamp = end.parse().map_err(|_| NoSeason)?;
        // One spelling: `+226-Q1` is none.
        if season_of(end.saturating_add(-1)) != text {
            return Err(NoSeason);
        }
        Ok(Self {
            name: text.to_owned(),
            end,
        })
    }
}

impl std::fmt::Display for Quarter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Quarter {
    /// Whether nothing is recorded in it any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.end <= now
    }

    /// Whether `line` is a proof that was recorded in it.
    fn has(&self, line: &LedgerLine) -> bool {
        line.kind == PROOF_ACCEPTED && season_of(line.recorded_at) == self.name
    }
}

/// Writes the season's proofs, as far as their bodies are here, to a new file at `path`. After a crash it is
/// whole or not there. Gives nothing if there are none.
///
/// # Errors
/// [`ArchiveError`]; nothing is left behind then.
pub async fn write_season(
    database: &dyn Inspect,
    season: &Quarter,
    path: &Path,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Option<Manifest>, ArchiveError> {
    let mut spool = BufWriter::new(tempfile::tempfile()?);
    let (mut extent, mut after) = (None::<Extent>, 0);
    loop {
        let page = database.ledger(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for line in page.iter().filter(|line| season.has(line)) {
            let LineBody::Here(body) = &line.body else {
                continue;
            };
            spool.write_all(&written(line, body)?)?;
            let extent = extent.get_or_insert_with(|| Extent {
                season: season.name.clone(),
                entries: 0,
                first: line.position,
                last: 0,
            });
            extent.entries += 1;
            extent.last = line.position;
        }
    }
    let Some(extent) = extent else {
        return Ok(None);
    };
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let mut archive = Writer::new(BufWriter::new(file.as_file_mut()), now);
    archive.text(README, ABOUT.as_bytes())?;
    archive.spooled(LEDGER, spool)?;
    archive.json(SEASON, &extent)?;
    let manifest = archive.end(log_head(database).await?, &secrets.farm_key)?;
    file.as_file().sync_all()?;
    // Never over another file.
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    Ok(Some(manifest))
}

impl Sealed {
    /// Reads a season's file, which the key of the farm has signed.
    ///
    /// # Errors
    /// [`ArchiveError`] naming the member that is not as it was.
    pub fn open(path: &Path, key: &PublicKey) -> Result<Self, ArchiveError> {
        let opened = Opened::open(path)?;
        opened.check_key(key)?;
        let extent = opened.extent()?.ok_or(ArchiveError::NoSeason)?;
        Ok(Self { opened, extent })
    }

    /// Compares every line with the ledger, with the log that the database has, and that with the head that
    /// was signed last.
    ///
    /// # Errors
    /// [`ArchiveError`] at the first line that is not the one that was logged, and if a proof of the season
    /// is neither in the file nor in another one.
    pub async fn check(
        &self,
        database: &dyn Inspect,
        salts: &SaltSource,
    ) -> Result<Vec<Checked>, ArchiveError> {
        let season: Quarter = self
            .extent
            .season
            .parse()
            .map_err(|error| FormatError::form(SEASON, error))?;
        let signed = database.checkpoint().await?.map(|signed| signed.head);
        let mut lines = self.opened.lines()?.peekable();
        let mut log = Log::default();
        let mut rules = RuleSet::default().digest();
        let mut checked = Vec::new();
        loop {
            let after = log.size();
            let page = database.ledger(after, PAGE).await?;
            let Some(last) = page.last().map(|line| line.position) else {
                break;
            };
            let entries = bundled(database, after, last).await?;
            let rows = database.proof_rows(after, last).await?;
            let mut rows = rows.iter().peekable();
            for (line, entry) in page.iter().zip(entries) {
                log.append(entry);
                if signed.is_some_and(|s| s.size == log.size() && s.root != log.head().root) {
                    let reason = "the head that was signed is not that of the log";
                    return Err(unsound(line.position, reason));
                }
                if let Some(adopted) = adopted(line) {
                    rules = adopted;
                }
                let row = rows.next_if(|row| row.position == line.position);
                let ours = lines.next_if(|next| {
                    next.as_ref()
                        .map_or(true, |next| next.position <= line.position)
                });
                match ours.transpose()? {
                    Some(kept) if kept.position == line.position => {
                        checked.push(compare(&kept, line, row, rules, entry, salts)?);
                    }
                    Some(kept) => return Err(unsound(kept.position, "no such entry")),
                    None if season.has(line) && line.body.bytes().is_some() => {
                        return Err(unsound(line.position, "this proof is not in the file"));
                    }
                    None => {}
                }
            }
        }
        if let Some(beyond) = lines.next().transpose()? {
            return Err(unsound(beyond.position, "no such entry"));
        }
        let stored = log_head(database).await?;
        if log.head() != stored || signed.is_some_and(|signed| signed.size > stored.size) {
            return Err(unsound(
                stored.size,
                "the log has another head than its entries",
            ));
        }
        Ok(checked)
    }

    /// The lines of the file, with what each proof says.
    ///
    /// # Errors
    /// [`ArchiveError`] when the file cannot be read.
    pub fn bodies(
        &self,
    ) -> Result<impl Iterator<Item = Result<(u64, Vec<u8>), ArchiveError>>, ArchiveError> {
        let lines = self.opened.lines()?;
        Ok(lines.map(|line| Ok(line.map(|line| (line.position, line.body.get().into()))?)))
    }
}

/// Whether a line of the file is the one that was logged.
fn compare(
    kept: &Line,
    line: &LedgerLine,
    row: Option<&ProofRow>,
    rules: Digest,
    entry: Digest,
    salts: &SaltSource,
) -> Result<Checked, ArchiveError> {
    let position = line.position;
    if kept.kind != line.kind || kept.recorded_at != line.recorded_at {
        return Err(unsound(position, "the ledger has another entry there"));
    }
    let row = row.ok_or_else(|| unsound(position, "the proof has no row"))?;
    let event = LoggedEvent {
        kind: &kept.kind,
        recorded_at: kept.recorded_at,
        body: kept.body.get().as_bytes(),
    };
    let score = logged(row.score.coins, rules);
    let Commitment { event, score } = salts.commit(position - 1, &event, Some(&score));
    if (Commitment { event, score }).entry() != entry {
        return Err(unsound(
            position,
            "the entry is not the one that was logged",
        ));
    }
    let is_here = match &line.body {
        LineBody::Here(body) if body == kept.body.get().as_bytes() => true,
        LineBody::Archived(commitment) if *commitment == event => false,
        LineBody::Here(_) | LineBody::Archived(_) => {
            return Err(unsound(position, "the ledger says something else"));
        }
    };
    Ok(Checked {
        position,
        commitment: event,
        is_here,
    })
}

/// The rules that a line brought.
fn adopted(line: &LedgerLine) -> Option<Digest> {
    match Event::read(&line.kind, line.body.bytes()?) {
        Ok(Event::RulesAdopted(rules)) => Some(rules.digest()),
        _ => None,
    }
}

/// The entries of the log after the first `after`, which end a bundle, up to `last`.
async fn bundled(
    database: &dyn Inspect,
    after: u64,
    last: u64,
) -> Result<Vec<Digest>, ArchiveError> {
    let mut entries = Vec::new();
    for number in after / 256..after / 256 + PAGE_BUNDLES {
        let Some(tile) = Tile::of_log(Layer::Entries, number, last) else {
            break;
        };
        let contents = database.tile(&tile).await?;
        let contents = contents.ok_or_else(|| unsound(last, "the log is shorter"))?;
        let parsed = bundle::parse(&tile, &contents);
        entries.extend(parsed.map_err(|error| unsound(last, &error.to_string()))?);
    }
    Ok(entries)
}

fn unsound(position: u64, reason: &str) -> ArchiveError {
    let reason = reason.to_owned();
    FormatError::Unsound { position, reason }.into()
}
