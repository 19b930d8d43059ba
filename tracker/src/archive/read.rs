//! Taking an archive: checking it, and founding the farm anew from it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use farmops_farm::layout::{Device, Layout};
use farmops_protocol::{
    digest::Digest,
    key::{PublicKey, SecretKey},
    log::{TreeHead, commitment::SaltSource},
};
use sha2::{Digest as _, Sha256};

use super::{
    ArchiveError, CHECKPOINTS, Checkpointed, KEYS, Keys, LAYOUT, LEDGER, LastSnapshot, Line,
    MANIFEST, Manifest, Member, SEASON, SIGNATURE, SNAPSHOT, VILLAGES, season::Extent,
};
use crate::{
    audit::{Audit, Report},
    domain::Changes,
    store::{Batch, Growth, Journal, Publication, Secrets, SignedHead, Village},
};

/// The longest member that is read into memory.
const MEMBER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest line of the ledger: a proof in its line, or rules.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Entries written at once.
const PAGE: usize = 2000;

/// An archive whose members are those that its farm signed.
pub struct Opened {
    /// The manifest.
    pub manifest: Manifest,
    ledger: File,
    members: BTreeMap<String, Vec<u8>>,
}

impl Opened {
    /// Reads the archive at `path` and checks that its members are those of its signed manifest.
    ///
    /// # Errors
    /// [`ArchiveError`] naming the member that is not.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let mut archive = tar::Archive::new(BufReader::new(File::open(path)?));
        let mut members = BTreeMap::new();
        let mut digests = BTreeMap::new();
        let mut ledger = None;
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.to_string_lossy().into_owned();
            if digests.contains_key(&name) {
                return Err(ArchiveError::form(&name, "it is there twice"));
            }
            let digest = if name == LEDGER {
                let mut spool = tempfile::tempfile()?;
                let digest = copy(&mut entry, &mut spool)?;
                ledger = Some(spool);
                digest
            } else {
                if entry.size() > MEMBER_BYTES_MAX {
                    return Err(ArchiveError::form(&name, "it is too long"));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
                members.insert(name.clone(), bytes);
                digest
            };
            digests.insert(name, digest);
        }
        let missing = |member: &str| ArchiveError::form(member, "it is missing");
        let manifest = members.remove(MANIFEST).ok_or_else(|| missing(MANIFEST))?;
        let signature = members
            .remove(SIGNATURE)
            .ok_or_else(|| missing(SIGNATURE))?;
        let signature = String::from_utf8_lossy(&signature).into_owned();
        let manifest = Manifest::verify(&manifest, &signature)
            .map_err(|error| ArchiveError::form(MANIFEST, error))?;
        digests.retain(|name, _| name != MANIFEST && name != SIGNATURE);
        if let Some((name, _)) = digests
            .iter()
            .find(|(name, digest)| manifest.files.get(*name) != Some(digest))
        {
            return Err(ArchiveError::form(
                name,
                "it is not the one that was signed",
            ));
        }
        if let Some(name) = manifest
            .files
            .keys()
            .find(|name| !digests.contains_key(*name))
        {
            return Err(missing(name));
        }
        Ok(Self {
            manifest,
            ledger: ledger.ok_or_else(|| missing(LEDGER))?,
            members,
        })
    }

    /// Refuses what another farm's key has signed.
    pub(super) fn check_key(&self, key: &PublicKey) -> Result<(), ArchiveError> {
        if self.manifest.farmer_key == *key {
            Ok(())
        } else {
            Err(ArchiveError::OtherFarm(Box::new(self.manifest.farmer_key)))
        }
    }

    /// Which season it is of; nothing if it has the whole farm.
    pub(super) fn extent(&self) -> Result<Option<Extent>, ArchiveError> {
        let bytes = self.members.get(SEASON);
        bytes.map(|bytes| parsed(SEASON, bytes)).transpose()
    }

    fn whole(&self) -> Result<(), ArchiveError> {
        match self.extent()? {
            Some(extent) => Err(ArchiveError::OneSeason(extent.season)),
            None => Ok(()),
        }
    }

    /// The farm's keys; nothing if the archive was made without them.
    ///
    /// # Errors
    /// [`ArchiveError`] when they are not those of the farm.
    pub fn keys(&self) -> Result<Option<Secrets>, ArchiveError> {
        let Some(bytes) = self.members.get(KEYS) else {
            return Ok(None);
        };
        let wrong = |reason: &str| ArchiveError::form(KEYS, reason);
        let keys: Keys = parsed(KEYS, bytes)?;
        let mut seed = [0; 32];
        hex::decode_to_slice(&keys.farm_key, &mut seed)
            .map_err(|_| wrong("farm_key: expected 64 hexadecimal digits"))?;
        let farm_key = SecretKey::from_bytes(seed);
        if farm_key.public() != self.manifest.farmer_key {
            return Err(wrong("farm_key: not the key that signed the archive"));
        }
        let farm_secret = hex::decode(&keys.farm_secret)
            .ok()
            .filter(|secret| secret.len() == 32)
            .ok_or_else(|| wrong("farm_secret: expected 64 hexadecimal digits"))?;
        Ok(Some(Secrets {
            farm_key,
            farm_secret,
        }))
    }

    /// Follows the ledger, and checks every signature, link and score; with the keys also the log.
    ///
    /// # Errors
    /// [`ArchiveError`] when the file cannot be read; what is wrong with the ledger is in the report.
    pub fn audit(&self) -> Result<Report, ArchiveError> {
        self.whole()?;
        let salts = self.keys()?.map(|keys| SaltSource::new(keys.farm_secret));
        let whole = salts.is_some();
        let mut audit = salts.map_or_else(Audit::default, Audit::with_salts);
        for line in self.lines()? {
            let line = line?;
            let body = line.body.get().as_bytes();
            if audit
                .line(line.position, &line.kind, line.recorded_at, body)
                .is_none()
            {
                break;
            }
        }
        let head = TreeHead {
            root: if whole {
                audit.log().head().root
            } else {
                self.manifest.root
            },
            size: audit.state().position,
        };
        let coins = audit.state().coins.earned;
        if head != self.manifest.head() {
            let reason = "the manifest names another end of the ledger".to_owned();
            let report = audit.report_mut();
            report.find(head.size, "manifest", reason, crate::audit::Remedy::Restore);
        }
        let size = audit.state().position;
        Ok(audit.finish(coins, size))
    }

    /// The lines of the ledger. Whoever goes through them has the file to himself.
    pub(super) fn lines(&self) -> Result<Lines, ArchiveError> {
        self.lines_from(0)
    }

    /// The line that begins at this byte.
    pub(super) fn line_at(&self, at: u64) -> Result<Option<Line>, ArchiveError> {
        self.lines_from(at)?.next().transpose()
    }

    fn lines_from(&self, at: u64) -> Result<Lines, ArchiveError> {
        let mut file = self.ledger.try_clone()?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Lines {
            file: BufReader::new(file),
            at,
        })
    }
}

