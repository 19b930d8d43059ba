//! `backup`, `restore`, `export`, `import`: keeping a farm safe, and moving it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use farmops_federation::system_clock;
use farmops_ledger::archive::Opened;
use farmops_service::storage_guard::refuse_network_filesystem;
use serde_json::json;

use super::{
    output::Output,
    serve::ServeArgs,
    upkeep::{ArchivedArgs, check, print},
};
use crate::{
    archive,
    audit::Report,
    store::{Database, Place},
};

/// A copy of everything.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Where to; a new file. It holds the farm's keys: keep it as safe as the database.
    file: PathBuf,
    /// The database; without it, the one of the settings. A tracker may run on it.
    #[arg(long = "db", value_name = "URL")]
    of: Option<String>,
}

/// Bringing a backup back.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup.
    file: PathBuf,
    /// The database to make of it; without it, the one of the settings. It must not be there yet.
    #[arg(long = "db", value_name = "URL")]
    to: Option<String>,
}

/// A signed archive.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Where to; a new file.
    file: PathBuf,
    /// The database; without it, the one of the settings. A tracker may run on it.
    #[arg(long = "db", value_name = "URL")]
    of: Option<String>,
    #[command(flatten)]
    archived: ArchivedArgs,
    /// Put the farm's key and secret in as well, so that it can be founded anew from the archive.
    #[arg(long)]
    with_keys: bool,
}

/// Taking a signed archive.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The archive.
    file: PathBuf,
    /// Only check it: every signature, link and score; with its keys, also the log.
    #[arg(long)]
    check: bool,
    /// The database to make of it; without it, the one of the settings. It must not be there yet.
    #[arg(long = "db", value_name = "URL")]
    to: Option<String>,
}

impl BackupArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.of)?;
        let place = Place::of(&url)?;
        Database::copy(&url, &self.file)
            .await
            .with_context(|| format!("copying {place}"))?;
        let bytes = self.file.metadata()?.len();
        let copy = format!("sqlite://{}", self.file.display());
        let entries = Database::inspect(&copy).await?.glance().await;
        let entries = entries
            .map_err(|error| error.told_of(&place))
            .with_context(|| {
                format!(
                    "{} was made, and what it is a copy of is not sound: keep the earlier backups",
                    self.file.display()
                )
            })?;
        let Some(entries) = entries else {
            bail!(
                "{} was made, and holds no farm: {place} has none",
                self.file.display()
            );
        };
        let answer = json!({ "file": self.file, "bytes": bytes, "entries": entries });
        let sentence = format!(
            "{0} holds the farm with {entries} entries, and its keys ({bytes} bytes); the owner's token is not in it. \
             Its end was looked at: `farmops-tracker fsck --db {copy}` checks all of it.",
            self.file.display()
        );
        Ok(output.say(&answer, &sentence))
    }
}

impl RestoreArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.to)?;
        let place = vacant(&url).await?;
        let backup = format!("sqlite://{}", self.file.display());
        if !self.file.is_file() {
            bail!("{} is no file", self.file.display());
        }
        let report = check(&backup, &ArchivedArgs::default())
            .await
            .context("checking the backup")?;
        if !report.findings.is_empty() {
            print(&report, output)?;
            bail!("the backup is damaged; nothing was restored");
        }
        Database::bring_back(&self.file, &url)
            .await
            .context("copying the backup")?;
        let answer = json!({ "database": place.to_string(), "entries": report.entries, "coins": report.coins });
        let sentence = format!(
            "{} holds {} entries and {} coins. What was published after the backup is forgotten: \
             villages that saw it refuse the farm's news until it has grown past that. If the world saw more \
             entries than these, the farm will sign another head for a size that it has signed already, and \
             whoever kept the earlier one sees a log that forked: restore the newest backup that there is, \
             and tell them that it was restored, and when. No owner's token was written: the one from before the \
             backup opens, and `farmops-tracker owner-token reset` makes a new one. Start the tracker with the \
             `public_url` that the farm had.",
            place, report.entries, report.coins
        );
        Ok(output.say(&answer, &sentence))
    }
}

impl ExportArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let url = serve.database(self.of)?;
        let place = Place::of(&url)?;
        let (_beside, database) = Database::of_one_moment(&url)
            .await
            .with_context(|| format!("copying {place}"))?;
        let now = system_clock()();
        let mut archives = self.archived.open_all(&*database).await?;
        let (file, keys) = (&self.file, self.with_keys);
        let manifest = archive::export(&*database, &mut archives, file, keys, now)
            .await
            .with_context(|| format!("writing {}", self.file.display()))?;
        let answer = json!({ "file": self.file, "manifest": manifest });
        let sentence = format!(
            "{} holds {} entries, signed by {}{}.",
            self.file.display(),
            manifest.size,
            manifest.farmer_key,
            if self.with_keys {
                ", and the farm's keys"
            } else {
                ""
            }
        );
        Ok(output.say(&answer, &sentence))
    }
}

impl ImportArgs {
    pub(super) async fn run(self, serve: &ServeArgs, output: Output) -> anyhow::Result<ExitCode> {
        let archive =
            Opened::open(&self.file).with_context(|| format!("reading {}", self.file.display()))?;
        if self.check {
            let folder = tempfile::tempdir().context("making a place for the comparison")?;
            let (_, report) = followed(&archive, folder.path()).await?;
            return print(&report, output);
        }
        if archive.keys()?.is_none() {
            bail!(archive::ArchiveError::NoKeys);
        }
        let url = serve.database(self.to)?;
        let place = vacant(&url).await?;
        // Made and checked elsewhere: what is at its place is a whole farm, or nothing.
        let folder = Database::workshop(&url).context("making a place for the farm")?;
        let (made, mut report) = followed(&archive, folder.path()).await?;
        if report.findings.is_empty() {
            let beside = format!("sqlite://{}", made.display());
            report = check(&beside, &ArchivedArgs::default())
                .await
                .context("checking the farm that was made")?;
        }
        if !report.findings.is_empty() {
            print(&report, output)?;
            bail!("the archive is not sound; nothing was imported");
        }
        Database::bring_back(&made, &url)
            .await
            .context("nothing was imported")?;
        let answer = json!({ "database": place.to_string(), "entries": report.entries, "coins": report.coins });
        let sentence = format!(
            "{} holds {} entries, {} proofs and {} coins; start the tracker on it.",
            place, report.entries, report.proofs, report.coins
        );
        Ok(output.say(&answer, &sentence))
    }
}

/// Follows the archive into a new file in `folder`, with the keys if it has them; what was found.
async fn followed(archive: &Opened, folder: &Path) -> anyhow::Result<(PathBuf, Report)> {
    let file = folder.join("farm.db");
    let database = Database::open(&format!("sqlite://{}", file.display())).await?;
    let mut journal = database.journal().await?;
    if let Some(keys) = archive.keys()? {
        journal.secrets(&keys.into()).await?;
    }
    let report = archive::adopt(archive, &mut *journal).await?;
    Ok((file, report))
}

/// Where the database is to be, if nothing is there.
async fn vacant(url: &str) -> anyhow::Result<Place> {
    let place = Place::of(url)?;
    if let Place::File(path) = &place {
        refuse_network_filesystem(path)?;
    }
    if Database::is_there(url).await? {
        bail!("{place} is there already; move it away first, nothing is overwritten");
    }
    Database::vacant(url).await?;
    Ok(place)
}
