//! Weighs foreign Automerge bytes before Automerge decodes them.
//!
//! A few bytes of that format can stand for a great deal: columns are run-length encoded, so one run can
//! claim 2^60 operations, and they may be deflated a thousandfold. So every chunk is walked here first
//! (automerge.org/automerge-binary-format-spec), deflated parts are inflated up to a bound, and every run is counted without being
//! expanded. Only what stays small is handed on.

use std::{borrow::Cow, io::Read};

use flate2::bufread::DeflateDecoder;

use super::{CHANGES_MAX, LAYOUT_BYTES_MAX, LayoutError, OPERATIONS_MAX};

/// Bytes of everything inflated.
const INFLATED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Columns of one chunk; the format defines about twenty.
const COLUMNS_MAX: u64 = 64;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// A part of what was sent, small enough to be decoded.
#[derive(Debug)]
pub(super) enum Chunk<'a> {
    /// A whole document.
    Document(&'a [u8]),
    /// One change.
    Change(&'a [u8]),
}

/// Splits `bytes` into chunks, if all of them together are small.
pub(super) fn weigh(bytes: &[u8]) -> Result<Vec<Chunk<'_>>, LayoutError> {
    if bytes.len() > LAYOUT_BYTES_MAX {
        return Err(LayoutError::TooLarge);
    }
    let mut chunks = Vec::new();
    let mut scale = Scale::default();
    let mut rest = Reader(bytes);
    while !rest.0.is_empty() {
        let start = rest.0;
        if rest.take(4)? != MAGIC {
            return Err(LayoutError::Malformed);
        }
        rest.take(4)?;
        let kind = rest.byte()?;
        let body = rest.prefixed()?;
        let length = start.len() - rest.0.len();
        let whole = start.get(..length).ok_or(LayoutError::Malformed)?;
        chunks.push(match kind {
            0 => {
                scale.document(body)?;
                Chunk::Document(whole)
            }
            1 => {
                scale.change(body)?;
                Chunk::Change(whole)
            }
            2 => {
                let inflated = scale.inflate(body)?;
                scale.change(&inflated)?;
                Chunk::Change(whole)
            }
            // Bundles and whatever comes later: no device of ours writes them.
            _ => return Err(LayoutError::Malformed),
        });
    }
    Ok(chunks)
}

/// What has been found so far.
#[derive(Default)]
struct Scale {
    inflated: usize,
    changes: u64,
    items: u64,
}

impl Scale {
    fn inflate(&mut self, bytes: &[u8]) -> Result<Vec<u8>, LayoutError> {
        let left = INFLATED_BYTES_MAX - self.inflated;
        let mut inflated = Vec::new();
        DeflateDecoder::new(bytes)
            .take(left as u64 + 1)
            .read_to_end(&mut inflated)
            .map_err(|_| LayoutError::Malformed)?;
        if inflated.len() > left {
            return Err(LayoutError::TooLarge);
        }
        self.inflated += inflated.len();
        Ok(inflated)
    }

    fn document(&mut self, body: &[u8]) -> Result<(), LayoutError> {
        let mut body = Reader(body);
        body.list(Reader::prefixed)?;
        body.list(|reader| reader.take(32))?;
        let changes = body.columns()?;
        let operations = body.columns()?;
        let mut most = 0;
        for column in changes {
            most = most.max(self.column(column, &mut body)?);
        }
        self.add_changes(most)?;
        let mut most = 0;
        for column in operations {
            most = most.max(self.column(column, &mut body)?);
        }
        self.add_items(most)
    }

    fn change(&mut self, body: &[u8]) -> Result<(), LayoutError> {
        let mut body = Reader(body);
        body.list(|reader| reader.take(32))?;
        body.prefixed()?;
        // Sequence number, first operation, time.
        body.number()?;
        body.number()?;
        body.signed()?;
        body.prefixed()?;
        body.list(Reader::prefixed)?;
        let mut most = 0;
        for column in body.columns()? {
            most = most.max(self.column(column, &mut body)?);
        }
        self.add_changes(1)?;
        self.add_items(most)
    }

    fn add_changes(&mut self, count: u64) -> Result<(), LayoutError> {
        self.changes = self.changes.saturating_add(count);
        within(self.changes, CHANGES_MAX as u64)
    }

