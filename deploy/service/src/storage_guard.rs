//! Refusing to keep a database on a network filesystem.
//!
//! The database's locks and its write-ahead log need shared memory and honest `fsync`; over NFS and its
//! relatives both can fail silently, and the damage shows weeks later. So the service looks at the
//! mount table before it opens the file.

use std::io;
use std::path::{Path, PathBuf};

/// Filesystem types whose locks or write order are not to be trusted with a database.
const NETWORK_TYPES: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.ceph",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.juicefs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "gfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "pvfs2",
    "smb3",
    "smbfs",
];

/// Why a directory is no place for a database.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The path lies on a network filesystem.
    #[error(
        "{path} is on a network filesystem ({kind}, mounted at {mount_point}): \
         a database there loses data; use a local disk"
    )]
    NetworkFilesystem {
        /// The path asked about.
        path: PathBuf,
        /// The type as the kernel names it.
        kind: String,
        /// Where it is mounted.
        mount_point: PathBuf,
    },
    /// The path, or the mount table, cannot be read.
    #[error("cannot tell what filesystem {path} is on")]
    Unknown {
        /// The path asked about.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Checks the filesystem under `path`, which need not exist yet: its nearest existing ancestor
/// counts.
pub fn refuse_network_filesystem(path: &Path) -> Result<(), StorageError> {
    let unknown = |source| StorageError::Unknown {
        path: path.to_owned(),
        source,
    };
    let table = std::fs::read_to_string("/proc/self/mountinfo").map_err(unknown)?;
    let real = nearest_existing(path).map_err(unknown)?;
    judge(path, &real, &table)
}

fn nearest_existing(path: &Path) -> io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    for ancestor in absolute.ancestors() {
        match ancestor.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn judge(path: &Path, real: &Path, table: &str) -> Result<(), StorageError> {
    match mount_of(real, table) {
        Some((mount_point, kind)) if NETWORK_TYPES.contains(&kind) => {
            Err(StorageError::NetworkFilesystem {
                path: path.to_owned(),
                kind: kind.to_owned(),
                mount_point,
            })
        }
        _ => Ok(()),
    }
}

/// The last mount that contains the path: the table is in the order of mounting, and a mount covers
/// whatever was below its place before, deeper mounts included. Format: `proc_pid_mountinfo(5)`.
fn mount_of<'table>(real: &Path, table: &'table str) -> Option<(PathBuf, &'table str)> {
    table
        .lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let mount_point = PathBuf::from(unescape(before.split(' ').nth(4)?));
            let kind = after.split(' ').next()?;
            real.starts_with(&mount_point)
                .then_some((mount_point, kind))
        })
        .next_back()
}

/// Undoes the kernel's octal escapes for space, tab, newline and backslash.
fn unescape(field: &str) -> String {
    // The backslash last, or `\134040` would turn into a space.
    field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

/// Makes sure that the file exists and that only its owner can read it. SQLite gives its log the same mode.
///
/// # Errors
/// When the file can be neither made nor changed.
pub fn make_private(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)?;
    opened.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TABLE: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:26 / /srv/nas rw,relatime shared:20 - nfs4 nas:/export rw,vers=4.2
31 30 254:2 / /srv/nas/local rw - xfs /dev/vdb rw
32 22 0:40 / /mnt/my\\040share rw - cifs //nas/share rw
33 22 0:41 / /mnt/covered rw - nfs nas:/old rw
34 33 254:3 / /mnt/covered rw master:1 shared:9 - ext4 /dev/vdc rw
35 22 0:42 / /srv/nastier rw - tmpfs tmpfs rw
37 22 254:4 / /data/deep rw - ext4 /dev/vdd rw
38 22 0:44 / /data rw - ceph mon:/ rw
36 22 0:43 / /home/alice/remote rw - fuse.sshfs alice@host: rw
";

    fn refused(path: &str) -> Option<String> {
        match judge(Path::new(path), Path::new(path), TABLE) {
            Err(StorageError::NetworkFilesystem { kind, .. }) => Some(kind),
            _ => None,
        }
    }

    #[test]
    fn the_mount_that_holds_the_path_decides() {
        assert_eq!(refused("/var/lib/farmops"), None);
        assert_eq!(refused("/srv/nas/farm").as_deref(), Some("nfs4"));
        assert_eq!(refused("/srv/nas").as_deref(), Some("nfs4"));
        assert_eq!(refused("/srv/nas/local/farm"), None);
        assert_eq!(refused("/srv/nastier/farm"), None);
        assert_eq!(
            refused("/home/alice/remote/farm").as_deref(),
            Some("fuse.sshfs")
        );
    }

    #[test]
    fn escaped_names_and_covered_mounts_are_understood() {
        assert_eq!(refused("/mnt/my share/farm").as_deref(), Some("cifs"));
        assert_eq!(refused("/mnt/covered/farm"), None);
        assert_eq!(refused("/data/deep/farm").as_deref(), Some("ceph"));
    }

    #[test]
    fn the_message_says_what_to_do() {
        let path = Path::new("/srv/nas/farm.db");
        let message = judge(path, path, TABLE).unwrap_err().to_string();
        assert!(message.contains("nfs4"), "{message}");
        assert!(message.contains("use a local disk"), "{message}");
    }

    #[test]
    fn a_path_that_does_not_exist_yet_is_judged_by_its_parent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not/yet/farm.db");
        let real = nearest_existing(&path).unwrap();
        assert_eq!(real, directory.path().canonicalize().unwrap());
    }

    #[test]
    fn a_private_file_is_its_owners_whatever_it_was() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |file: &Path| file.metadata().unwrap().permissions().mode() & 0o7777;
        let (new, open) = (folder.path().join("new.db"), folder.path().join("open.db"));
        std::fs::write(&open, "kept").unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        for file in [&new, &open] {
            make_private(file).unwrap();
            assert_eq!(mode(file), 0o600);
        }
        assert_eq!(std::fs::read(&open).unwrap(), b"kept");
    }
}
