//! The agent's own copies of plugins' code, by digest.
//!
//! What was checked is what runs: a file that is replaced later changes nothing until a reload, and
//! the version before is still there to go back to.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use farmops_protocol::digest::{Digest, sha256};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Code that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The system refused.
    #[error("`source`: cannot keep a copy of {file} in the data folder: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was replaced after the manifest was read.
    #[error("`source`: {0} is not what it was when the manifest was read: reload")]
    Changed(PathBuf),
}

/// The folder `plugins` of the data folder.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    pub(super) fn new(data_dir: &Path) -> Self {
        let data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Self {
            folder: data_dir.join("plugins"),
        }
    }

    /// The agent's copy of `file`, which has the digest `digest`, ready to be executed.
    ///
    /// # Errors
    /// [`ShelfError`] when there is no such content, here or at `file`.
    pub(super) fn copy_of(&self, file: &Path, digest: Digest) -> Result<PathBuf, ShelfError> {
        let failed = |source| ShelfError::Io {
            file: file.to_owned(),
            source,
        };
        let place = self.place(digest, file);
        if digest_of(&place).is_ok_and(|found| found == digest) {
            return Ok(place);
        }
        let content = std::fs::read(file).map_err(failed)?;
        if sha256(&content) != digest {
            return Err(ShelfError::Changed(file.to_owned()));
        }
        // Ready to be executed.
        put(&place, &content, 0o500).map_err(failed)?;
        Ok(place)
    }

    /// Removes what is in nobody's use.
    pub(super) fn sweep(&self, used: &BTreeSet<Digest>) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let digest = name.to_str().and_then(|name| name.parse().ok());
            if digest.is_none_or(|digest| !used.contains(&digest)) {
                // Whatever stays is swept the next time.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Where everything of the code with this digest lies.
    pub(super) fn folder_of(&self, digest: Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn place(&self, digest: Digest, file: &Path) -> PathBuf {
        let name = file.file_name().unwrap_or(file.as_os_str());
        self.folder_of(digest).join(name)
    }
}

/// Writes a file into a folder of this user's own. It appears in one step, complete and unchangeable.
pub(super) fn put(place: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let draft = folder.join(format!(".{}", Uuid::new_v4().simple()));
    let mut file = File::create_new(&draft)?;
    file.write_all(content)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&draft, place)
}

/// SHA-256 of a file's content.
pub(super) fn digest_of(file: &Path) -> io::Result<Digest> {
    let mut file = File::open(file)?;
    let (mut hasher, mut part) = (Sha256::new(), vec![0_u8; 64 * 1024]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(Digest::from_bytes(hasher.finalize().into())),
            length => hasher.update(&part[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_copy_outlives_its_original_and_is_mended() {
        let folder = tempfile::tempdir().unwrap();
        let (shelf, file) = (Shelf::new(folder.path()), folder.path().join("plugin"));
        std::fs::write(&file, "one").unwrap();
        let one = sha256(b"one");
        assert_eq!(digest_of(&file).unwrap(), one);
        let copy = shelf.copy_of(&file, one).unwrap();
        std::fs::write(&file, "two").unwrap();
        assert_eq!(shelf.copy_of(&file, one).unwrap(), copy);
        assert_eq!(std::fs::read(&copy).unwrap(), b"one");
        // What is on the shelf is held against its digest at each use.
        std::fs::set_permissions(&copy, Permissions::from_mode(0o700)).unwrap();
        std::fs::write(&copy, "other").unwrap();
        let error = shelf.copy_of(&file, one).unwrap_err();
        assert!(matches!(error, ShelfError::Changed(_)));
        std::fs::write(&file, "one").unwrap();
        shelf.copy_of(&file, one).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), b"one");
    }

    #[test]
    fn what_nobody_uses_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (shelf, file) = (Shelf::new(folder.path()), folder.path().join("plugin"));
        let keep = |content: &str| {
            std::fs::write(&file, content).unwrap();
            let digest = sha256(content.as_bytes());
            (digest, shelf.copy_of(&file, digest).unwrap())
        };
        let ((one, first), (_, second)) = (keep("one"), keep("two"));
        shelf.sweep(&BTreeSet::from([one]));
        assert!(first.exists() && !second.exists());
    }
}
