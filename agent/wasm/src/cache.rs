//! Native code on disk: sealed, so that only what this agent's compiler made is ever loaded.
//!
//! `<folder>/<SHA-256 of the component>-<engine>.cwasm` holds a 32-byte seal and the native code. The seal
//! is HMAC-SHA-256 over component, engine and code. A file with a wrong seal, cut off, or of another
//! version is as good as none: the component is compiled again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::compile::NATIVE_BYTES_MAX;
use crate::engine;
use crate::native::Native;

const SEAL_BYTES: usize = 32;
/// Files that are kept: what is forgotten is compiled again.
const FILES_MAX: usize = 128;
const SUFFIX: &str = ".cwasm";

/// SHA-256 of a component, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentDigest(String);

impl ComponentDigest {
    /// The digest of `component`.
    pub fn of(component: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(component)))
    }

    /// 64 digits of lower-case hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The folder of native code, and the key of its seals.
pub struct Cache {
    /// Absent: nothing is kept.
    folder: Option<PathBuf>,
    key: [u8; 32],
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Cache {
    /// A cache in `folder`, which is made when it is first written to. `key` is the agent's own secret, or
    /// derived from it.
    pub fn new(folder: impl Into<PathBuf>, key: [u8; 32]) -> Self {
        Self {
            folder: Some(folder.into()),
            key,
        }
    }

    /// A cache that keeps nothing, so that each component is compiled when it is loaded.
    pub const fn nowhere() -> Self {
        Self {
            folder: None,
            key: [0; 32],
        }
    }

    /// The file that holds the native code of this component for this engine.
    fn file(folder: &Path, component: &ComponentDigest) -> PathBuf {
        let engine = engine::compatibility();
        folder.join(format!("{}-{engine}{SUFFIX}", component.as_str()))
    }

    /// What is kept of `component`; `None` when nothing is, or nothing that may be trusted.
    pub(crate) fn read(&self, component: &ComponentDigest) -> Option<Native> {
        let file = Self::file(self.folder.as_ref()?, component);
        let bytes = match read_bounded(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "cached native code can not be read");
                return None;
            }
        };
        let opened = bytes.split_at_checked(SEAL_BYTES).and_then(|(seal, code)| {
            let mac = self.mac(component, code);
            mac.verify_slice(seal).ok().map(|()| code)
        });
        if opened.is_none() {
            tracing::warn!(file = %file.display(), "cached native code has a wrong seal and is not used");
        }
        opened.map(|code| Native::from_cache(code.to_vec()))
    }

    /// Keeps the native code of `component`, in place of what other engines made of it.
    pub(crate) fn write(&self, component: &ComponentDigest, native: &Native) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let file = Self::file(folder, component);
        let fresh = file.with_extension(format!("{}.new", std::process::id()));
        let seal = self.mac(component, native.bytes()).finalize().into_bytes();
        let written = (|| {
            let mut out = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            out.write_all(&seal)?;
            out.write_all(native.bytes())?;
            out.sync_all()?;
            fs::rename(&fresh, &file)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&fresh);
        }
        written?;
        sweep(folder, |name| {
            name.starts_with(component.as_str()) && !file.ends_with(name)
        });
        sweep_oldest(folder);
        Ok(())
    }

    fn mac(&self, component: &ComponentDigest, code: &[u8]) -> Hmac<Sha256> {
        // A key of 32 bytes; HMAC takes any length.
        let mut mac = match Hmac::<Sha256>::new_from_slice(&self.key) {
            Ok(mac) => mac,
            Err(never) => unreachable!("{never}"),
        };
        for part in [
            b"farmops component cache 1".as_slice(),
            component.as_str().as_bytes(),
            engine::compatibility().as_bytes(),
        ] {
            mac.update(part);
            mac.update(&[0]);
        }
        mac.update(code);
        mac
    }
}

/// Removes the oldest files beyond [`FILES_MAX`].
fn sweep_oldest(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(FILES_MAX);
    for (_, path) in &files[..surplus] {
        let _ = fs::remove_file(path);
    }
}

/// Removes files of the cache by name. One that stays does no harm.
fn sweep(folder: &Path, unwanted: impl Fn(&str) -> bool) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_str().is_some_and(&unwanted) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let limit = (SEAL_BYTES + NATIVE_BYTES_MAX) as u64;
    let mut bytes = Vec::new();
    fs::File::open(file)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn cache(folder: &Path, key: u8) -> Cache {
        Cache::new(folder.join("components"), [key; 32])
    }

    fn place(cache: &Cache, component: &ComponentDigest) -> PathBuf {
        Cache::file(cache.folder.as_ref().unwrap(), component)
    }

    fn kept(cache: &Cache, component: &ComponentDigest) -> Option<Vec<u8>> {
        cache.read(component).map(|native| native.bytes().to_vec())
    }

    #[test]
    fn what_was_kept_comes_back_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 1);
        let digest = ComponentDigest::of(b"component");
        assert!(kept(&cache, &digest).is_none());
        let native = Native::from_compiler(b"code".to_vec());
        cache.write(&digest, &native).unwrap();
        assert_eq!(kept(&cache, &digest).unwrap(), b"code");
        let mode = fs::metadata(place(&cache, &digest)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn a_changed_cut_or_moved_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 1);
        let (digest, other) = (ComponentDigest::of(b"a"), ComponentDigest::of(b"b"));
        let native = Native::from_compiler(b"code".to_vec());
        cache.write(&digest, &native).unwrap();
        let good = fs::read(place(&cache, &digest)).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(place(&cache, &digest), &bad).unwrap();
            assert!(kept(&cache, &digest).is_none(), "byte {at}");
            fs::write(place(&cache, &digest), &good[..at]).unwrap();
            assert!(kept(&cache, &digest).is_none(), "cut at {at}");
        }
        fs::write(place(&cache, &other), &good).unwrap();
        assert!(kept(&cache, &other).is_none());
        fs::write(place(&cache, &digest), &good).unwrap();
        assert!(kept(&self::cache(folder.path(), 2), &digest).is_none());
        assert!(kept(&cache, &digest).is_some());
    }

    #[test]
    fn code_of_other_engines_goes_and_so_does_the_oldest_of_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 1);
        let (digest, other) = (ComponentDigest::of(b"a"), ComponentDigest::of(b"b"));
        let native = Native::from_compiler(b"code".to_vec());
        cache.write(&other, &native).unwrap();
        let old = place(&cache, &digest).with_file_name(format!("{}-00.cwasm", digest.as_str()));
        fs::write(&old, b"old").unwrap();
        cache.write(&digest, &native).unwrap();
        assert!(!old.exists());
        assert!(cache.read(&digest).is_some() && cache.read(&other).is_some());
        for number in 0..FILES_MAX - 1 {
            let digest = ComponentDigest::of(&number.to_le_bytes());
            cache.write(&digest, &native).unwrap();
        }
        let files = fs::read_dir(folder.path().join("components")).unwrap();
        assert_eq!(files.count(), FILES_MAX);
        assert!(cache.read(&other).is_none());
    }
}
