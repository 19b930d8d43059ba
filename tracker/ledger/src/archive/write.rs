//! Making an archive.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, IntoInnerError, Read as _, Seek as _, SeekFrom, Write},
};

use farmops_protocol::{canonical, digest::Digest, key::SecretKey, log::TreeHead, time::Timestamp};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{FormatError, KEYS, Keys, MANIFEST, Manifest, PIECE_BYTES_MAX, SIGNATURE, VERSION};

/// An archive in the making.
pub struct Writer<W: Write> {
    tar: tar::Builder<W>,
    files: BTreeMap<String, Digest>,
    now: Timestamp,
}

impl<W: Write> Writer<W> {
    /// One without members.
    pub fn new(file: W, now: Timestamp) -> Self {
        Self {
            tar: tar::Builder::new(file),
            files: BTreeMap::new(),
            now,
        }
    }

    /// Adds a member.
    ///
    /// # Errors
    /// [`FormatError::TooLong`] when it could not be read again, or the file cannot be written.
    pub fn text(&mut self, member: &str, bytes: &[u8]) -> Result<(), FormatError> {
        if bytes.len() as u64 > PIECE_BYTES_MAX {
            return Err(FormatError::TooLong(member.to_owned()));
        }
        self.tar
            .append_data(&mut self.header(bytes.len() as u64), member, bytes)?;
        let digest = Digest::from_bytes(Sha256::digest(bytes).into());
        self.files.insert(member.to_owned(), digest);
        Ok(())
    }

    /// Adds a member that is JSON.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn json(&mut self, member: &str, value: &impl Serialize) -> Result<(), FormatError> {
        let bytes =
            serde_json::to_vec_pretty(value).map_err(|error| FormatError::form(member, error))?;
        self.text(member, &bytes)
    }

    /// Adds a member that has lines, of any length altogether.
    ///
    /// # Errors
    /// [`FormatError`] when a file cannot be read or written.
    pub fn spooled(&mut self, member: &str, spool: BufWriter<File>) -> Result<(), FormatError> {
        let mut spool = spool.into_inner().map_err(IntoInnerError::into_error)?;
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

    /// Adds the farm's key and secret.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be written.
    pub fn keys(&mut self, farm_key: &SecretKey, farm_secret: &[u8]) -> Result<(), FormatError> {
        let keys = Keys {
            farm_key: hex::encode(farm_key.to_bytes()),
            farm_secret: hex::encode(farm_secret),
        };
        self.json(KEYS, &keys)
    }

    fn header(&self, size: u64) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.now.second()).unwrap_or(0));
        header.set_cksum();
        header
    }

    /// Signs the members of a farm whose ledger ends with `head`, and ends the file.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be written.
    pub fn end(mut self, head: TreeHead, farm_key: &SecretKey) -> Result<Manifest, FormatError> {
        let manifest = Manifest {
            created_at: self.now,
            farmer_key: farm_key.public(),
            files: std::mem::take(&mut self.files),
            root: head.root,
            size: head.size,
            version: VERSION.to_owned(),
        };
        let bytes =
            canonical::to_vec(&manifest).map_err(|error| FormatError::form(MANIFEST, error))?;
        let signature = farm_key.sign(&bytes);
        self.text(MANIFEST, &bytes)?;
        self.text(SIGNATURE, format!("{signature}\n").as_bytes())?;
        self.tar.into_inner()?.flush()?;
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use farmops_protocol::digest::sha256;
    use serde_json::value::RawValue;

    use super::{
        super::{CHECKPOINTS, Checkpointed, LEDGER, Line, Opened, VILLAGES},
        *,
    };

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

    fn told(bytes: usize) -> Result<Vec<u8>, FormatError> {
        let body = format!("\"{}\"", "x".repeat(bytes));
        let line = Line {
            position: 1,
            kind: "agent_revoked".to_owned(),
            recorded_at: now(),
            body: RawValue::from_string(body).unwrap(),
        };
        line.to_bytes()
    }

    /// A revocation of years, and the heads of years: each more than what is read at once.
    #[test]
    fn whatever_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("farm.tar");
        let mut archive = Writer::new(BufWriter::new(File::create(&path).unwrap()), now());
        let line = told(3 * 1024 * 1024).unwrap();
        archive.spooled(LEDGER, spool(1, &line)).unwrap();
        let head = Checkpointed {
            size: 1,
            root: sha256(b"root"),
            note: "n".repeat(1024 * 1024),
            signed_at: now(),
        };
        let head = head.to_bytes().unwrap();
        archive.spooled(CHECKPOINTS, spool(66, &head)).unwrap();
        let ledger = TreeHead {
            size: 1,
            root: sha256(b"root"),
        };
        archive
            .end(ledger, &SecretKey::from_bytes([1; 32]))
            .unwrap();
        let opened = Opened::open(&path).unwrap();
        opened.read_through().unwrap();
        assert_eq!(opened.heads().unwrap().count(), 66);
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let long = usize::try_from(PIECE_BYTES_MAX).unwrap();
        let refused = told(long).unwrap_err().to_string();
        assert!(refused.contains("the line of position 1"), "{refused}");
        let mut archive = Writer::new(Vec::new(), now());
        let refused = archive.text(VILLAGES, &vec![b' '; long + 1]).unwrap_err();
        assert!(matches!(refused, FormatError::TooLong(_)), "{refused}");
        archive.text(VILLAGES, &vec![b' '; long]).unwrap();
    }
}
