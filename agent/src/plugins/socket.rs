//! A folder for the sockets that only this user can enter.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// The longest folder whose sockets still fit into `sockaddr_un` (108 bytes).
const FOLDER_BYTES_MAX: usize = 80;

/// There is no place for the sockets.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a private folder for plugin sockets at {folder}")]
pub struct SocketError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

/// The folder. It goes when this value goes.
#[derive(Debug)]
pub(super) struct SocketFolder {
    path: PathBuf,
    next: AtomicU64,
}

impl SocketFolder {
    /// `run` in the data folder, or a random name in the system's temporary folder where that path is
    /// too long for a socket or not plain enough for a URI.
    pub(super) fn make(data_dir: &Path) -> Result<Self, SocketError> {
        let near = std::path::absolute(data_dir)
            .unwrap_or_else(|_| data_dir.to_owned())
            .join("run");
        let path = if is_plain(&near) {
            near
        } else {
            std::env::temp_dir().join(format!("farmops-{}", Uuid::new_v4().simple()))
        };
        make_private(&path)?;
        Ok(Self {
            path,
            next: AtomicU64::new(0),
        })
    }

    /// A place that no plugin has had before, in a folder of its own.
    pub(super) fn fresh(&self) -> io::Result<Socket> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.path.join(format!("{}-{number}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Socket {
            path: folder.join("sock"),
            folder,
        })
    }
}

/// Where one plugin listens. Its folder goes when this value goes, whatever became of the plugin.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What is left over goes with the folder of all sockets.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        // What is left over is empty sockets; the next start clears them.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Makes the folder anew, for this user alone.
pub(super) fn make_private(path: &Path) -> Result<(), SocketError> {
    make_anew(path).map_err(|source| SocketError {
        folder: path.to_owned(),
        source,
    })
}

/// Makes the folder anew with mode 0700. What an earlier agent left there is removed, after a look at
/// whether it was ours.
fn make_anew(path: &Path) -> io::Result<()> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.is_dir() || metadata.uid() != owner_of_parent(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        std::fs::remove_dir_all(path)?;
    }
    DirBuilder::new().mode(0o700).create(path)?;
    // The mode of `create` passes through the umask, which can only take rights away.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

fn owner_of_parent(path: &Path) -> io::Result<u32> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(std::fs::metadata(parent)?.uid())
}

fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    bytes.len() <= FOLDER_BYTES_MAX
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_folder_is_private_and_short_enough() {
        let data = tempfile::tempdir().unwrap();
        let deep = data.path().join("d".repeat(100));
        std::fs::create_dir(&deep).unwrap();
        for place in [data.path(), &deep] {
            let folder = SocketFolder::make(place).unwrap();
            let mode = std::fs::metadata(&folder.path)
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
            let socket = folder.fresh().unwrap();
            std::os::unix::net::UnixListener::bind(&socket.path).unwrap();
            assert_ne!(socket.folder, folder.fresh().unwrap().folder);
            let place = socket.folder.clone();
            drop(socket);
            assert!(!place.exists());
        }
    }

    #[test]
    fn leftovers_of_a_crash_are_cleared_and_the_folder_goes_with_its_owner() {
        let data = tempfile::tempdir().unwrap();
        let run = data.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("old.sock"), "").unwrap();
        let folder = SocketFolder::make(data.path()).unwrap();
        assert!(!run.join("old.sock").exists());
        drop(folder);
        assert!(!run.exists());
    }
}