/// The lines of the ledger, one by one.
pub(super) struct Lines {
    file: BufReader<File>,
    at: u64,
}

impl Lines {
    /// At which byte the next one begins.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }
}

impl Iterator for Lines {
    type Item = Result<Line, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut text = Vec::new();
        let mut line = (&mut self.file).take(LINE_BYTES_MAX + 1);
        let read = line.read_until(b'\n', &mut text);
        self.at += text.len() as u64;
        match read {
            Ok(0) => None,
            Ok(read) if read as u64 > LINE_BYTES_MAX => {
                Some(Err(ArchiveError::form(LEDGER, "a line is too long")))
            }
            Ok(_) => Some(parsed(LEDGER, &text)),
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Founds the farm anew in an empty database: entry by entry, as they were checked.
///
/// # Errors
/// [`ArchiveError`]; the database is of no use then.
pub async fn adopt(archive: Opened, journal: &mut dyn Journal) -> Result<Report, ArchiveError> {
    archive.whole()?;
    let keys = archive.keys()?.ok_or(ArchiveError::NoKeys)?;
    let mut audit = Audit::with_salts(SaltSource::new(keys.farm_secret));
    let mut lines = archive.lines()?;
    loop {
        let page = lines.by_ref().take(PAGE).collect::<Result<Vec<_>, _>>()?;
        if page.is_empty() {
            break;
        }
        write_page(&page, &mut audit, journal).await?;
    }
    let head = audit.log().head();
    if head != archive.manifest.head() {
        return Err(ArchiveError::Unsound {
            position: head.size,
            reason: "the manifest names another end of the ledger".to_owned(),
        });
    }
    write_said(&archive, journal).await?;
    let (coins, size) = (audit.state().coins.earned, audit.state().position);
    Ok(audit.finish(coins, size))
}

async fn write_page(
    page: &[Line],
    audit: &mut Audit,
    journal: &mut dyn Journal,
) -> Result<(), ArchiveError> {
    let from = audit.log().head();
    let (mut changes, mut tiles, mut entries) = (Changes::default(), Vec::new(), Vec::new());
    for line in page {
        let body = line.body.get().as_bytes();
        let followed = audit.line(line.position, &line.kind, line.recorded_at, body);
        if let Some(finding) = audit.report_mut().findings.first() {
            return Err(ArchiveError::Unsound {
                position: finding.position,
                reason: finding.reason.clone(),
            });
        }
        let Some(followed) = followed else { continue };
        changes.note(audit.state(), &followed.entry, followed.entered.applied);
        tiles.extend(followed.entered.tiles);
        entries.push(followed.entry);
    }
    let batch = Batch {
        entries: &entries,
        changes: Some((audit.state(), &changes)),
        log: Some(Growth {
            from,
            log: audit.log(),
            tiles: &tiles,
        }),
        ..Batch::default()
    };
    Ok(journal.commit(&batch).await?)
}

/// What was signed and published, and where the farm is a member.
async fn write_said(archive: &Opened, journal: &mut dyn Journal) -> Result<(), ArchiveError> {
    let empty = Vec::new();
    let heads = archive.members.get(CHECKPOINTS).unwrap_or(&empty);
    let heads = heads
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let signed: Checkpointed = parsed(CHECKPOINTS, line)?;
            Ok(SignedHead {
                head: TreeHead {
                    size: signed.size,
                    root: signed.root,
                },
                note: signed.note,
                signed_at: signed.signed_at,
            })
        })
        .collect::<Result<Vec<_>, ArchiveError>>()?;
    let published = archive.members.get(SNAPSHOT);
    let published: Option<LastSnapshot> =
        published.map(|bytes| parsed(SNAPSHOT, bytes)).transpose()?;
    let publication = published.map(|published| Publication {
        sequence: published.sequence,
        object_id: published.object_id,
        ledger_position: published.ledger_position,
        published_at: published.published_at,
        document: published.document.get().as_bytes().to_vec(),
    });
    let villages: Vec<Member> = match archive.members.get(VILLAGES) {
        Some(bytes) => parsed(VILLAGES, bytes)?,
        None => Vec::new(),
    };
    let villages: Vec<_> = villages
        .into_iter()
        .map(|village| Village {
            url: village.url,
            actor: village.actor,
            account: village.account,
            status: village.status,
            home: village.home,
            joined_at: village.joined_at,
            place: village.place,
        })
        .collect();
    let layout = archive.members.get(LAYOUT).map(Vec::as_slice);
    if let Some(document) = layout {
        Layout::load(document, Device::default())
            .map_err(|error| ArchiveError::form(LAYOUT, error))?;
    }
    let batch = Batch {
        layout,
        checkpoints: &heads,
        publication: publication.as_ref(),
        villages: &villages,
        ..Batch::default()
    };
    Ok(journal.commit(&batch).await?)
}

fn parsed<T: serde::de::DeserializeOwned>(member: &str, bytes: &[u8]) -> Result<T, ArchiveError> {
    serde_json::from_slice(bytes).map_err(|error| ArchiveError::form(member, error))
}

/// Copies to a file and hashes on the way.
fn copy(from: &mut impl Read, to: &mut File) -> Result<Digest, ArchiveError> {
    let mut hasher = Sha256::new();
    let mut buffer = [0; 8_192];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(Digest::from_bytes(hasher.finalize().into()));
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
}
