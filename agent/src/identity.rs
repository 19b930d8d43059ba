//! Who the agent is: an Ed25519 key ([`crate::keys`]), an id, and the farm's secret, made at the first
//! start.
//!
//! Files in the data folder, mode 0600, each written completely or not at all. Without the key
//! the agent is another agent; without the secret the same person gets another hash.

pub mod mounted;

use std::path::Path;

use farmops_service::secret_file::{self, SecretFileError};
use rand::CryptoRng;
use uuid::Uuid;

use crate::keys::{KeyError, Keys};

const ID_FILE: &str = "agent.id";
const FARM_SECRET_FILE: &str = "farm.secret";

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file holds something else.
    #[error(
        "{0} is damaged; restore it from a backup, or move all identity files away to enrol anew"
    )]
    Damaged(&'static str),
}

/// The agent's identity.
#[derive(Clone)]
pub struct Identity {
    /// Signs proofs and greetings.
    pub key: Keys,
    /// The agent's own id.
    pub agent_id: Uuid,
    /// Makes actor hashes that nobody else can guess.
    pub farm_secret: [u8; 32],
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("agent_id", &self.agent_id)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the identity in `folder`, making what is missing; tells whether the key was made.
    /// `fresh_id` is used at the first start.
    pub fn load_or_make(
        folder: &Path,
        rng: &mut impl CryptoRng,
        fresh_id: Uuid,
    ) -> Result<(Self, bool), IdentityError> {
        let (key, fresh) = Keys::load_or_make(folder, rng)?;
        let id = file(folder, ID_FILE, || fresh_id.to_string().into_bytes())?;
        let secret = file(folder, FARM_SECRET_FILE, || {
            let mut secret = vec![0; 32];
            rng.fill_bytes(&mut secret);
            secret
        })?;
        let bytes = |name, bytes: Vec<u8>| {
            <[u8; 32]>::try_from(bytes).map_err(|_| IdentityError::Damaged(name))
        };
        let id = std::str::from_utf8(&id)
            .ok()
            .and_then(|id| id.trim().parse().ok());
        let identity = Self {
            key,
            agent_id: id.ok_or(IdentityError::Damaged(ID_FILE))?,
            farm_secret: bytes(FARM_SECRET_FILE, secret)?,
        };
        Ok((identity, fresh))
    }
}

fn file(
    folder: &Path,
    name: &str,
    make: impl FnOnce() -> Vec<u8>,
) -> Result<Vec<u8>, SecretFileError> {
    let path = folder.join(name);
    match secret_file::read(&path) {
        Err(error) if error.is_not_found() => {
            let secret = make();
            secret_file::write_once(&path, &secret)?;
            Ok(secret)
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_identity_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let id = Uuid::now_v7();
        let (first, fresh) = Identity::load_or_make(folder.path(), &mut rand::rng(), id).unwrap();
        let (later, again) =
            Identity::load_or_make(folder.path(), &mut rand::rng(), Uuid::now_v7()).unwrap();
        assert_eq!(first.agent_id, id);
        assert_eq!(later.agent_id, id);
        assert_eq!((fresh, again), (true, false));
        assert_eq!(first.farm_secret, later.farm_secret);
    }

    #[test]
    fn a_damaged_id_is_an_error_and_not_a_new_agent() {
        let folder = tempfile::tempdir().unwrap();
        secret_file::write_once(&folder.path().join(ID_FILE), b"short").unwrap();
        let error = Identity::load_or_make(folder.path(), &mut rand::rng(), Uuid::now_v7());
        assert!(matches!(error, Err(IdentityError::Damaged(ID_FILE))));
    }
}
