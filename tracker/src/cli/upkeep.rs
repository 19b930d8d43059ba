//! `fsck` and `rebuild`: what is done to a database, not asked of a tracker.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use farmops_protocol::log::commitment::SaltSource;
use serde_json::json;

use super::{output::Output, serve::ServeArgs};
use crate::{
    audit::{Report, fsck::fsck},
    store::{Database, Place},
};

/// Which database.
#[derive(Debug, Args)]
pub(super) struct UpkeepArgs {
    /// The database; without it, the one of the settings.
    #[arg(long = "db", value_name = "URL")]
    of: Option<String>,
}

impl UpkeepArgs {
    /// Checks the database; fails if anything is wrong.
    pub(super) async fn fsck(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.of)?;
        print(&check(&url).await?, output)
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
        let secrets = Database::inspect(&url).await?.secrets().await;
        let secrets = secrets.with_context(|| format!("opening {place}"))?;
        let secrets = secrets.context("the farm's secrets are not there; restore a backup")?;
        let database = Database::open(&url).await?;
        let mut journal = database.journal().await?;
        let salts = SaltSource::new(secrets.farm_secret);
        let mut progress = Progress::new("folded");
        let state = journal.rebuild(&salts, &mut |n| progress.at(n)).await;
        progress.end();
        let state = state.context("nothing was changed")?;
        let answer = json!({ "entries": state.position, "coins": state.coins.earned });
        let sentence = format!(
            "{} entries folded again, {} coins earned",
            state.position, state.coins.earned
        );
        Ok(output.say(&answer, &sentence))
    }
}

/// Checks the database at `url`, as it is at one moment.
pub(super) async fn check(url: &str) -> anyhow::Result<Report> {
    let place = Place::of(url)?;
    let database = Database::frozen(url)
        .await
        .with_context(|| format!("opening {place}"))?;
    let folder = tempfile::tempdir().context("making a place for the comparison")?;
    let beside = format!("sqlite://{}/fold.db", folder.path().display());
    let scratch = Database::open(&beside).await?;
    let mut journal = scratch.journal().await?;
    let folded = scratch.reads();
    let mut progress = Progress::new("checked");
    let report = fsck(&*database, (&mut *journal, &*folded), &mut |n| {
        progress.at(n)
    })
    .await;
    progress.end();
    report.context("reading the database")
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
            _ if report.findings.is_empty() => println!("everything holds"),
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
