//! `prune` and `unprune`: what a season's proofs say goes to a file, and comes back.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use farmops_federation::system_clock;
use farmops_protocol::{digest::Digest, log::commitment::SaltSource};
use farmops_service::storage_guard::refuse_network_filesystem;
use serde_json::json;

use super::{output::Output, serve::ServeArgs};
use crate::{
    archive::{Checked, Quarter, Sealed, write_season},
    store::{Database, Place, Secrets, Upkeep},
};

/// Bodies put back at once.
const BODIES: usize = 2000;

/// Archiving a season.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// A season that is over, like 2026-Q3: the proofs that were recorded in it.
    #[arg(long)]
    season: Quarter,
    /// Where to; a new file, or the one of an earlier try. What the proofs say is nowhere else then.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// The database; without it, the one of the settings. No tracker may run on it.
    #[arg(long = "db", value_name = "URL")]
    of: Option<String>,
}

/// Putting a season back.
#[derive(Debug, Args)]
pub(super) struct UnpruneArgs {
    /// The file that `prune` wrote.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The database; without it, the one of the settings. No tracker may run on it.
    #[arg(long = "db", value_name = "URL")]
    to: Option<String>,
}

impl PruneArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let now = system_clock()();
        if !self.season.is_over(now) {
            bail!(
                "{} is not over; only a closed season is archived",
                self.season
            );
        }
        refuse_network_filesystem(&self.to)?;
        let (database, mut journal, secrets) = opened(serve, self.of).await?;
        let reads = database.reads();
        let file = self.to.display();
        let named = || format!("{file}");
        if !self.to.try_exists()? {
            let written = write_season(&*reads, &self.season, &self.to, &secrets, now).await;
            if written.with_context(named)?.is_none() {
                let answer = json!({ "season": self.season.to_string(), "archived": 0 });
                let sentence = format!("{} has no proofs that are not archived.", self.season);
                return Ok(output.say(&answer, &sentence));
            }
        }
        // Also of the file that was written a moment ago: what leaves the database is what stands in it.
        let sealed = Sealed::open(&self.to, &secrets.public_key()).with_context(named)?;
        if sealed.extent.season != self.season.to_string() {
            bail!("{file} is the archive of {}", sealed.extent.season);
        }
        let salts = SaltSource::new(secrets.farm_secret);
        let checked = sealed.check(&*reads, &salts).await;
        let checked = checked.with_context(|| format!("{file} is not this season's archive"))?;
        let here = checked.iter().filter(|entry| entry.is_here);
        let leaving: Vec<_> = here.map(|e| (e.position, e.commitment)).collect();
        journal
            .take_bodies(&leaving)
            .await
            .context("nothing was changed")?;
        drop(journal);
        database.close().await?;
        let answer = json!({
            "season": sealed.extent.season,
            "file": self.to,
            "archived": leaving.len(),
            "extent": sealed.extent,
        });
        let sentence = format!(
            "{file} holds {} proofs of {}; {} of them left the database now. Keep the file: what they say \
             is nowhere else.",
            sealed.extent.entries,
            sealed.extent.season,
            leaving.len()
        );
        Ok(output.say(&answer, &sentence))
    }
}

impl UnpruneArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let (database, mut journal, secrets) = opened(serve, self.to).await?;
        let file = self.from.display();
        let named = || format!("{file}");
        let sealed = Sealed::open(&self.from, &secrets.public_key()).with_context(named)?;
        let salts = SaltSource::new(secrets.farm_secret);
        let checked = sealed.check(&*database.reads(), &salts).await;
        let checked = checked.with_context(|| format!("{file} is not this season's archive"))?;
        let put = put_back(&sealed, &checked, &mut *journal).await?;
        drop(journal);
        database.close().await?;
        let answer = json!({ "season": sealed.extent.season, "put_back": put });
        let sentence = format!("{put} proofs of {} are back.", sealed.extent.season);
        Ok(output.say(&answer, &sentence))
    }
}

/// Puts back what is not here, some at a time: after a crash the rest of it is put back.
async fn put_back(
    sealed: &Sealed,
    checked: &[Checked],
    journal: &mut dyn Upkeep,
) -> anyhow::Result<usize> {
    let (mut put, mut page) = (0, Vec::<(u64, Digest, Vec<u8>)>::new());
    for (entry, body) in checked.iter().zip(sealed.bodies()?) {
        let (position, body) = body?;
        if !entry.is_here && position == entry.position {
            page.push((position, entry.commitment, body));
        }
        if page.len() == BODIES {
            journal.put_bodies(&page).await?;
            put += page.len();
            page.clear();
        }
    }
    journal.put_bodies(&page).await?;
    Ok(put + page.len())
}

/// The database with its writing side, which no tracker has, and the farm's secrets.
async fn opened(
    serve: &ServeArgs,
    url: Option<String>,
) -> anyhow::Result<(Database, Box<dyn Upkeep>, Secrets)> {
    let url = serve.database(url)?;
    let place = Place::of(&url)?;
    // Only what is there: opening would make an empty one of a mistyped name.
    let secrets = Database::inspect(&url).await?.secrets().await;
    let secrets = secrets.with_context(|| format!("opening {place}"))?;
    let secrets = secrets.context("the farm's secrets are not there; restore a backup")?;
    let database = Database::open(&url).await?;
    let journal = database.journal().await?;
    Ok((database, journal, secrets))
}
