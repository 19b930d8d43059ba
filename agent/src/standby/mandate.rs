//! What a replica that leads takes to its work: until when it may, and who led before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// One holder's time with a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// The lease's own id; a lease that was deleted and made anew is another one.
    pub lease: String,
    /// Counts the holders.
    pub number: i32,
    /// Empty where it was given up.
    pub holder: String,
}

/// A term, and the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// `None`: there was no lease.
    pub before: Option<Term>,
    /// The one that has begun.
    pub now: Term,
}

impl Succession {
    /// Whether nobody can have led between the term `last` and the present one. Without a last term: whether
    /// nobody led before at all.
    pub fn is_unbroken(&self, last: Option<&Term>) -> bool {
        match (last, &self.before) {
            (None, None) => true,
            (Some(last), Some(before)) => {
                (&last.lease, last.number) == (&before.lease, before.number)
                    && (before.holder == last.holder || before.holder.is_empty())
            }
            _ => false,
        }
    }
}

/// How long this replica may work; it grows with every renewal. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Tenure {
    begin: Instant,
    /// Milliseconds after `begin`.
    until: Arc<AtomicU64>,
}

impl Tenure {
    /// It ends so long after `begin`.
    pub(super) fn new(begin: Instant, until: Duration) -> Self {
        Self {
            begin,
            until: Arc::new(AtomicU64::new(millis(until))),
        }
    }

    pub(super) fn extend(&self, until: Duration) {
        self.until.store(millis(until), Ordering::Relaxed);
    }

    /// Nothing is at work any more, so nothing has to end.
    pub(super) fn close(&self) {
        self.until.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether it was over `grace` ago.
    pub(super) fn is_over(&self, grace: Duration) -> bool {
        let end = self.until.load(Ordering::Relaxed);
        millis(self.begin.elapsed()) >= end.saturating_add(millis(grace))
    }
}

/// What a replica that leads takes to its work.
#[derive(Debug, Clone)]
pub struct Mandate {
    /// The term that it leads in.
    pub succession: Succession,
    pub(super) tenure: Tenure,
}

impl Mandate {
    /// Whether this replica leads still, by its own clock.
    pub fn holds(&self) -> bool {
        !self.tenure.is_over(Duration::ZERO)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
