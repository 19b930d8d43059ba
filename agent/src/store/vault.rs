//! What is kept of raw work data is encrypted under a key of the agent's own, which is not in the database.
//!
//! XChaCha20-Poly1305: its nonce is long enough to be drawn at random for every row, so no counter can be
//! lost or restored with a backup. Each sealed text is bound to the table and the row it was sealed for, so
//! that one moved to another place does not open there.
//!
//! A sealed text is: version (1 byte), id of the key (8), nonce (24), ciphertext with its tag (16 more than
//! the clear text).

use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use farmops_protocol::digest::sha256;
use farmops_service::secret_file::{self, SecretFileError};

/// The key's file in the data folder.
pub const KEY_FILE: &str = "evidence.key";
const KEY_BYTES: usize = 32;
const VERSION: u8 = 1;
const KEY_ID_AT: usize = 1;
const NONCE_AT: usize = KEY_ID_AT + 8;
const TEXT_AT: usize = NONCE_AT + 24;
/// Bytes that sealing adds.
pub(super) const OVERHEAD_BYTES: usize = TEXT_AT + 16;

/// Names a key without telling it: the beginning of a hash over it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub(super) [u8; 8]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The operator names a key file that is not there.
    #[error("`evidence.key_file`: there is no {0}; it holds {KEY_BYTES} random bytes")]
    NoFile(PathBuf),
    /// The file holds something else.
    #[error("{0} is no key: it must hold exactly {KEY_BYTES} bytes")]
    Length(PathBuf),
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// It was sealed under another key.
    #[error("encrypted under another key ({theirs}; the key in use is {ours})")]
    OtherKey {
        /// The key it was sealed with.
        theirs: KeyId,
        /// The key that was tried.
        ours: KeyId,
    },
    /// It was changed, or moved here from another row.
    #[error("damaged: it is not what was written for this row")]
    Damaged,
}

/// Where the key is.
#[derive(Debug, Clone)]
pub(super) enum KeyPlace {
    /// In the data folder; made when nothing is sealed yet.
    Own(PathBuf),
    /// Where the operator put it; only read.
    Given(PathBuf),
}

impl KeyPlace {
    /// The operator's `key_file`, or the one in the data folder.
    pub(super) fn new(folder: &Path, key_file: Option<&Path>) -> Self {
        key_file.map_or_else(
            || Self::Own(folder.join(KEY_FILE)),
            |file| Self::Given(file.to_owned()),
        )
    }

    /// The key, if it is there.
    pub(super) fn read(&self) -> Result<Option<Vault>, KeyFault> {
        let (path, read) = match self {
            Self::Own(path) => (path, secret_file::read(path)),
            // Kubernetes shares mounted secrets with the pod's group.
            Self::Given(path) => (path, secret_file::read_for_group(path)),
        };
        match read {
            Ok(bytes) => {
                let key = <[u8; KEY_BYTES]>::try_from(bytes);
                let key = key.map_err(|_| KeyFault::Length(path.clone()))?;
                Ok(Some(Vault::new(&key)))
            }
            Err(error) if error.is_not_found() => match self {
                Self::Own(_) => Ok(None),
                Self::Given(path) => Err(KeyFault::NoFile(path.clone())),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// A new key, on disk before it is used.
    pub(super) fn make(&self) -> Result<Vault, KeyFault> {
        match self {
            Self::Own(path) => {
                let key: [u8; KEY_BYTES] = rand::random();
                secret_file::write_once(path, &key)?;
                Ok(Vault::new(&key))
            }
            Self::Given(path) => Err(KeyFault::NoFile(path.clone())),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(path) | Self::Given(path) => path,
        }
    }
}

/// Seals and opens what the database keeps.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    id: KeyId,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Vault").field(&self.id).finish()
    }
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let named = sha256(&[b"farmops evidence key\0".as_slice(), key].concat());
        let mut id = [0; 8];
        id.copy_from_slice(&named.as_bytes()[..8]);
        Self {
            cipher: XChaCha20Poly1305::new(key.into()),
            id: KeyId(id),
        }
    }

