//! What is allowed, and the words of both header fields about it.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use http::HeaderValue;

/// So many requests in so many seconds, that come back one by one over the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    name: &'static str,
    quota: NonZeroU32,
    window_seconds: NonZeroU32,
}

/// What the limiter said of one request.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    /// Allowed; so many more would be at this moment.
    Within(u32),
    /// Not allowed for so long.
    Beyond(Duration),
}

/// One request's fate, and what its answer says of it.
pub(super) struct Decision {
    /// Seconds until another try makes sense, if this one is too much.
    pub(super) retry_after: Option<u64>,
    pub(super) limit: HeaderValue,
}

impl Policy {
    /// A policy. The name stands in the answers: lower-case letters, digits and `-`; others are
    /// left out.
    pub const fn new(name: &'static str, quota: NonZeroU32, window_seconds: NonZeroU32) -> Self {
        Self {
            name,
            quota,
            window_seconds,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn governed(&self) -> Quota {
        // At least a nanosecond, which no quota in use comes near: 2³² a second is 0.2 ns.
        let each = self.each().max(Duration::from_nanos(1));
        Quota::with_period(each).map_or_else(
            || Quota::per_second(self.quota),
            |quota| quota.allow_burst(self.quota),
        )
    }

    /// The time in which one request comes back.
    fn each(&self) -> Duration {
        Duration::from_secs(self.window_seconds.get().into()) / self.quota.get()
    }

    /// `RateLimit-Policy`.
    pub(super) fn field(&self) -> HeaderValue {
        let (quota, window) = (self.quota, self.window_seconds);
        header(format!("{};q={quota};w={window}", self.quoted()))
    }

    /// The fate of a request. The effective window `t` is the time until the whole quota is there
    /// again; with nothing left, until the next request is: no client need wait longer.
    pub(super) fn decision(&self, verdict: Verdict) -> Decision {
        let (left, wait, retry_after) = match verdict {
            Verdict::Within(0) => (0, seconds(self.each()), None),
            Verdict::Within(left) => {
                let used = self.quota.get().saturating_sub(left);
                (left, seconds(self.each() * used), None)
            }
            Verdict::Beyond(wait) => {
                let wait = seconds(wait).max(1);
                (0, wait, Some(wait))
            }
        };
        Decision {
            retry_after,
            limit: header(format!("{};r={left};t={wait}", self.quoted())),
        }
    }

    fn quoted(&self) -> String {
        let plain = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        let name: String = self.name.chars().filter(plain).collect();
        format!("\"{name}\"")
    }
}

/// Whole seconds, rounded up: nobody is told to come back too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn header(text: String) -> HeaderValue {
    // Letters, digits and punctuation only, by `quoted`; an empty field would still be harmless.
    HeaderValue::from_maybe_shared(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
