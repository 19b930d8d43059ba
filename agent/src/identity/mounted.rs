//! An identity from elsewhere: files that an operator made beforehand and mounts, for example as a Kubernetes
//! Secret, are copied into the data folder at the first start.
//!
//! The copy is the agent's from then on (a key rotation changes it); what is mounted is only read.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use farmops_service::secret_file::{self, SecretFileError};
use rand::CryptoRng;
use uuid::Uuid;

use super::{FARM_SECRET_FILE, ID_FILE, Identity, IdentityError};
use crate::keys::KEY_FILE;
use crate::store::EVIDENCE_KEY_FILE;

/// All three, or it is no identity.
const NEEDED: [&str; 3] = [ID_FILE, KEY_FILE, FARM_SECRET_FILE];

/// Why files of an identity cannot be taken over or handed out.
#[derive(Debug, thiserror::Error)]
pub enum MountedError {
    /// The folder lacks a file.
    #[error(
        "`identity_dir`: {folder} has no {missing}; an identity is agent.id, agent.key and farm.secret \
         (make one with `farmops-agent identity new <folder>`)"
    )]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// The file it lacks.
        missing: &'static str,
    },
    /// The data folder lacks a file, and what is mounted belongs to another agent.
    #[error(
        "{file} in the data folder is not the one in `identity_dir` ({folder}), and {missing} is missing there: \
         restore the data folder, or empty it to begin as the mounted identity"
    )]
    Another {
        /// The mounted folder.
        folder: PathBuf,
        /// The file that differs.
        file: &'static str,
        /// The file that would be copied beside it.
        missing: &'static str,
    },
    /// There is an identity already.
    #[error("{0} has an identity already; nothing is overwritten")]
    Taken(PathBuf),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The folder cannot be made.
    #[error("cannot make {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The identity in it.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Copies what the data folder lacks from `mounted`; tells whether it was the first start.
///
/// # Errors
/// A [`MountedError`]; nothing is copied from a folder that is incomplete or another agent's.
pub fn adopt(mounted: &Path, data: &Path) -> Result<bool, MountedError> {
    let mut files = Vec::new();
    for name in NEEDED {
        let bytes = read(mounted, name)?.ok_or_else(|| MountedError::Incomplete {
            folder: mounted.to_owned(),
            missing: name,
        })?;
        files.push((name, bytes));
    }
    let has = |name: &str| data.join(name).exists();
    let missing = NEEDED.into_iter().find(|name| !has(name));
    if let Some(missing) = missing {
        // A crash between two copies leaves some of the same identity; anything else is a mixture.
        for (file, bytes) in files.iter().filter(|(name, _)| has(name)) {
            if secret_file::read(&data.join(file))? != *bytes {
                return Err(MountedError::Another {
                    folder: mounted.to_owned(),
                    file,
                    missing,
                });
            }
        }
    }
    if let Some(bytes) = read(mounted, EVIDENCE_KEY_FILE)? {
        files.push((EVIDENCE_KEY_FILE, bytes));
    }
    for (name, bytes) in files.into_iter().filter(|(name, _)| !has(name)) {
        secret_file::write_once(&data.join(name), &bytes)?;
    }
    Ok(missing.is_some())
}

/// Makes an identity in `folder`, for a Secret; an existing one stays as it is.
///
/// # Errors
/// A [`MountedError`].
pub fn make(folder: &Path, rng: &mut impl CryptoRng, id: Uuid) -> Result<Identity, MountedError> {
    make_folder(folder)?;
    let mut key = [0; 32];
    rng.fill_bytes(&mut key);
    let (identity, _) = Identity::load_or_make(folder, rng, id)?;
    secret_file::write_once(&folder.join(EVIDENCE_KEY_FILE), &key)?;
    Ok(identity)
}