    /// Which key it is.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// Seals `clear` for the row that `table` and `row` name.
    pub fn seal(&self, table: &str, row: &str, clear: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(clear.len() + OVERHEAD_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id.0);
        let bound = bound(&sealed, table, row);
        let nonce: [u8; 24] = rand::random();
        sealed.extend_from_slice(&nonce);
        let payload = Payload {
            msg: clear,
            aad: &bound,
        };
        let text = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let text = text.unwrap_or_else(|_| {
            // The only limit is 256 GiB, far beyond what fits into memory or a row.
            unreachable!("an observation of more than 256 GiB")
        });
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what was sealed for this row.
    ///
    /// # Errors
    /// [`Unopened`]; nothing of a damaged text is given away.
    pub fn open(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopened> {
        let (head, nonce, text) = parts(sealed).ok_or(Unopened::Damaged)?;
        let mut theirs = [0; 8];
        theirs.copy_from_slice(&head[KEY_ID_AT..]);
        if theirs != self.id.0 {
            return Err(Unopened::OtherKey {
                theirs: KeyId(theirs),
                ours: self.id,
            });
        }
        let payload = Payload {
            msg: text,
            aad: &bound(head, table, row),
        };
        self.cipher
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Unopened::Damaged)
    }
}

/// Version with key id, nonce, and ciphertext.
fn parts(sealed: &[u8]) -> Option<(&[u8], [u8; 24], &[u8])> {
    let (head, rest) = sealed.split_at_checked(NONCE_AT)?;
    let (nonce, text) = rest.split_at_checked(TEXT_AT - NONCE_AT)?;
    (head[0] == VERSION).then_some((head, nonce.try_into().ok()?, text))
}

/// What is authenticated besides the text. No table has a NUL in its name, so no two rows share this.
fn bound(head: &[u8], table: &str, row: &str) -> Vec<u8> {
    [head, table.as_bytes(), b"\0", row.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_only_where_it_was_sealed_and_unchanged(
            clear in proptest::collection::vec(any::<u8>(), 0..300), at in any::<usize>(), bit in 0..8u8,
        ) {
            let vault = Vault::new(&[7; 32]);
            let mut sealed = vault.seal("observations", "a", &clear);
            prop_assert_eq!(&vault.open("observations", "a", &sealed).unwrap(), &clear);
            prop_assert_eq!(vault.open("observations", "b", &sealed), Err(Unopened::Damaged));
            prop_assert_eq!(vault.open("evidence", "a", &sealed), Err(Unopened::Damaged));
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert!(vault.open("observations", "a", &sealed).is_err());
            prop_assert!(vault.open("observations", "a", &sealed[..at]).is_err());
        }
    }

    #[test]
    fn equal_texts_look_different() {
        let vault = Vault::new(&[7; 32]);
        assert_ne!(vault.seal("t", "r", b"same"), vault.seal("t", "r", b"same"));
    }

    #[test]
    fn another_key_is_told_from_damage() {
        let sealed = Vault::new(&[7; 32]).seal("t", "r", b"text");
        let other = Vault::new(&[8; 32]).open("t", "r", &sealed).unwrap_err();
        assert!(matches!(other, Unopened::OtherKey { .. }), "{other}");
    }

    #[test]
    fn a_key_is_made_once_and_a_given_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let own = KeyPlace::new(folder.path(), None);
        assert!(own.read().unwrap().is_none());
        let made = own.make().unwrap();
        assert_eq!(own.read().unwrap().unwrap().key_id(), made.key_id());
        let given = KeyPlace::new(folder.path(), Some(&folder.path().join("mounted")));
        let error = given.read().unwrap_err().to_string();
        assert!(error.contains("evidence.key_file"), "{error}");
        std::fs::write(folder.path().join("mounted"), "short").unwrap();
        std::fs::set_permissions(
            folder.path().join("mounted"),
            std::os::unix::fs::PermissionsExt::from_mode(0o440),
        )
        .unwrap();
        let error = given.read().unwrap_err().to_string();
        assert!(error.contains("32 bytes"), "{error}");
    }
}
