//! A host's lane: when to send next and when to stop trying. A pure state machine; clock in,
//! values out.
//!
//! Five failures within ten minutes open the breaker for thirty; then one probe decides. A host
//! that failed for seven days is dormant: what waited that long is given up, and one probe a day
//! looks whether it came back. Only an answer of the host to *us* changes its lane: traffic from
//! it says nothing about whether it can be reached.

use farmops_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Failures within [`BREAKER_WINDOW_S`] that open the breaker.
pub const BREAKER_FAILURES: usize = 5;
/// The window in which failures count, in seconds.
pub const BREAKER_WINDOW_S: i64 = 10 * 60;
/// How long the breaker stays open, in seconds.
pub const BREAKER_OPEN_S: i64 = 30 * 60;
/// How long a host may fail before its lane goes dormant, in seconds.
pub const GIVE_UP_S: i64 = 7 * 24 * 3600;
/// How often a dormant lane is probed, in seconds.
pub const DORMANT_PROBE_S: i64 = 24 * 3600;
/// Deliveries in flight to one host.
pub const IN_FLIGHT_MAX: u32 = 4;
/// The longest Retry-After that is honoured, in seconds.
pub const RETRY_AFTER_MAX_S: i64 = 24 * 3600;
/// The first pause after a failure, in seconds; it doubles.
const BACKOFF_FIRST_S: i64 = 5;

/// The state of one host's lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// The failures that still count, oldest first, in Unix seconds.
    failures: Vec<i64>,
    /// Since when nothing was taken, in Unix seconds.
    failing_since: Option<i64>,
    /// Not before this time, in Unix seconds.
    paused_until: Option<i64>,
    /// Failures in a row.
    streak: u32,
    /// Whether the next send is a probe.
    probing: bool,
}

/// What a lane may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Send up to this many.
    Send(u32),
    /// Send one and see.
    Probe,
    /// Nothing before this time.
    Wait(Timestamp),
}

/// What an attempt said about the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The host answered and is fine, whether or not it liked the activity.
    Reached,
    /// No answer, or 5xx.
    Failed,
    /// 429 or 503 with the time it asked for, in seconds.
    Asked {
        /// Seconds to wait.
        retry_after_s: i64,
    },
}

impl Lane {
    /// What may be sent at `now`.
    pub fn permit(&self, now: Timestamp) -> Permit {
        match self.paused_until.and_then(Timestamp::from_second) {
            Some(until) if now < until => Permit::Wait(until),
            _ if self.probing => Permit::Probe,
            _ => Permit::Send(IN_FLIGHT_MAX),
        }
    }

    /// Whether rows older than [`GIVE_UP_S`] are to be given up.
    pub fn is_dormant(&self, now: Timestamp) -> bool {
        self.failing_since
            .is_some_and(|since| now.second() - since >= GIVE_UP_S)
    }

    /// The lane after what a batch of attempts said. `jitter` in `0.0..1.0` spreads the retries
    /// of many servers that lost the same peer at once.
    #[must_use]
    pub fn after(mut self, signal: Signal, now: Timestamp, jitter: f64) -> Self {
        match signal {
            Signal::Reached => Self::default(),
            Signal::Asked { retry_after_s } => {
                let pause = retry_after_s.clamp(1, RETRY_AFTER_MAX_S);
                self.failing_since.get_or_insert(now.second());
                self.paused_until = Some(now.second() + pause);
                self
            }
            Signal::Failed => self.after_failure(now, jitter),
        }
    }

    fn after_failure(mut self, now: Timestamp, jitter: f64) -> Self {
        let second = now.second();
        self.failures.retain(|at| second - at < BREAKER_WINDOW_S);
        self.failures.push(second);
        self.failing_since.get_or_insert(second);
        self.streak = self.streak.saturating_add(1);
        let opens = self.probing || self.failures.len() >= BREAKER_FAILURES;
        let pause = if self.is_dormant(now) {
            DORMANT_PROBE_S
        } else if opens {
            BREAKER_OPEN_S
        } else {
            let doubled = BACKOFF_FIRST_S << (self.streak - 1).min(8);
            doubled + spread(doubled, jitter)
        };
        if opens || self.is_dormant(now) {
            self.probing = true;
            self.failures.clear();
        }
        self.paused_until = Some(second + pause);
        self
    }
}

