//! A farm in one file, for its owner's drawer, and for moving house: what is written to it, and whether
//! what is read from it is sound. What the file is, is told in `farmops_ledger::archive`.

mod adopt;
mod bodies;
mod export;
mod records;
mod season;

use std::io;

use farmops_ledger::archive::FormatError;

pub use self::{
    adopt::adopt,
    bodies::Archives,
    export::export,
    season::{Checked, NoSeason, Quarter, Sealed, write_season},
};
use crate::store::StoreError;

/// Why an archive is not made, or not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file could not be read or written.
    #[error("the archive could not be read or written")]
    File(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database holds no farm, or not its keys.
    #[error("the database holds no farm, or not its keys")]
    NoFarm,
    /// The file is not an archive that can be taken, or made.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// It is no archive of one season.
    #[error("this is no archive of a season; `import` takes it")]
    NoSeason,
    /// It needs what is in another archive.
    #[error("what the proofs of {0} say is archived; give the files with --archive FILE")]
    Archived(String),
    /// One of several files.
    #[error("{path}: {source}")]
    Of {
        /// Which one.
        path: String,
        /// What is wrong with it.
        source: Box<ArchiveError>,
    },
    /// There are no keys in it, so no tracker could go on with the farm.
    #[error("the archive has no keys; export it again with --with-keys")]
    NoKeys,
}

impl ArchiveError {
    fn of(self, path: &std::path::Path) -> Self {
        Self::Of {
            path: path.display().to_string(),
            source: Box::new(self),
        }
    }
}
