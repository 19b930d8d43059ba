//! The agent's key, and the way from one key to the next.
//!
//! Three files in the data folder tell how far a rotation has come, and a crash between any two steps
//! leaves one key that the tracker takes:
//!
//! 1. `agent.key.next` is written: the new key waits. The old one signs.
//! 2. Once everything signed is delivered, no proof is signed any more (observations wait in the queue)
//!    and `agent.key.rotating` is written: from now on the tracker may have the rotation.
//! 3. The rotation is sent, again and again until there is an answer.
//! 4. `agent.key.next` is renamed to `agent.key`: the new key signs. The marker goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farmops_protocol::key::SecretKey;
use farmops_service::secret_file::{self, SecretFileError};
use rand::CryptoRng;
use tokio::sync::OwnedMutexGuard;

/// The key that signs.
pub const KEY_FILE: &str = "agent.key";
/// The key that will.
pub const NEXT_FILE: &str = "agent.key.next";
/// Present while the tracker may have accepted the next key already.
const ROTATING_FILE: &str = "agent.key.rotating";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The folder cannot be changed.
    #[error("cannot change {path}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{0} is damaged; restore it from a backup")]
    Damaged(&'static str),
}

/// The agent's key. Clones share it, so all of them see a rotation.
#[derive(Debug, Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    current: Mutex<SecretKey>,
    /// Held by whoever signs and chains a proof.
    signing: Arc<tokio::sync::Mutex<()>>,
    /// Where nobody may sign, the place of who could.
    closed: Mutex<Option<OwnedMutexGuard<()>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// How far a rotation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// There is none.
    None,
    /// The next key waits.
    Staged,
    /// The tracker may have it.
    Rotating,
}

impl Keys {
    /// Reads the key in `folder`, making one where there is none; tells whether it was made. A rotation
    /// that a crash interrupted is where it was.
    ///
    /// # Errors
    /// A [`KeyError`] when a file is unreadable.
    pub fn load_or_make(folder: &Path, rng: &mut impl CryptoRng) -> Result<(Self, bool), KeyError> {
        let (current, fresh) = match read(folder, KEY_FILE)? {
            Some(key) => (key, false),
            None => (make(folder, KEY_FILE, rng)?, true),
        };
        let keys = Self::new(folder, current);
        let next = read(folder, NEXT_FILE)?;
        match (next, keys.has(ROTATING_FILE)) {
            (None, true) => keys.remove(ROTATING_FILE)?,
            (Some(_), true) => keys.close_now(),
            _ => {}
        }
        Ok((keys, fresh))
    }

    /// A key whose files are in `folder`.
    pub fn new(folder: &Path, current: SecretKey) -> Self {
        Self(Arc::new(Inner {
            folder: folder.to_owned(),
            current: Mutex::new(current),
            signing: Arc::default(),
            closed: Mutex::new(None),
        }))
    }

    /// The key that signs.
    pub fn current(&self) -> SecretKey {
        lock(&self.0.current).clone()
    }

    /// The right to sign a proof and to chain it; one at a time, and nobody during a rotation.
    pub async fn sign(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0.signing).lock_owned().await
    }

    /// Nobody signs from now on, until [`Self::open`].
    pub async fn close(&self) {
        if lock(&self.0.closed).is_some() {
            return;
        }
        let right = self.sign().await;
        *lock(&self.0.closed) = Some(right);
    }

    /// Like [`Self::close`], before anybody has begun to sign.
    pub fn close_now(&self) {
        let right = Arc::clone(&self.0.signing).try_lock_owned().ok();
        let mut closed = lock(&self.0.closed);
        *closed = closed.take().or(right);
    }

    /// Proofs may be signed again.
    pub fn open(&self) {
        lock(&self.0.closed).take();
    }

    /// How far a rotation has come.
    pub fn stage(&self) -> Stage {
        match (self.has(NEXT_FILE), self.has(ROTATING_FILE)) {
            (false, _) => Stage::None,
            (true, false) => Stage::Staged,
            (true, true) => Stage::Rotating,
        }
    }

    /// The key that waits to sign.
    ///
    /// # Errors
    /// A [`KeyError`] when its file is unreadable.
    pub fn next(&self) -> Result<Option<SecretKey>, KeyError> {
        read(&self.0.folder, NEXT_FILE)
    }

    /// From now on the tracker may have the next key.
    ///
    /// # Errors
    /// A [`KeyError`] when that cannot be written down.
    pub fn begin(&self) -> Result<(), KeyError> {
        let path = self.0.folder.join(ROTATING_FILE);
        let note = b"The tracker may have accepted agent.key.next. Both keys are needed.\n";
        match secret_file::write_once(&path, note) {
            Ok(()) | Err(SecretFileError::Exists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The tracker has the next key: it is the one that signs.
    ///
    /// # Errors
    /// A [`KeyError`] when the folder cannot be changed; the rotation stays where it was.
    pub fn switch(&self) -> Result<(), KeyError> {
        let next = self.next()?.ok_or(KeyError::Damaged(NEXT_FILE))?;
        let (from, to) = (self.0.folder.join(NEXT_FILE), self.0.folder.join(KEY_FILE));
        fs::rename(&from, to)
            .and_then(|()| self.sync())
            .map_err(|source| KeyError::Folder { path: from, source })?;
        *lock(&self.0.current) = next;
        self.remove(ROTATING_FILE)?;
        self.open();
        Ok(())
    }

    /// The tracker does not want the next key: it goes, and the old one signs on.
    ///
    /// # Errors
    /// A [`KeyError`] when the folder cannot be changed.
    pub fn abandon(&self) -> Result<(), KeyError> {
        self.remove(NEXT_FILE)?;
        self.remove(ROTATING_FILE)?;
        self.open();
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.folder.join(name).exists()
    }

    fn remove(&self, name: &str) -> Result<(), KeyError> {
        let path = self.0.folder.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(KeyError::Folder { path, source })
            }
            _ => self
                .sync()
                .map_err(|source| KeyError::Folder { path, source }),
        }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0.folder)?.sync_all()
    }
}

/// Writes a new key beside the one in `folder`, for the agent to rotate to; the one that waits there
/// already stays. Gives the key that waits.
///
/// # Errors
/// A [`KeyError`] when the file is unreadable or cannot be written.
pub fn stage(folder: &Path, rng: &mut impl CryptoRng) -> Result<SecretKey, KeyError> {
    match read(folder, NEXT_FILE)? {
        Some(waiting) => Ok(waiting),
        None => make(folder, NEXT_FILE, rng),
    }
}

/// The key in a file of `folder`, if there is one.
///
/// # Errors
/// A [`KeyError`] when the file is unreadable.
pub fn read(folder: &Path, name: &'static str) -> Result<Option<SecretKey>, KeyError> {
    match secret_file::read(&folder.join(name)) {
        Ok(bytes) => {
            let seed = bytes.try_into().map_err(|_| KeyError::Damaged(name))?;
            Ok(Some(SecretKey::from_bytes(seed)))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn make(
    folder: &Path,
    name: &'static str,
    rng: &mut impl CryptoRng,
) -> Result<SecretKey, KeyError> {
    let key = SecretKey::generate(rng);
    secret_file::write_once(&folder.join(name), &key.to_bytes())?;
    Ok(key)
}

/// No code panics while it holds one of these.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