/// Up to a quarter of `pause`.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // minutes, not aeons
fn spread(pause: i64, jitter: f64) -> i64 {
    (pause as f64 / 4.0 * jitter.clamp(0.0, 1.0)) as i64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn wait(second: i64) -> Permit {
        Permit::Wait(at(second))
    }

    const SEND: Permit = Permit::Send(IN_FLIGHT_MAX);

    /// What happened to the lane, and what it may do a little before and at a moment after.
    #[test]
    fn failures_pause_double_and_open_the_breaker() {
        let mut lane = Lane::default();
        assert_eq!(lane.permit(at(0)), SEND);
        for (fails_at, pause) in [(0, 5), (5, 10), (15, 20), (35, 40)] {
            lane = lane.after(Signal::Failed, at(fails_at), 0.0);
            assert_eq!(
                lane.permit(at(fails_at + pause - 1)),
                wait(fails_at + pause)
            );
            assert_eq!(lane.permit(at(fails_at + pause)), SEND);
        }
        // The fifth within ten minutes.
        lane = lane.after(Signal::Failed, at(75), 0.0);
        let opens_again = 75 + BREAKER_OPEN_S;
        assert_eq!(lane.permit(at(opens_again - 1)), wait(opens_again));
        assert_eq!(lane.permit(at(opens_again)), Permit::Probe);
        // The probe fails: closed for as long again. It succeeds: as if nothing had been.
        let failed = lane.clone().after(Signal::Failed, at(opens_again), 0.0);
        let next = opens_again + BREAKER_OPEN_S;
        assert_eq!(failed.permit(at(next - 1)), wait(next));
        assert_eq!(failed.permit(at(next)), Permit::Probe);
        assert_eq!(
            lane.after(Signal::Reached, at(opens_again), 0.0),
            Lane::default()
        );
    }

    #[test]
    fn failures_far_apart_do_not_open_the_breaker() {
        let mut lane = Lane::default();
        for n in 0..20 {
            let now = n * BREAKER_WINDOW_S;
            lane = lane.after(Signal::Failed, at(now), 0.0);
            assert_eq!(lane.permit(at(now + 2000)), SEND, "{n}");
        }
    }

    #[test]
    fn seven_days_of_failure_make_a_lane_dormant() {
        let mut lane = Lane::default().after(Signal::Failed, at(0), 0.0);
        assert!(!lane.is_dormant(at(GIVE_UP_S - 1)));
        lane = lane.after(Signal::Failed, at(GIVE_UP_S), 0.0);
        assert!(lane.is_dormant(at(GIVE_UP_S)));
        let probe = GIVE_UP_S + DORMANT_PROBE_S;
        assert_eq!(lane.permit(at(probe - 1)), wait(probe));
        assert_eq!(lane.permit(at(probe)), Permit::Probe);
        assert!(
            !lane
                .after(Signal::Reached, at(probe), 0.0)
                .is_dormant(at(probe))
        );
    }

    #[test]
    fn retry_after_is_honoured_within_a_day() {
        for (asked, want) in [(120, 120), (0, 1), (-5, 1), (i64::MAX, RETRY_AFTER_MAX_S)] {
            let lane = Lane::default().after(
                Signal::Asked {
                    retry_after_s: asked,
                },
                at(0),
                0.0,
            );
            assert_eq!(lane.permit(at(0)), wait(want));
            assert_eq!(lane.permit(at(want)), SEND);
        }
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        for (jitter, pause) in [(0.0, 40), (0.5, 45), (0.999, 49), (7.0, 50)] {
            let lane = Lane {
                streak: 3,
                ..Lane::default()
            };
            assert_eq!(
                lane.after(Signal::Failed, at(0), jitter).permit(at(0)),
                wait(pause)
            );
        }
    }

    #[test]
    fn a_lane_survives_being_written_down() {
        let lane = Lane::default().after(Signal::Failed, at(3), 0.7);
        let text = serde_json::to_string(&lane).unwrap();
        assert_eq!(serde_json::from_str::<Lane>(&text).unwrap(), lane);
    }
}