    fn add_items(&mut self, count: u64) -> Result<(), LayoutError> {
        self.items = self.items.saturating_add(count);
        within(self.items, OPERATIONS_MAX)
    }

    /// How many items a column claims to have; for a group, the more of its items and their members.
    fn column(&mut self, column: Column, body: &mut Reader<'_>) -> Result<u64, LayoutError> {
        let bytes = body.take(column.length)?;
        let bytes = if column.specification & 0b1000 == 0 {
            Cow::Borrowed(bytes)
        } else {
            Cow::Owned(self.inflate(bytes)?)
        };
        let mut values = Reader(&bytes);
        match column.specification & 0b111 {
            // A group: each number says how many entries the columns after it have for that item.
            0 => values.runs(Reader::number),
            // Actors, integers, and the kinds and lengths of values.
            1 | 2 | 6 => values.runs(|reader| reader.number().map(|_| 0)),
            3 => values.runs(|reader| reader.signed().map(|_| 0)),
            4 => values.switches(),
            5 => values.runs(|reader| reader.prefixed().map(|_| 0)),
            // The values' own bytes.
            _ => Ok(0),
        }
    }
}

fn within(count: u64, most: u64) -> Result<(), LayoutError> {
    if count > most {
        return Err(LayoutError::TooLarge);
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Column {
    specification: u64,
    length: usize,
}

/// Bytes that have not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], LayoutError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(LayoutError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, LayoutError> {
        let taken = self.take(1)?;
        taken.first().copied().ok_or(LayoutError::Malformed)
    }

    /// A LEB128 number.
    fn number(&mut self) -> Result<u64, LayoutError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(LayoutError::Malformed)
    }

    /// A signed LEB128 number.
    fn signed(&mut self) -> Result<i64, LayoutError> {
        let mut number = 0_i64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= i64::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                if byte & 0x40 != 0 && shift < 57 {
                    number |= -1_i64 << (shift + 7);
                }
                return Ok(number);
            }
        }
        Err(LayoutError::Malformed)
    }

    fn length(&mut self) -> Result<usize, LayoutError> {
        usize::try_from(self.number()?).map_err(|_| LayoutError::Malformed)
    }

    /// Bytes after their length.
    fn prefixed(&mut self) -> Result<&'a [u8], LayoutError> {
        let length = self.length()?;
        self.take(length)
    }

    /// Things after their number. Each takes a byte at least, so there are no more than bytes.
    fn list(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<&'a [u8], LayoutError>,
    ) -> Result<(), LayoutError> {
        for _ in 0..self.number()? {
            one(self)?;
        }
        Ok(())
    }

    fn columns(&mut self) -> Result<Vec<Column>, LayoutError> {
        let count = self.number()?;
        within(count, COLUMNS_MAX)?;
        (0..count)
            .map(|_| {
                Ok(Column {
                    specification: self.number()?,
                    length: self.length()?,
                })
            })
            .collect()
    }

    /// The items of a run-length encoded column: the more of how many there are and how much `one` says
    /// that each brings.
    fn runs(
        &mut self,
        one: impl Fn(&mut Self) -> Result<u64, LayoutError>,
    ) -> Result<u64, LayoutError> {
        let (mut items, mut brought) = (0_u64, 0_u64);
        while !self.0.is_empty() {
            let length = self.signed()?;
            let count = length.unsigned_abs();
            match length {
                // That many nulls.
                0 => items = items.saturating_add(self.number()?),
                // One value that many times.
                1.. => {
                    brought = brought.saturating_add(one(self)?.saturating_mul(count));
                    items = items.saturating_add(count);
                }
                // That many values, each a byte at least.
                _ => {
                    for _ in 0..count {
                        brought = brought.saturating_add(one(self)?);
                    }
                    items = items.saturating_add(count);
                }
            }
            within(items.max(brought), OPERATIONS_MAX)?;
        }
        Ok(items.max(brought))
    }

    /// The items of a boolean column: lengths of runs of false and true in turn.
    fn switches(&mut self) -> Result<u64, LayoutError> {
        let mut items = 0_u64;
        while !self.0.is_empty() {
            items = items.saturating_add(self.number()?);
            within(items, OPERATIONS_MAX)?;
        }
        Ok(items)
    }
}
