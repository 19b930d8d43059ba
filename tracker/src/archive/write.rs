//! Making an archive.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Read as _, Seek as _, SeekFrom, Write},
    path::Path,
};

use farmops_farm::{scene, svg};
use farmops_protocol::{canonical, digest::Digest, log::TreeHead, time::Timestamp};
use futures::TryStreamExt as _;
use serde_json::{json, value::RawValue};
use sha2::{Digest as _, Sha256};

use super::{
    ArchiveError, CHECKPOINTS, Checkpointed, FARM, KEYS, Keys, LAYOUT, LEDGER, LastSnapshot, Line,
    MANIFEST, Manifest, Member, PICTURE, PIECE_BYTES_MAX, README, SIGNATURE, SNAPSHOT, VERSION,
    VILLAGES, read::Opened,
};
use crate::{
    domain::FarmView,
    store::{Bodies, Cell, Inspect, LedgerLine, LineBody, Secrets},
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
    let mut archive = Archive::new(BufWriter::new(file.as_file_mut()), now);
    archive.text(README, ABOUT.as_bytes())?;
    let head = ledger(database, archived, &mut archive).await?;
    said(database, &mut archive).await?;
    if let Some(layout) = database.layout().await? {
        archive.text(LAYOUT, &layout)?;
    }
    figures(&mut archive, &farm, now)?;
    if with_keys {
        let keys = Keys {
            farm_key: hex::encode(secrets.farm_key.to_bytes()),
            farm_secret: hex::encode(&secrets.farm_secret),
        };
        archive.json(KEYS, &keys)?;
    }
    let manifest = archive.end(head, &secrets)?;
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
    archive: &mut Archive<W>,
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
pub(super) fn written(line: &LedgerLine, body: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let form = |error| ArchiveError::form(LEDGER, error);
    let body = String::from_utf8_lossy(body).into_owned();
    let written = Line {
        position: line.position,
        kind: line.kind.clone(),
        recorded_at: line.recorded_at,
        body: RawValue::from_string(body).map_err(form)?,
    };
    let mut text = serde_json::to_vec(&written).map_err(form)?;
    text.push(b'\n');
    if text.len() as u64 > PIECE_BYTES_MAX {
        let which = format!("the line of position {}", line.position);
        return Err(ArchiveError::TooLong(which));
    }
    Ok(text)
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
    archive: &mut Archive<W>,
) -> Result<(), ArchiveError> {
    let mut heads = BufWriter::new(tempfile::tempfile()?);
    let mut after = 0;
    loop {
        let page = database.checkpoints(after, PAGE).await?;
        let Some(last) = page.last().map(|signed| signed.head.size) else {
            break;
        };
        for signed in page {
            let written = Checkpointed {
                size: signed.head.size,
                root: signed.head.root,
                note: signed.note,
                signed_at: signed.signed_at,
            };
            serde_json::to_writer(&mut heads, &written)
                .map_err(|error| ArchiveError::form(CHECKPOINTS, error))?;
            heads.write_all(b"\n")?;
        }
        after = last;
    }
    archive.spooled(CHECKPOINTS, heads)?;
    if let Some(published) = database.snapshot().await? {
        let document = String::from_utf8(published.document)
            .map_err(|error| ArchiveError::form(SNAPSHOT, error))?;
        let written = LastSnapshot {
            sequence: published.sequence,
            object_id: published.object_id,
            ledger_position: published.ledger_position,
            published_at: published.published_at,
            document: RawValue::from_string(document)
                .map_err(|error| ArchiveError::form(SNAPSHOT, error))?,
        };
        archive.json(SNAPSHOT, &written)?;
    }
    let villages = database.villages().await?;
    let villages: Vec<_> = villages
        .into_iter()
        .map(|village| Member {
            url: village.url,
            actor: village.actor,
            account: village.account,
            status: village.status,
            home: village.home,
            joined_at: village.joined_at,
            place: village.place,
        })
        .collect();
    archive.json(VILLAGES, &villages)
}

fn figures<W: Write>(
    archive: &mut Archive<W>,
    farm: &FarmView,
    now: Timestamp,
) -> Result<(), ArchiveError> {
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

/// An archive in the making.
pub(super) struct Archive<W: Write> {
    tar: tar::Builder<W>,
    files: BTreeMap<String, Digest>,
    now: Timestamp,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(file: W, now: Timestamp) -> Self {
        Self {
            tar: tar::Builder::new(file),
            files: BTreeMap::new(),
            now,
        }
    }

    pub(super) fn text(&mut self, member: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        if bytes.len() as u64 > PIECE_BYTES_MAX {
            return Err(ArchiveError::TooLong(member.to_owned()));
        }
        self.tar
            .append_data(&mut self.header(bytes.len() as u64), member, bytes)?;
        let digest = Digest::from_bytes(Sha256::digest(bytes).into());
        self.files.insert(member.to_owned(), digest);
        Ok(())
    }

    pub(super) fn json(
        &mut self,
        member: &str,
        value: &impl serde::Serialize,
    ) -> Result<(), ArchiveError> {
        let bytes =
            serde_json::to_vec_pretty(value).map_err(|error| ArchiveError::form(member, error))?;
        self.text(member, &bytes)
    }

    pub(super) fn spooled(
        &mut self,
        member: &str,
        spool: BufWriter<File>,
    ) -> Result<(), ArchiveError> {
        let mut spool = spool
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        spool.seek(SeekFrom::Start(0))?;
        let mut hasher = Sha256::new();
        let mut buffer = [0; 8_192];
        loop {
            let read = spool.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        let size = spool.stream_position()?;
        spool.seek(SeekFrom::Start(0))?;
        self.tar
            .append_data(&mut self.header(size), member, spool)?;
        let digest = Digest::from_bytes(hasher.finalize().into());
        self.files.insert(member.to_owned(), digest);
        Ok(())
    }

    fn header(&self, size: u64) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.now.second()).unwrap_or(0));
        header.set_cksum();
        header
    }

    pub(super) fn end(
        mut self,
        head: TreeHead,
        secrets: &Secrets,
    ) -> Result<Manifest, ArchiveError> {
        let manifest = Manifest {
            created_at: self.now,
            farmer_key: secrets.public_key(),
            files: std::mem::take(&mut self.files),
            root: head.root,
            size: head.size,
            version: VERSION.to_owned(),
        };
        let bytes =
            canonical::to_vec(&manifest).map_err(|error| ArchiveError::form(MANIFEST, error))?;
        let signature = secrets.farm_key.sign(&bytes);
        self.text(MANIFEST, &bytes)?;
        self.text(SIGNATURE, format!("{signature}\n").as_bytes())?;
        self.tar.into_inner()?.flush()?;
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use farmops_protocol::{digest::sha256, key::SecretKey};

    use super::*;

    fn now() -> Timestamp {
        "2026-02-20T09:31:00Z".parse().unwrap()
    }

    fn spool(times: usize, line: &[u8]) -> BufWriter<File> {
        let mut spool = BufWriter::new(tempfile::tempfile().unwrap());
        for _ in 0..times {
            spool.write_all(line).unwrap();
        }
        spool
    }

    fn told(bytes: usize) -> Result<Vec<u8>, ArchiveError> {
        let body = format!("\"{}\"", "x".repeat(bytes)).into_bytes();
        let line = LedgerLine {
            position: 1,
            kind: "agent_revoked".to_owned(),
            recorded_at: now(),
            body: LineBody::Here(body.clone()),
        };
        written(&line, &body)
    }

    /// A revocation of years, and the heads of years: each more than what is read at once.
    #[test]
    fn whatever_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm.tar");
        let mut archive = Archive::new(BufWriter::new(File::create(&path).unwrap()), now());
        let line = told(3 * 1024 * 1024).unwrap();
        archive.spooled(LEDGER, spool(1, &line)).unwrap();
        let head = Checkpointed {
            size: 1,
            root: sha256(b"root"),
            note: "n".repeat(1024 * 1024),
            signed_at: now(),
        };
        let mut head = serde_json::to_vec(&head).unwrap();
        head.push(b'\n');
        archive.spooled(CHECKPOINTS, spool(66, &head)).unwrap();
        let secrets = Secrets {
            farm_key: SecretKey::from_bytes([1; 32]),
            farm_secret: vec![2; 32],
        };
        let ledger = TreeHead {
            size: 1,
            root: sha256(b"root"),
        };
        archive.end(ledger, &secrets).unwrap();
        let opened = Opened::open(&path).unwrap();
        opened.read_through().unwrap();
        assert_eq!(opened.heads().unwrap().count(), 66);
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let long = usize::try_from(PIECE_BYTES_MAX).unwrap();
        let refused = told(long).unwrap_err().to_string();
        assert!(refused.contains("the line of position 1"), "{refused}");
        let mut archive = Archive::new(Vec::new(), now());
        let refused = archive.text(VILLAGES, &vec![b' '; long + 1]).unwrap_err();
        assert!(matches!(refused, ArchiveError::TooLong(_)), "{refused}");
        archive.text(VILLAGES, &vec![b' '; long]).unwrap();
    }
}
