//! Files that hold a secret: written complete or not at all, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Longest secret file that is read.
const BYTES_MAX: u64 = 64 * 1024;

/// Why a secret file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// There is a file already; it stays as it is.
    #[error("{path} exists already and is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may access the file.
    #[error("{path} is open to others (mode {mode:04o}): chmod 600 it")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No secret is that long.
    #[error("{path} is too long for a secret")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot access {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl SecretFileError {
    /// Whether the file is simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Writes a secret with mode 0600. After a crash the file is there completely or not at all; an
/// existing file is an error and is never replaced.
pub fn write_once(path: &Path, secret: &[u8]) -> Result<(), SecretFileError> {
    // A link, unlike a rename, fails when the name is taken: nothing is ever overwritten.
    write(path, secret, |from, to| fs::hard_link(from, to)).map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            SecretFileError::Exists { path }
        } else {
            SecretFileError::Io { path, source }
        }
    })
}

/// As [`write_once`], in place of what is there, which stays until the new secret is there completely.
pub fn replace(path: &Path, secret: &[u8]) -> Result<(), SecretFileError> {
    write(path, secret, |from, to| fs::rename(from, to)).map_err(|source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    })
}

fn write(
    path: &Path,
    secret: &[u8],
    put: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The process id keeps two starting programs apart; what an earlier process with this id left
    // behind when it crashed is of no use to anyone.
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = directory.join(temporary);
    remove(&temporary)?;
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(secret)?;
        file.sync_all()?;
        put(&temporary, path)
    })();
    let removed = remove(&temporary);
    written?;
    removed?;
    File::open(directory)?.sync_all()
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a secret, refusing a file that group or others may access.
pub fn read(path: &Path) -> Result<Vec<u8>, SecretFileError> {
    read_unless(path, 0o077)
}

/// Reads a secret that may be shared with a group, as keys of certificates are by many renewal
/// programs and by Kubernetes; refuses a file that others may access.
pub fn read_for_group(path: &Path) -> Result<Vec<u8>, SecretFileError> {
    read_unless(path, 0o007)
}

fn read_unless(path: &Path, forbidden: u32) -> Result<Vec<u8>, SecretFileError> {
    let io = |source| SecretFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    // Asked of the open file, so that it cannot be exchanged between look and use.
    let metadata = file.metadata().map_err(io)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(SecretFileError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let mut secret = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, BYTES_MAX + 1), &mut secret).map_err(io)?;
    if secret.len() as u64 > BYTES_MAX {
        return Err(SecretFileError::TooLong {
            path: path.to_owned(),
        });
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_written_once_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("owner.token");
        write_once(&path, b"first").unwrap();
        let again = write_once(&path, b"second");
        assert!(matches!(again, Err(SecretFileError::Exists { .. })));
        assert_eq!(read(&path).unwrap(), b"first");
        replace(&path, b"third").unwrap();
        assert_eq!(read(&path).unwrap(), b"third");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_behind_does_not_matter() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let left = directory
            .path()
            .join(format!(".key.{}.tmp", std::process::id()));
        fs::write(&left, b"ha").unwrap();
        write_once(&path, b"whole").unwrap();
        assert_eq!(read(&path).unwrap(), b"whole");
        assert!(!left.exists());
    }

    #[test]
    fn an_open_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_once(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("0640"), "{error}");
    }

    #[test]
    fn an_absent_file_can_be_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        assert!(
            read(&directory.path().join("none"))
                .unwrap_err()
                .is_not_found()
        );
    }
}
