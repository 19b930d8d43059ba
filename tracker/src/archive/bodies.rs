//! What archived proofs say, looked up in their files.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use farmops_ledger::archive::Opened;
use farmops_protocol::key::PublicKey;

use super::ArchiveError;
use crate::store::{Bodies, Inspect, StoreError};

/// Archives of one farm: of seasons, or whole ones.
#[derive(Default)]
pub struct Archives {
    files: Vec<(PathBuf, Opened)>,
    /// In which file an entry is, and at which byte of its ledger.
    places: HashMap<u64, (usize, u64)>,
}

impl Archives {
    /// Opens the files, which the key of the farm has signed.
    ///
    /// # Errors
    /// [`ArchiveError`] naming the file and the member that is not as it was.
    pub fn open(paths: &[PathBuf], key: &PublicKey) -> Result<Self, ArchiveError> {
        let mut archives = Self::default();
        for path in paths {
            archives.add(path, key).map_err(|error| error.of(path))?;
        }
        Ok(archives)
    }

    fn add(&mut self, path: &Path, key: &PublicKey) -> Result<(), ArchiveError> {
        let opened = Opened::open(path)?;
        opened.check_key(key)?;
        let number = self.files.len();
        let mut lines = opened.lines()?;
        loop {
            let at = lines.at();
            let Some(line) = lines.next() else { break };
            self.places.insert(line?.position, (number, at));
        }
        self.files.push((path.to_owned(), opened));
        Ok(())
    }

    /// The archived seasons that are not in the files.
    ///
    /// # Errors
    /// [`ArchiveError`] when the database fails.
    pub async fn missing(&self, database: &dyn Inspect) -> Result<Vec<String>, ArchiveError> {
        let mut missing = Vec::new();
        for season in database.archived().await? {
            let extent = season.first..=season.last;
            let held = self.places.keys().filter(|at| extent.contains(at)).count();
            if (held as u64) < season.entries {
                missing.push(season.season);
            }
        }
        Ok(missing)
    }

    /// What the entry at `position` says; nothing if it is in none of the files.
    ///
    /// # Errors
    /// [`ArchiveError`] when a file can no longer be read.
    pub fn find(&self, position: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
        let Some((number, at)) = self.places.get(&position) else {
            return Ok(None);
        };
        let Some((path, opened)) = self.files.get(*number) else {
            return Ok(None);
        };
        let line = opened.line_at(*at);
        let line = line.map_err(|error| ArchiveError::from(error).of(path))?;
        Ok(line.map(|line| line.body.get().into()))
    }
}

impl Bodies for Archives {
    fn body(&mut self, position: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.find(position)
            .map_err(|error| StoreError::File(std::io::Error::other(error)))
    }
}
