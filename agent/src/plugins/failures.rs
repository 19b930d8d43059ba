//! Counts a plugin's failures in a sliding window.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::RuntimeBounds;
use crate::backoff::Backoff;

pub(super) struct Failures {
    at: VecDeque<Instant>,
    max: usize,
    window: Duration,
    backoff: Backoff,
}

impl Failures {
    pub(super) fn new(bounds: RuntimeBounds) -> Self {
        Self {
            at: VecDeque::new(),
            max: bounds.failures_max,
            window: bounds.failure_window,
            backoff: Backoff::new(bounds.restart_delay, bounds.restart_delay_max),
        }
    }

    /// One more failure: the delay before the next try, or `None` when there were too many.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        while self
            .at
            .front()
            .is_some_and(|at| now.duration_since(*at) > self.window)
        {
            self.at.pop_front();
        }
        self.at.push_back(now);
        (self.at.len() < self.max).then(|| self.backoff.next(&mut rand::rng()))
    }

    /// Whether there was more than one lately.
    pub(super) fn is_repeated(&self) -> bool {
        self.at.len() > 1
    }

    pub(super) fn forget(&mut self) {
        self.at.clear();
        self.backoff.reset();
    }
}
