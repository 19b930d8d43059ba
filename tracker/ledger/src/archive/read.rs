//! Opening an archive.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _},
    marker::PhantomData,
    path::Path,
};

use farmops_farm::layout::{Device, Layout};
use farmops_protocol::{
    digest::Digest,
    key::{PublicKey, SecretKey},
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{
    ANOTHER_END, CHECKPOINTS, Checkpointed, Extent, FarmKeys, FormatError, KEYS, Keys, LAYOUT,
    LEDGER, LastSnapshot, Line, MANIFEST, Manifest, Member, PIECE_BYTES_MAX, SEASON, SIGNATURE,
    SNAPSHOT, VILLAGES,
};

/// More members than any archive has.
const MEMBERS_MAX: usize = 32;
/// The members that are kept in memory; of the others only the digest is.
const READ: [&str; 7] = [
    MANIFEST, SIGNATURE, SNAPSHOT, VILLAGES, LAYOUT, SEASON, KEYS,
];

/// An archive whose members are those that its farm signed.
pub struct Opened {
    /// The manifest.
    pub manifest: Manifest,
    ledger: File,
    checkpoints: File,
    members: BTreeMap<String, Vec<u8>>,
}

impl Opened {
    /// Reads the archive at `path` and checks that its members are those of its signed manifest.
    ///
    /// # Errors
    /// [`FormatError`] naming the member that is not.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        Self::read(BufReader::new(File::open(path)?))
    }

    /// Reads an archive and checks that its members are those of its signed manifest.
    ///
    /// # Errors
    /// [`FormatError`] naming the member that is not.
    pub fn read(archive: impl Read) -> Result<Self, FormatError> {
        let mut archive = tar::Archive::new(archive);
        let mut members = BTreeMap::new();
        let mut digests = BTreeMap::new();
        let mut spools = BTreeMap::new();
        // Raw, so that the library makes nothing of what else a tar may have: of holes it would make zeros, of
        // any size that a header names.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            let name = entry.header().path()?.to_string_lossy().into_owned();
            if !entry.header().entry_type().is_file() {
                return Err(FormatError::form(&name, "it is no plain file"));
            }
            if digests.contains_key(&name) {
                return Err(FormatError::form(&name, "it is there twice"));
            }
            if digests.len() == MEMBERS_MAX {
                return Err(FormatError::form(&name, "there are too many before it"));
            }
            let digest = if [LEDGER, CHECKPOINTS].contains(&name.as_str()) {
                let mut spool = tempfile::tempfile()?;
                let digest = copy(&mut entry, &mut spool)?;
                spools.insert(name.clone(), spool);
                digest
            } else {
                let mut bytes = Vec::new();
                let read = (&mut entry)
                    .take(PIECE_BYTES_MAX + 1)
                    .read_to_end(&mut bytes)?;
                if read as u64 > PIECE_BYTES_MAX {
                    return Err(FormatError::TooLong(name));
                }
                let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
                if READ.contains(&name.as_str()) {
                    members.insert(name.clone(), bytes);
                }
                digest
            };
            digests.insert(name, digest);
        }
        let missing = |member: &str| FormatError::form(member, "it is missing");
        let manifest = members.remove(MANIFEST).ok_or_else(|| missing(MANIFEST))?;
        let signature = members
            .remove(SIGNATURE)
            .ok_or_else(|| missing(SIGNATURE))?;
        let signature = String::from_utf8_lossy(&signature).into_owned();
        let manifest = Manifest::verify(&manifest, &signature)
            .map_err(|error| FormatError::form(MANIFEST, error))?;
        digests.retain(|name, _| name != MANIFEST && name != SIGNATURE);
        if let Some((name, _)) = digests
            .iter()
            .find(|(name, digest)| manifest.files.get(*name) != Some(digest))
        {
            return Err(FormatError::form(name, "it is not the one that was signed"));
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
            ledger: spools.remove(LEDGER).ok_or_else(|| missing(LEDGER))?,
            checkpoints: spools
                .remove(CHECKPOINTS)
                .map_or_else(tempfile::tempfile, Ok)?,
            members,
        })
    }

    /// Refuses what another farm's key has signed.
    ///
    /// # Errors
    /// [`FormatError::OtherFarm`].
    pub fn check_key(&self, key: &PublicKey) -> Result<(), FormatError> {
        if self.manifest.farmer_key == *key {
            Ok(())
        } else {
            Err(FormatError::OtherFarm(Box::new(self.manifest.farmer_key)))
        }
    }

    /// Which season it is of; nothing if it has the whole farm.
    ///
    /// # Errors
    /// [`FormatError`] when that cannot be read.
    pub fn extent(&self) -> Result<Option<Extent>, FormatError> {
        self.member(SEASON)
    }

    /// Refuses the archive of one season.
    ///
    /// # Errors
    /// [`FormatError::OneSeason`].
    pub fn whole(&self) -> Result<(), FormatError> {
        match self.extent()? {
            Some(extent) => Err(FormatError::OneSeason(extent.season)),
            None => Ok(()),
        }
    }

    /// The farm's keys; nothing if the archive was made without them.
    ///
    /// # Errors
    /// [`FormatError`] when they are not those of the farm.
    pub fn keys(&self) -> Result<Option<FarmKeys>, FormatError> {
        let Some(keys) = self.member::<Keys>(KEYS)? else {
            return Ok(None);
        };
        let wrong = |reason: &str| FormatError::form(KEYS, reason);
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
        Ok(Some(FarmKeys {
            farm_key,
            farm_secret,
        }))
    }

    /// What was published, and where the farm is a member.
    ///
    /// # Errors
    /// [`FormatError`] naming the member that has not its form.
    pub fn told(&self) -> Result<Told, FormatError> {
        let snapshot = self.member(SNAPSHOT)?;
        let villages: Option<Vec<Member>> = self.member(VILLAGES)?;
        let layout = self.members.get(LAYOUT).cloned();
        if let Some(document) = &layout {
            Layout::load(document, Device::default())
                .map_err(|error| FormatError::form(LAYOUT, error))?;
        }
        Ok(Told {
            snapshot,
            villages: villages.unwrap_or_default(),
            layout,
        })
    }

    fn member<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FormatError> {
        let bytes = self.members.get(name);
        bytes.map(|bytes| parsed(name, bytes)).transpose()
    }

    /// Reads everything that there is, as whoever takes the archive will.
    ///
    /// # Errors
    /// [`FormatError`] at what could not be taken.
    pub fn read_through(&self) -> Result<(), FormatError> {
        self.whole()?;
        self.keys()?;
        self.told()?;
        for signed in self.heads()? {
            signed?;
        }
        let mut read = 0;
        for line in self.lines()? {
            read += 1;
            let position = line?.position;
            if position != read {
                let reason = format!("{read} comes next, and here is {position}");
                return Err(FormatError::Unsound { position, reason });
            }
        }
        if read != self.manifest.size {
            return Err(FormatError::Unsound {
                position: read,
                reason: ANOTHER_END.to_owned(),
            });
        }
        Ok(())
    }

    /// The lines of the ledger. Whoever goes through them has the file to himself.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be read.
    pub fn lines(&self) -> Result<Lines<Line>, FormatError> {
        self.lines_from(0)
    }

    /// The line that begins at this byte.
    ///
    /// # Errors
    /// [`FormatError`] when there is no line that can be read.
    pub fn line_at(&self, at: u64) -> Result<Option<Line>, FormatError> {
        self.lines_from(at)?.next().transpose()
    }

    fn lines_from(&self, at: u64) -> Result<Lines<Line>, FormatError> {
        Lines::of(LEDGER, &self.ledger, at)
    }

    /// The signed heads. Whoever goes through them has the file to himself.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be read.
    pub fn heads(&self) -> Result<Lines<Checkpointed>, FormatError> {
        Lines::of(CHECKPOINTS, &self.checkpoints, 0)
    }
}

