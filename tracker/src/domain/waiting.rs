//! The waiting room: proofs of agents that the owner has not approved yet.
//!
//! What was acknowledged is kept until the owner decides; the room is bounded by refusing more, never
//! by forgetting.

use std::collections::HashMap;

use farmops_protocol::{chain::ChainHead, time::Timestamp};
use uuid::Uuid;

use super::refusal::Refusal;

/// Every agent's buffered chain, in figures.
pub type WaitingRoom = HashMap<Uuid, Waiting>;

/// The buffered chain of one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Where it ends.
    pub head: Option<ChainHead>,
    /// The highest proof id in it.
    pub highest_proof: Option<Uuid>,
    /// Bytes of all its proofs.
    pub bytes: u64,
    /// When the first of them arrived.
    pub since: Option<Timestamp>,
}

/// How often an agent may replace its key while it waits (`KEY-ROT-009`).
pub(super) const PENDING_KEYS_MAX: usize = 8;
/// How often it may in all: every proof of a former key is looked for under each of them.
pub(super) const KEYS_MAX: usize = 64;

/// What is kept for one agent before approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferBounds {
    /// Proofs.
    pub proofs_max: u64,
    /// Bytes of proofs.
    pub bytes_max: u64,
    /// Days from the first buffered proof.
    pub days_max: u32,
    /// Agents that may wait at once.
    pub agents_max: usize,
}

impl Default for BufferBounds {
    fn default() -> Self {
        Self {
            proofs_max: 10_000,
            bytes_max: 16 * 1024 * 1024,
            days_max: 30,
            agents_max: 32,
        }
    }
}

impl BufferBounds {
    /// Seconds from the first buffered proof.
    pub fn seconds_max(&self) -> i64 {
        i64::from(self.days_max) * 86_400
    }
}

impl Waiting {
    /// Whether one more proof of `bytes` fits.
    pub fn admit(&self, bytes: u64, bounds: &BufferBounds, now: Timestamp) -> Result<(), Refusal> {
        let length = self.head.map_or(0, |head| head.length.value());
        if length >= bounds.proofs_max {
            return Err(Refusal::BufferFull("too many proofs"));
        }
        if self.bytes.saturating_add(bytes) > bounds.bytes_max {
            return Err(Refusal::BufferFull("too many bytes"));
        }
        let age = self.since.map_or(0, |since| now.seconds_since(since));
        if age > bounds.seconds_max() {
            return Err(Refusal::BufferFull("it has waited too long"));
        }
        Ok(())
    }

    /// The figures with one more proof.
    #[must_use]
    pub fn with(self, head: ChainHead, bytes: u64, now: Timestamp) -> Self {
        Self {
            head: Some(head),
            highest_proof: self.highest_proof.max(Some(head.proof_id)),
            bytes: self.bytes.saturating_add(bytes),
            since: self.since.or(Some(now)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_too_long_is_refused_more_and_keeps_what_was_taken() {
        let bounds = BufferBounds::default();
        let start: Timestamp = "2026-02-20T09:30:00Z".parse().unwrap();
        let waiting = Waiting {
            since: Some(start),
            ..Waiting::default()
        };
        let last = start.saturating_add(i64::from(bounds.days_max) * 86_400);
        assert_eq!(waiting.admit(700, &bounds, last), Ok(()));
        let late = waiting.admit(700, &bounds, last.saturating_add(1));
        let refusal = late.unwrap_err();
        assert_eq!(refusal.code(), "buffer-full");
        assert!(
            refusal.retry_after_seconds().is_some(),
            "the owner may still approve"
        );
    }
}
