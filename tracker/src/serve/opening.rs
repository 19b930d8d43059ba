//! The farm on its database, before anything listens: looked at, founded if there is none, and with a writer.

use std::path::Path;

use anyhow::{Context as _, bail};
use farmops_federation::Clock;
use farmops_protocol::{log::commitment::SaltSource, time::Timestamp};
use farmops_service::token::Token;

use super::token_path;
use crate::{
    config::Config,
    site::Site,
    store::{Access, Database, Inspect, Place, Secrets, Upkeep},
    writer::{Setup, Writer, WriterHandle},
};

/// A farm that can be worked on.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) secrets: Secrets,
    pub(super) access: Access,
    pub(super) writer: Writer,
    pub(super) handle: WriterHandle,
}

impl Opened {
    /// Opens the database that `config` names, and founds a farm in it if there is none.
    pub(super) async fn open(config: &Config, clock: &Clock) -> anyhow::Result<Self> {
        config.check()?;
        let place = Place::of(&config.db)?.absolute();
        if config.handle.is_none() && !Database::is_there(&config.db).await? {
            // Before an empty database is made.
            bail!(no_handle(&place));
        }
        let database = Database::open(&config.db)
            .await
            .map_err(|error| error.told_of(&place))?;
        let mut journal = database.journal().await.context("opening the ledger")?;
        // Before anything is written, and first of all new keys.
        let glance = database.reads().glance().await;
        let entries = glance.map_err(|error| error.told_of(&place))?;
        let path = token_path(Some(config), database.folder());
        match entries {
            Some(_) => compare(config, &*database.reads()).await?,
            None => new_farm(config, &place, &path)?,
        }
        let secrets = journal
            .secrets(&Secrets::generate(&mut rand::rng()))
            .await
            .map_err(|error| error.told_of(&place))?;
        let access = access(&path, &mut *journal, clock()).await?;
        let setup = Setup {
            bounds: config.buffer.into(),
            salts: SaltSource::new(secrets.farm_secret.clone()),
            clock: clock.clone(),
        };
        let (mut writer, handle) = Writer::open(journal, setup)
            .await
            .map_err(|error| error.told_of(&place))?;
        if let Some(founding) = config.founding() {
            writer
                .found(&founding, secrets.public_key())
                .await
                .context("founding the farm")?;
        }
        Ok(Self {
            database,
            secrets,
            access,
            writer,
            handle,
        })
    }
}

fn no_handle(place: &Place) -> String {
    format!(
        "{place} holds no farm, and `handle` is not set, which a new one is founded with: give it in the file, as \
         FARMOPS_HANDLE, or with its flag"
    )
}

/// Says that there will be another farm than any that there was.
fn new_farm(config: &Config, place: &Place, token: &Path) -> anyhow::Result<()> {
    let handle = config.handle.as_deref();
    let handle = handle.with_context(|| no_handle(place))?;
    if token.exists() {
        tracing::warn!(database = %place, token = %token.display(), handle,
            "a NEW farm is founded, with new keys, although an owner's token is there already; if there was a \
             farm, stop, and restore a backup or correct `db`");
    } else {
        tracing::info!(database = %place, handle, "a new farm is founded, with new keys");
    }
    Ok(())
}

/// Says which settings are not those of the farm that is there.
async fn compare(config: &Config, reads: &dyn Inspect) -> anyhow::Result<()> {
    let farm = reads.farm().await.context("reading the farm")?;
    if let (Some(farm), Some(handle)) = (farm, &config.handle)
        && farm.profile.handle != *handle
    {
        tracing::warn!(
            set = handle,
            kept = farm.profile.handle,
            "`handle` is for founding only; the farm keeps its own"
        );
    }
    let signed = reads.checkpoint().await.context("reading the farm")?;
    let before = signed
        .as_ref()
        .and_then(|signed| signed.note.lines().next());
    let now = Site::new(config.public_url.clone(), config.reach()).log_origin();
    if let Some(before) = before.filter(|before| *before != now) {
        tracing::warn!(before, now, public_url = %config.public_url,
            "the farm's log was signed under another name: with this `public_url` villages and followers see \
             another actor and another log");
    }
    Ok(())
}

/// Who may do what. At the first start the owner's token is made and written to its file; if a crash came
/// between the file and the database, the file's token is taken over.
async fn access(path: &Path, journal: &mut dyn Upkeep, now: Timestamp) -> anyhow::Result<Access> {
    if let Some(access) = journal.access().await? {
        return Ok(access);
    }
    let (token, told) = match Token::read_file(path) {
        Ok(token) => (token, "the owner's token was there already, and counts"),
        Err(error) if error.is_not_found() => {
            let token = Token::generate_file(path, &mut rand::rng())?;
            (token, "the owner's token was written")
        }
        Err(error) => return Err(error.into()),
    };
    journal.keep_owner_token(&token.hash(), now).await?;
    tracing::info!(file = %path.display(), "{told}");
    Ok(Access {
        owner: token.hash(),
        sessions: 0,
        tokens: Vec::new(),
    })
}
