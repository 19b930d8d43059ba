//! Making an archive of the whole farm.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use farmops_farm::{scene, svg};
use farmops_ledger::archive::{
    CHECKPOINTS, Checkpointed, FARM, FormatError, LAYOUT, LEDGER, LastSnapshot, Line, Manifest,
    Member, Opened, PICTURE, README, SNAPSHOT, VILLAGES, Writer,
};
use farmops_protocol::{digest::Digest, log::TreeHead, time::Timestamp};
use futures::TryStreamExt as _;
use serde_json::{json, value::RawValue};

use super::ArchiveError;
use crate::{
    domain::FarmView,
    store::{Bodies, Cell, Inspect, LedgerLine, LineBody},
};

/// Entries read at once.
const PAGE: u32 = 1000;

const ABOUT: &str = "This is a farm: everything that ever counted on it, in order, signed by its key.\n\
    `farmops-tracker import FILE --check` checks it; without --check it also founds the farm anew from\n\
    it, if it has its keys.\n";

/// Writes the farm in `database`, with what is `archived`, to a new file at `path`, which only its owner may read. Nobody may
/// write to the database meanwhile.
///
/// # Errors
/// [`ArchiveError`]; nothing is left behind then.
pub async fn export(
    database: &dyn Inspect,
    archived: &mut dyn Bodies,
    path: &Path,
    with_keys: bool,
    now: Timestamp,
) -> Result<Manifest, ArchiveError> {
    let farm = database.farm().await?.ok_or(ArchiveError::NoFarm)?;
    let secrets = database.secrets().await?.ok_or(ArchiveError::NoFarm)?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let mut archive = Writer::new(BufWriter::new(file.as_file_mut()), now);
    archive.text(README, ABOUT.as_bytes())?;
    let head = ledger(database, archived, &mut archive).await?;
    said(database, &mut archive).await?;
    if let Some(layout) = database.layout().await? {
        archive.text(LAYOUT, &layout)?;
    }
    figures(&mut archive, &farm, now)?;
    if with_keys {
        archive.keys(&secrets.farm_key, &secrets.farm_secret)?;
    }
    let manifest = archive.end(head, &secrets.farm_key)?;
    file.as_file().sync_all()?;
    // What cannot be read again is found now, and not when it is needed.
    Opened::open(file.path())?.read_through()?;
    // Never over another file.
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(manifest)
}

async fn ledger<W: Write>(
    database: &dyn Inspect,
    archived: &mut dyn Bodies,
    archive: &mut Writer<W>,
) -> Result<TreeHead, ArchiveError> {
    let mut spool = BufWriter::new(tempfile::tempfile()?);
    let mut after = 0;
    loop {
        let page = database.ledger(after, PAGE).await?;
        let Some(last) = page.last().map(|line| line.position) else {
            break;
        };
        for line in &page {
            let found = match &line.body {
                LineBody::Here(body) => Some(body.clone()),
                LineBody::Archived(_) => archived.body(line.position)?,
            };
            let Some(body) = found else {
                return Err(missing(database).await?);
            };
            spool.write_all(&written(line, &body)?)?;
        }
        after = last;
    }
    archive.spooled(LEDGER, spool)?;
    log_head(database).await
}

/// A line of the ledger as it stands in an archive.
pub(super) fn written(line: &LedgerLine, body: &[u8]) -> Result<Vec<u8>, FormatError> {
    let body = String::from_utf8_lossy(body).into_owned();
    let written = Line {
        position: line.position,
        kind: line.kind.clone(),
        recorded_at: line.recorded_at,
        body: RawValue::from_string(body).map_err(|error| FormatError::form(LEDGER, error))?,
    };
    written.to_bytes()
}

/// Which archives are missing.
async fn missing(database: &dyn Inspect) -> Result<ArchiveError, ArchiveError> {
    let seasons = database.archived().await?;
    let names: Vec<_> = seasons.into_iter().map(|season| season.season).collect();
    Ok(ArchiveError::Archived(names.join(", ")))
}

pub(super) async fn log_head(database: &dyn Inspect) -> Result<TreeHead, ArchiveError> {
    let row = database.rows("ledger_head", &["id"]).try_next().await?;
    let row = row.ok_or(ArchiveError::NoFarm)?;
    match (row.get("size"), row.get("root")) {
        (Some(Cell::Number(size)), Some(Cell::Bytes(root))) => {
            let size = u64::try_from(*size).map_err(|_| ArchiveError::NoFarm)?;
            let root = <[u8; 32]>::try_from(root.as_slice()).map_err(|_| ArchiveError::NoFarm)?;
            let root = Digest::from_bytes(root);
            Ok(TreeHead { size, root })
        }
        _ => Err(ArchiveError::NoFarm),
    }
}

async fn said<W: Write>(
    database: &dyn Inspect,
    archive: &mut Writer<W>,
) -> Result<(), ArchiveError> {
    let mut heads = BufWriter::new(tempfile::tempfile()?);
    let mut after = 0;
    loop {
        let page = database.checkpoints(after, PAGE).await?;
        let Some(last) = page.last().map(|signed| signed.head.size) else {
            break;
        };
        for signed in page {
            heads.write_all(&Checkpointed::from(signed).to_bytes()?)?;
        }
        after = last;
    }
    archive.spooled(CHECKPOINTS, heads)?;
    if let Some(published) = database.snapshot().await? {
        archive.json(SNAPSHOT, &LastSnapshot::try_from(published)?)?;
    }
    let villages = database.villages().await?;
    let villages: Vec<_> = villages.into_iter().map(Member::from).collect();
    Ok(archive.json(VILLAGES, &villages)?)
}

fn figures<W: Write>(
    archive: &mut Writer<W>,
    farm: &FarmView,
    now: Timestamp,
) -> Result<(), FormatError> {
    let totals: BTreeMap<_, _> = farm
        .categories
        .iter()
        .map(|(category, totals)| {
            let shown = json!({ "proofs": totals.proofs, "coins": totals.coins });
            (category.as_str(), shown)
        })
        .collect();
    let badges: Vec<_> = farm.achievements().iter().map(|a| a.slug).collect();
    let figures = json!({
        "name": farm.profile.name,
        "handle": farm.profile.handle,
        "level": farm.level(),
        "coins_earned": farm.coins.earned,
        "coins_spent": farm.coins.spent,
        "streak_days": farm.streak_days(now),
        "streak_longest": farm.streak_longest,
        "categories": totals,
        "achievements": badges,
        "created_at": farm.created_at,
    });
    archive.json(FARM, &figures)?;
    let picture = svg::draw(
        &scene::compose(&farm.drawing(now)),
        &svg::Options::default(),
    );
    archive.text(PICTURE, picture.as_bytes())
}
