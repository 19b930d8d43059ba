//! A stream of bytes cut into lines, none of which is ever held beyond a bound.

use bytes::Bytes;
use futures::{Stream, StreamExt as _};

/// Room that a quiet watch keeps.
const ROOM_BYTES: usize = 64 * 1024;

/// A line, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A whole line without its end.
    Whole(Vec<u8>),
    /// A line that was longer than the bound; it was thrown away as it came.
    TooLong,
}

/// Cuts `pieces` into lines.
#[derive(Debug)]
pub struct Lines<S> {
    pieces: S,
    piece: Bytes,
    line: Vec<u8>,
    too_long: bool,
    bytes_max: usize,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    /// Lines of at most `bytes_max`.
    pub fn new(pieces: S, bytes_max: usize) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
            line: Vec::new(),
            too_long: false,
            bytes_max,
        }
    }

    /// The next line; `None` at the end, where a line without an end is no line. Nothing is lost when
    /// this is dropped half-way.
    pub async fn next(&mut self) -> Option<Result<Line, E>> {
        loop {
            if let Some(line) = self.cut() {
                return Some(Ok(line));
            }
            match self.pieces.next().await? {
                Ok(piece) => self.piece = piece,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Whether the bytes of a line that has not ended are waiting.
    pub fn broken_off(&self) -> bool {
        self.too_long || !self.line.is_empty()
    }

    fn cut(&mut self) -> Option<Line> {
        loop {
            if self.piece.is_empty() {
                return None;
            }
            let end = self.piece.iter().position(|byte| *byte == b'\n');
            let taken = self.piece.split_to(end.unwrap_or(self.piece.len()));
            if end.is_some() {
                let _end = self.piece.split_to(1);
            }
            if self.line.len() + taken.len() > self.bytes_max {
                self.too_long = true;
                self.line = Vec::new();
            }
            if !self.too_long {
                self.line.extend_from_slice(&taken);
            }
            if end.is_none() {
                continue;
            }
            if std::mem::take(&mut self.too_long) {
                return Some(Line::TooLong);
            }
            if self.line.is_empty() {
                continue;
            }
            let room = self.line.len().min(ROOM_BYTES);
            return Some(Line::Whole(std::mem::replace(
                &mut self.line,
                Vec::with_capacity(room),
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    async fn all(pieces: Vec<Vec<u8>>, bytes_max: usize) -> (Vec<Line>, bool) {
        let pieces = pieces.into_iter().map(|piece| Ok::<_, ()>(piece.into()));
        let mut lines = Lines::new(futures::stream::iter(pieces), bytes_max);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await {
            all.push(line.unwrap());
        }
        (all, lines.broken_off())
    }

    #[tokio::test]
    async fn a_long_line_is_left_out_and_the_next_one_is_not() {
        let (lines, broken) = all(vec![b"ab\nabc".to_vec(), b"def\n\nx\ny".to_vec()], 4).await;
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines, [whole("ab"), Line::TooLong, whole("x")]);
        assert!(broken);
    }

    proptest! {
        #[test]
        fn where_pieces_end_makes_no_difference(
            text in "[a-c\n]{0,60}",
            cuts in prop::collection::vec(0_usize..60, 0..10),
        ) {
            let text = format!("{text}\n").into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| text[cut[0]..cut[1]].to_vec()).collect();
            let expected: Vec<Line> = text
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| if line.len() > 9 { Line::TooLong } else { Line::Whole(line.to_vec()) })
                .collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (lines, broken) = runtime.block_on(all(pieces, 9));
            prop_assert_eq!(lines, expected);
            prop_assert!(!broken);
        }
    }
}