/// What an archive tells of the farm beside its ledger and its heads.
#[derive(Debug)]
pub struct Told {
    /// The last published snapshot.
    pub snapshot: Option<LastSnapshot>,
    /// Where the farm is a member.
    pub villages: Vec<Member>,
    /// Where things stand on it, as the document that devices merge.
    pub layout: Option<Vec<u8>>,
}

/// The lines of a member, one by one.
pub struct Lines<T> {
    member: &'static str,
    file: BufReader<File>,
    at: u64,
    line: PhantomData<T>,
}

impl<T> Lines<T> {
    fn of(member: &'static str, file: &File, at: u64) -> Result<Self, FormatError> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Self {
            member,
            file: BufReader::new(file),
            at,
            line: PhantomData,
        })
    }

    /// At which byte the next one begins.
    pub const fn at(&self) -> u64 {
        self.at
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut text = Vec::new();
        let mut line = (&mut self.file).take(PIECE_BYTES_MAX + 1);
        let read = line.read_until(b'\n', &mut text);
        self.at += text.len() as u64;
        match read {
            Ok(0) => None,
            Ok(read) if read as u64 > PIECE_BYTES_MAX => {
                let which = format!("a line of {}", self.member);
                Some(Err(FormatError::TooLong(which)))
            }
            Ok(_) => Some(parsed(self.member, &text)),
            Err(error) => Some(Err(error.into())),
        }
    }
}

fn parsed<T: DeserializeOwned>(member: &str, bytes: &[u8]) -> Result<T, FormatError> {
    serde_json::from_slice(bytes).map_err(|error| FormatError::form(member, error))
}

/// Copies to a file and hashes on the way.
fn copy(from: &mut impl Read, to: &mut File) -> Result<Digest, FormatError> {
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
