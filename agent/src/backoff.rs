//! How long to wait before the next try: longer each time, and never in step with others.

use std::time::Duration;

use rand::{Rng, RngExt as _};

/// A delay that doubles with each failure up to a bound.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Starts at `first`, ends at `max`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            failures: 0,
        }
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed again: a delay between half of the step and the whole of it.
    pub fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let step = self.first.saturating_mul(factor).min(self.max);
        self.failures = self.failures.saturating_add(1).min(31);
        step / 2 + (step / 2).mul_f64(rng.random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_their_bound_and_start_anew() {
        let mut rng = rand::rng();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        for step_ms in [100, 200, 400, 800, 1600, 2000, 2000] {
            let delay = backoff.next(&mut rng);
            assert!(delay >= Duration::from_millis(step_ms / 2), "{delay:?}");
            assert!(delay <= Duration::from_millis(step_ms), "{delay:?}");
        }
        backoff.reset();
        assert!(backoff.next(&mut rng) <= Duration::from_millis(100));
    }
}
