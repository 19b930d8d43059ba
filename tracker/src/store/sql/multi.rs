//! Inserting many rows with few statements.
//!
//! A statement costs tens of microseconds on its way to the database, a further row of it one or two. The row
//! counts are powers of two, so that a dozen prepared statements serve every batch.

use std::{ops::Range, sync::OnceLock};

use super::dialect::placeholder;

/// The largest number of rows in one statement, as a power of two.
const BLOCK_BITS: usize = 7;

/// An INSERT of a table, for 1, 2, 4 … 128 rows.
pub(super) struct MultiInsert {
    head: &'static str,
    columns: usize,
    texts: [OnceLock<String>; BLOCK_BITS + 1],
}

impl MultiInsert {
    /// `head` is everything before the first row: `INSERT INTO t (a, b) VALUES`.
    pub(super) const fn new(head: &'static str, columns: usize) -> Self {
        Self {
            head,
            columns,
            texts: [const { OnceLock::new() }; BLOCK_BITS + 1],
        }
    }

    /// The statement for `rows` rows, which is a length that [`blocks`] gave.
    pub(super) fn text(&'static self, rows: usize) -> &'static str {
        let bits = (rows.max(1).ilog2() as usize).min(BLOCK_BITS);
        self.texts[bits].get_or_init(|| {
            let rows = (0..1 << bits).map(|row| {
                let first = row * self.columns + 1;
                let marks = (first..first + self.columns).map(placeholder);
                format!("({})", marks.collect::<Vec<_>>().join(","))
            });
            format!("{} {}", self.head, rows.collect::<Vec<_>>().join(","))
        })
    }
}

/// Cuts `length` rows into ranges whose lengths are powers of two, the largest first.
pub(super) fn blocks(length: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let left = length.checked_sub(start).filter(|left| *left > 0)?;
        let size = 1 << (left.ilog2() as usize).min(BLOCK_BITS);
        start += size;
        Some(start - size..start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_every_row_once() {
        for length in [0, 1, 2, 3, 127, 128, 129, 300, 1000] {
            let ranges: Vec<_> = blocks(length).collect();
            let covered: Vec<usize> = ranges.iter().cloned().flatten().collect();
            assert_eq!(covered, (0..length).collect::<Vec<_>>());
            assert!(
                ranges
                    .iter()
                    .all(|r| r.len().is_power_of_two() && r.len() <= 128)
            );
        }
    }

    #[test]
    fn each_row_has_its_placeholders() {
        static PAIRS: MultiInsert = MultiInsert::new("INSERT INTO t (a,b) VALUES", 2);
        let [a, b, c, d] = [1, 2, 3, 4].map(placeholder);
        let text = format!("INSERT INTO t (a,b) VALUES ({a},{b}),({c},{d})");
        assert_eq!(PAIRS.text(2), text);
    }
}