/// Copies the identity of the agent in `data` to `folder`, for a Secret.
///
/// # Errors
/// A [`MountedError`].
pub fn export(data: &Path, folder: &Path) -> Result<(), MountedError> {
    make_folder(folder)?;
    let mut names = NEEDED.to_vec();
    if data.join(EVIDENCE_KEY_FILE).exists() {
        names.push(EVIDENCE_KEY_FILE);
    }
    for name in names {
        let bytes = secret_file::read(&data.join(name))?;
        secret_file::write_once(&folder.join(name), &bytes)?;
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), MountedError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.map_err(|source| MountedError::Folder {
        path: folder.to_owned(),
        source,
    })?;
    let taken = NEEDED.iter().any(|name| folder.join(name).exists());
    if taken {
        return Err(MountedError::Taken(folder.to_owned()));
    }
    Ok(())
}

/// A mounted file, if it is there. Kubernetes shares mounted secrets with the pod's group.
fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, SecretFileError> {
    match secret_file::read_for_group(&folder.join(name)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn identity_of(folder: &Path) -> (Uuid, [u8; 32]) {
        let (identity, made) =
            Identity::load_or_make(folder, &mut rand::rng(), Uuid::now_v7()).unwrap();
        assert!(!made);
        (identity.agent_id, identity.farm_secret)
    }

    #[test]
    fn a_made_identity_is_mounted_adopted_and_handed_out_again() {
        let folder = tempfile::tempdir().unwrap();
        let [made, data, out] = ["made", "data", "out"].map(|name| folder.path().join(name));
        let id = Uuid::now_v7();
        let identity = make(&made, &mut rand::rng(), id).unwrap();
        let again = make(&made, &mut rand::rng(), id);
        assert!(matches!(again, Err(MountedError::Taken(_))));
        // As Kubernetes mounts a Secret with a group.
        for name in NEEDED {
            fs::set_permissions(made.join(name), fs::Permissions::from_mode(0o440)).unwrap();
        }
        fs::create_dir(&data).unwrap();
        assert!(adopt(&made, &data).unwrap());
        assert!(!adopt(&made, &data).unwrap(), "once");
        assert_eq!(identity_of(&data), (id, identity.farm_secret));
        for name in NEEDED.into_iter().chain([EVIDENCE_KEY_FILE]) {
            let mode = data.join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        export(&data, &out).unwrap();
        assert_eq!(identity_of(&out), (id, identity.farm_secret));
        assert!(out.join(EVIDENCE_KEY_FILE).exists());
    }

    #[test]
    fn a_missing_file_is_named_and_nothing_is_copied() {
        for missing in NEEDED {
            let folder = tempfile::tempdir().unwrap();
            let [made, data] = ["made", "data"].map(|name| folder.path().join(name));
            make(&made, &mut rand::rng(), Uuid::now_v7()).unwrap();
            fs::create_dir(&data).unwrap();
            fs::remove_file(made.join(missing)).unwrap();
            let error = adopt(&made, &data).unwrap_err().to_string();
            assert!(error.contains(&format!("has no {missing}")), "{error}");
            assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
        }
    }

    #[test]
    fn an_interrupted_copy_goes_on_and_a_mixture_of_two_agents_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let [made, data] = ["made", "data"].map(|name| folder.path().join(name));
        make(&made, &mut rand::rng(), Uuid::now_v7()).unwrap();
        fs::create_dir(&data).unwrap();
        adopt(&made, &data).unwrap();
        fs::remove_file(data.join(FARM_SECRET_FILE)).unwrap();
        assert!(adopt(&made, &data).unwrap());
        fs::remove_file(data.join(FARM_SECRET_FILE)).unwrap();
        secret_file::replace(&data.join(KEY_FILE), &[1; 32]).unwrap();
        let error = adopt(&made, &data).unwrap_err();
        assert!(
            matches!(error, MountedError::Another { file: KEY_FILE, .. }),
            "{error}"
        );
        assert!(!data.join(FARM_SECRET_FILE).exists());
    }

    #[test]
    fn a_rotated_key_in_the_data_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [made, data] = ["made", "data"].map(|name| folder.path().join(name));
        make(&made, &mut rand::rng(), Uuid::now_v7()).unwrap();
        fs::create_dir(&data).unwrap();
        adopt(&made, &data).unwrap();
        secret_file::replace(&data.join(KEY_FILE), &[1; 32]).unwrap();
        assert!(!adopt(&made, &data).unwrap());
        assert_eq!(fs::read(data.join(KEY_FILE)).unwrap(), [1; 32]);
    }
}
