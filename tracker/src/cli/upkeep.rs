//! `fsck` and `rebuild`: what is done to a database, not asked of a tracker.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use farmops_ledger::Event;
use farmops_protocol::log::commitment::SaltSource;
use serde_json::json;

use super::{
    output::{Output, told},
    serve::ServeArgs,
};
use crate::{
    archive::{ArchiveError, Archives},
    audit::{Remedy, Report, fsck::fsck},
    store::{Database, Inspect, Journal, Place, StoreError},
};

/// Which database.
#[derive(Debug, Args)]
pub(super) struct UpkeepArgs {
    /// The database; without it, the one of the settings.
    #[arg(long = "db", value_name = "URL")]
    of: Option<String>,
    #[command(flatten)]
    archived: ArchivedArgs,
}

/// What is archived.
#[derive(Debug, Default, Args)]
pub(super) struct ArchivedArgs {
    /// A file that `prune` wrote; once for each.
    #[arg(long = "archive", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl ArchivedArgs {
    /// Opens the files, which the farm that `database` holds must have signed.
    pub(super) async fn open(&self, database: &dyn Inspect) -> anyhow::Result<Archives> {
        if self.files.is_empty() {
            return Ok(Archives::default());
        }
        let first = database.ledger(0, 1).await?.into_iter().next();
        let first = first.context("the database holds no farm")?;
        self.open_of(&first.kind, first.body.bytes())
    }

    /// As [`Self::open`], of the farm whose ledger begins with this entry.
    pub(super) fn open_of(&self, kind: &str, body: Option<&[u8]>) -> anyhow::Result<Archives> {
        let Event::FarmFounded(founded) = Event::read(kind, body.unwrap_or_default())? else {
            bail!("the ledger does not begin with its founding");
        };
        Ok(Archives::open(&self.files, &founded.farmer_key)?)
    }

    /// As [`Self::open`], and nothing may be missing.
    pub(super) async fn open_all(&self, database: &dyn Inspect) -> anyhow::Result<Archives> {
        let archives = self.open(database).await?;
        let missing = archives.missing(database).await?;
        if !missing.is_empty() {
            bail!(ArchiveError::Archived(missing.join(", ")));
        }
        Ok(archives)
    }
}

impl UpkeepArgs {
    /// Checks the database; fails if anything is wrong.
    pub(super) async fn fsck(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.of)?;
        print(&check(&url, &self.archived).await?, output)
    }

    /// Makes the projections anew.
    pub(super) async fn rebuild(
        self,
        serve: &ServeArgs,
        output: Output,
    ) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.of)?;
        // Only what is there is rebuilt: opening would make an empty one of a mistyped name.
        let place = Place::of(&url)?;
        let inspected = Database::inspect(&url).await?;
        let secrets = inspected.secrets().await;
        let secrets = secrets.with_context(|| format!("opening {place}"))?;
        let secrets = secrets.context("the farm's secrets are not there; restore a backup")?;
        drop(inspected);
        let database = Database::open(&url).await?;
        let mut journal = database.journal().await?;
        let mut archives = self.archived.open_all(&*database.reads()).await?;
        let salts = SaltSource::new(secrets.farm_secret);
        let mut progress = Progress::new("folded");
        let state = journal
            .rebuild(&salts, &mut archives, &mut |n| progress.at(n))
            .await;
        progress.end();
        let state = state.context("nothing was changed")?;
        drop(journal);
        database.close().await?;
        let answer = json!({ "entries": state.position, "coins": state.coins.earned });
        let sentence = format!(
            "{} entries folded again, {} coins earned",
            state.position, state.coins.earned
        );
        Ok(output.say(&answer, &sentence))
    }
}

/// Checks the database at `url`, as it is at one moment.
pub(super) async fn check(url: &str, archived: &ArchivedArgs) -> anyhow::Result<Report> {
    let place = Place::of(url)?;
    let database = match Database::frozen(url).await {
        Err(error) if error.is_damage() => return Ok(unreadable(error)),
        opened => opened.with_context(|| format!("opening {place}"))?,
    };
    let mut archives = archived.open(&*database).await?;
    let folder = tempfile::tempdir().context("making a place for the comparison")?;
    let beside = format!("sqlite://{}/fold.db", folder.path().display());
    let scratch = Database::open(&beside).await?;
    let mut journal = scratch.journal().await?;
    let folded = scratch.reads();
    let mut progress = Progress::new("checked");
    let scratch = (&mut *journal as &mut dyn Journal, &*folded);
    let report = fsck(&*database, &mut archives, scratch, &mut |n| progress.at(n)).await;
    progress.end();
    match report {
        Err(error) if error.is_damage() => Ok(unreadable(error)),
        report => report.context("reading the database"),
    }
}

/// What is found of a database that cannot even be read.
fn unreadable(error: StoreError) -> Report {
    let mut report = Report::default();
    let reason = format!("the database cannot be read: {}", told(&error.into()));
    report.find(0, "ledger", reason, Remedy::Restore);
    report
}

/// Prints what was found; fails if anything was.
pub(super) fn print(report: &Report, output: Output) -> anyhow::Result<ExitCode> {
    if output.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        println!(
            "{} entries, {} proofs, {} coins; {} signed heads and {} rows compared",
            report.entries, report.proofs, report.coins, report.heads, report.rows
        );
        for sentence in report.unopened() {
            println!("{sentence}");
        }
        for finding in &report.findings {
            println!(
                "position {}, table {}: {}; {}",
                finding.position,
                finding.table,
                finding.reason,
                finding.remedy.advice()
            );
        }
        match report.first_position() {
            _ if report.findings.is_empty() && report.archived.is_empty() => {
                println!("everything holds");
            }
            _ if report.findings.is_empty() => println!("everything that is here holds"),
            Some(position) => println!("the first position that differs is {position}"),
            None => println!("the ledger holds; what follows from it does not"),
        }
    }
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How far a long work has come, for a person at a terminal.
struct Progress {
    word: &'static str,
    shown: bool,
}

impl Progress {
    fn new(word: &'static str) -> Self {
        Self { word, shown: false }
    }

    fn at(&mut self, entries: u64) {
        let mut terminal = std::io::stderr();
        if terminal.is_terminal() {
            self.shown = true;
            // A terminal that does not listen is no reason to stop.
            let _ = write!(terminal, "\r{entries} entries {}", self.word);
        }
    }

    fn end(&self) {
        if self.shown {
            eprintln!();
        }
    }
}
