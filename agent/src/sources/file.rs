//! The source `file`: follows a file to which one JSON object per line is appended.
//!
//! Each batch of lines is kept together with the offset after it, so a crash repeats nothing. A file
//! that was replaced (another inode) or cut (shorter than the offset, or beginning otherwise) is read
//! from its start; the old file's unread end is read first if it is still open here.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use farmops_protocol::digest::{Digest, sha256};
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::observation::{Intake, Sighting, SourceType};
use crate::store::{Acceptance, StoreError};

/// Lines kept in one transaction.
const BATCH_LINES_MAX: usize = 256;
/// Bytes at a file's beginning by which it is recognised.
const HEAD_BYTES: u64 = 64;
/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// One file to follow.
#[derive(Debug, Clone, Deserialize)]
pub struct FileConfig {
    /// The operator's name for it.
    pub name: String,
    /// The file. It need not exist yet.
    #[serde(deserialize_with = "farmops_service::config::path")]
    pub path: PathBuf,
    /// What its records are. Default `file`.
    #[serde(default = "file")]
    pub source_type: SourceType,
}

const fn file() -> SourceType {
    SourceType::File
}

/// Where the reading stands, as it is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    device: u64,
    inode: u64,
    offset: u64,
    /// SHA-256 of the first bytes, at most [`HEAD_BYTES`] and at most `offset` of them.
    head: Option<Digest>,
}

/// Lines read, and where the reading stands after them.
struct Batch {
    sightings: Vec<Sighting>,
    unreadable: u64,
    place: Place,
}

#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    #[error("the queue of observations is full")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Follows one file.
pub struct Follower {
    config: FileConfig,
    desk: Desk,
    line_bytes_max: u64,
    open: Option<File>,
}

impl Follower {
    /// A follower that reports to `desk`.
    pub fn new(config: FileConfig, desk: Desk, line_bytes_max: usize) -> Self {
        Self {
            config,
            desk,
            line_bytes_max: line_bytes_max as u64,
            open: None,
        }
    }

    /// Follows until told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            match self.catch_up(&stop).await {
                Ok(()) => self.desk.up(&self.config.name),
                Err(error) => self.desk.down(&self.config.name, &error.to_string()),
            }
        }
    }

    async fn catch_up(&mut self, stop: &CancellationToken) -> Result<(), FileError> {
        let saved = self.desk.state_of(&self.config.name).await?;
        let mut place: Place = saved
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let line_bytes_max = self.line_bytes_max;
        while !stop.is_cancelled() {
            let Some(file) = self.current(&mut place)? else {
                return Ok(());
            };
            let batch = read_batch(file, &place, line_bytes_max)?;
            if batch.place == place {
                if self.drop_replaced()? {
                    continue;
                }
                return Ok(());
            }
            place = batch.place.clone();
            self.keep(batch).await?;
        }
        Ok(())
    }

    /// The file to read from, which may still be the one that has been replaced meanwhile.
    fn current(&mut self, place: &mut Place) -> io::Result<Option<&File>> {
        if self.open.is_none() {
            match File::open(&self.config.path) {
                Ok(file) => self.open = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &self.open else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        let (device, inode) = (metadata.dev(), metadata.ino());
        let same = (device, inode) == (place.device, place.inode)
            && metadata.len() >= place.offset
            && (place.offset == 0 || head_of(file, place.offset)? == place.head);
        if !same {
            *place = Place {
                device,
                inode,
                ..Place::default()
            };
        }
        Ok(Some(file))
    }

    /// Lets go of a file that is read to its end and no longer at its path.
    fn drop_replaced(&mut self) -> io::Result<bool> {
        let Some(open) = &self.open else {
            return Ok(false);
        };
        let open = open.metadata()?;
        let replaced = match std::fs::metadata(&self.config.path) {
            Ok(at_path) => (at_path.dev(), at_path.ino()) != (open.dev(), open.ino()),
            // It may be on its way from one name to the next.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if replaced {
            self.open = None;
        }
        Ok(replaced)
    }

    async fn keep(&self, batch: Batch) -> Result<(), FileError> {
        if batch.unreadable > 0 {
            tracing::warn!(
                source = self.config.name,
                lines = batch.unreadable,
                "lines that are no JSON object, or too long, were passed over"
            );
        }
        let intake = Intake {
            source: self.config.name.clone(),
            source_type: self.config.source_type,
            sightings: batch.sightings,
            delivery: None,
            state: serde_json::to_string(&batch.place).ok(),
        };
        match self.desk.hand_over(&intake).await? {
            Acceptance::Full => Err(FileError::Full),
            Acceptance::Kept(_) | Acceptance::Repeated => Ok(()),
        }
    }
}

/// Reads whole lines from `place` on. A last line without its newline waits for the rest of it.
fn read_batch(file: &File, place: &Place, line_bytes_max: u64) -> io::Result<Batch> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(place.offset))?;
    let mut batch = Batch {
        sightings: Vec::new(),
        unreadable: 0,
        place: place.clone(),
    };
    let mut line = Vec::new();
    while batch.sightings.len() < BATCH_LINES_MAX {
        line.clear();
        let read = (&mut reader)
            .take(line_bytes_max + 1)
            .read_until(b'\n', &mut line)?;
        let mut length = read as u64;
        let whole = line.last() == Some(&b'\n');
        if !whole && length > line_bytes_max {
            match skip_line(&mut reader)? {
                Some(rest) => length += rest,
                None => break,
            }
        } else if !whole {
            break;
        }
        batch.place.offset += length;
        match sighting(&line, whole) {
            Some(sighting) => batch.sightings.push(sighting),
            None if line.trim_ascii().is_empty() => {}
            None => batch.unreadable += 1,
        }
    }
    if batch.place.offset != place.offset {
        batch.place.head = head_of(file, batch.place.offset)?;
    }
    Ok(batch)
}

/// Reads on to the next newline; `None` when there is none yet.
fn skip_line(reader: &mut impl io::BufRead) -> io::Result<Option<u64>> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        if let Some(at) = buffer.iter().position(|byte| *byte == b'\n') {
            reader.consume(at + 1);
            return Ok(Some(skipped + at as u64 + 1));
        }
        let length = buffer.len();
        skipped += length as u64;
        reader.consume(length);
    }
}

fn sighting(line: &[u8], whole: bool) -> Option<Sighting> {
    if !whole {
        return None;
    }
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    let event = record
        .as_object()?
        .get("event")
        .and_then(|event| event.as_str());
    Some(Sighting {
        event: event.unwrap_or("record").to_owned(),
        payload: line.trim_ascii().to_vec(),
    })
}

fn head_of(mut file: &File, offset: u64) -> io::Result<Option<Digest>> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(offset.min(HEAD_BYTES)).read_to_end(&mut head)?;
    Ok(Some(sha256(&head)))
}

#[cfg(test)]
mod tests;
