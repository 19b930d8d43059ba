//! The farm as it was: the ledger folded up to a position or a moment.
//!
//! Entries are read page by page and forgotten, so memory does not grow with the ledger; time does.

use std::str::FromStr;

use farmops_ledger::{Entry, Event};
use farmops_protocol::time::Timestamp;

use crate::{
    domain::{FarmView, State},
    store::{Reads, StoreError},
};

/// Entries read at once.
const PAGE: u32 = 1000;

/// A moment in the farm's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the entry at this position.
    Position(u64),
    /// At the end of this second.
    Time(Timestamp),
}

/// Text that names no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a position like 42 or a time like 2026-02-21T09:30:00Z")]
pub struct NoMoment;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The ledger has no entry there.
    #[error("the ledger has the positions 1 to {0}")]
    NoPosition(u64),
    /// The farm did not exist.
    #[error("the farm was founded at {0}")]
    BeforeFounding(Timestamp),
    /// It takes proofs of these seasons, and what they say is archived.
    #[error(
        "what the proofs of {0} say is archived; put it back with `farmops-tracker unprune --from FILE`, \
         while the tracker is stopped"
    )]
    Archived(String),
    /// Nobody knows what will be.
    #[error("the time lies in the future")]
    Future,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The farm at a moment.
#[derive(Debug)]
pub struct Past {
    /// The fold.
    pub state: State,
    /// Its figures.
    pub farm: FarmView,
    /// The moment: what depends on the day is told as of then.
    pub moment: Timestamp,
}

impl FromStr for At {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        if digits && (text == "0" || !text.starts_with('0')) {
            text.parse().map(Self::Position).map_err(|_| NoMoment)
        } else {
            text.parse().map(Self::Time).map_err(|_| NoMoment)
        }
    }
}

/// Folds the ledger up to `at`.
///
/// An entry counts from the second in which it was recorded. Should the clock have been put back
/// between two entries, the first one after `at` ends the fold.
///
/// # Errors
/// [`PastError`] when there was no farm then, or the store does not answer.
pub async fn fold_to(reads: &dyn Reads, at: At, now: Timestamp) -> Result<Past, PastError> {
    let size = reads.farm().await?.map_or(0, |farm| farm.ledger_size);
    match at {
        At::Position(last) if !(1..=size).contains(&last) => {
            return Err(PastError::NoPosition(size));
        }
        At::Time(time) if time > now => return Err(PastError::Future),
        At::Position(_) | At::Time(_) => {}
    }
    let includes = |position: u64, recorded_at: Timestamp| match at {
        At::Position(last) => position <= last,
        At::Time(last) => recorded_at <= last,
    };
    let mut state = State::default();
    let mut first = None;
    'pages: loop {
        let lines = reads.ledger(state.position, PAGE).await?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            first.get_or_insert(line.recorded_at);
            if !includes(line.position, line.recorded_at) {
                break 'pages;
            }
            if line.position != state.next_position() {
                return Err(StoreError::Gap(state.next_position()).into());
            }
            let Some(body) = line.body.bytes() else {
                return Err(PastError::Archived(seasons(reads).await?));
            };
            let event = Event::read(&line.kind, body).map_err(StoreError::from)?;
            state.apply(&Entry {
                position: line.position,
                recorded_at: line.recorded_at,
                event,
            });
        }
    }
    match (FarmView::of(&state), first) {
        (Some(farm), _) => Ok(Past {
            moment: match at {
                At::Time(moment) => moment,
                At::Position(_) => state.updated_at.unwrap_or(farm.created_at),
            },
            farm,
            state,
        }),
        (None, Some(founded)) => Err(PastError::BeforeFounding(founded)),
        (None, None) => Err(PastError::NoPosition(size)),
    }
}

/// The seasons with archived proofs, in a list.
async fn seasons(reads: &dyn Reads) -> Result<String, StoreError> {
    let seasons = reads.archived().await?;
    let names: Vec<_> = seasons.into_iter().map(|season| season.season).collect();
    Ok(names.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        assert_eq!("42".parse(), Ok(At::Position(42)));
        assert_eq!("0".parse(), Ok(At::Position(0)));
        let time = "2026-02-21T09:30:00Z";
        assert_eq!(time.parse(), Ok(At::Time(time.parse().unwrap())));
        for nonsense in [
            "",
            "-1",
            "+1",
            "042",
            "1.5",
            "yesterday",
            "2026-02-21",
            "2026-02-21T09:30:00+01:00",
            "99999999999999999999999",
        ] {
            assert_eq!(nonsense.parse::<At>(), Err(NoMoment), "{nonsense}");
        }
    }
}
