//! When a change counts (PLUGIN-KUBE-003): once the new values have stayed for the declared time.
//!
//! `settled` is what was told last or seen first. A `candidate` is something else that may yet be undone.
//! Moments are whole seconds, so "stayed for `n`" is asked one second late rather than one early.

/// Kept fields and when they were first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// The kept fields, as [`super::project::Projection::project`] writes them.
    pub fields: String,
    /// Seconds since the epoch.
    pub since: i64,
}

/// What is known of one object for one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The values that count.
    pub settled: Values,
    /// Other values that have not stayed long enough yet.
    pub candidate: Option<Values>,
}

/// A change that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What was.
    pub before: Values,
    /// What is.
    pub after: Values,
}

impl State {
    /// The first sight of an object: nothing to tell.
    pub fn first(fields: String, since: i64) -> Self {
        let settled = Values { fields, since };
        Self {
            settled,
            candidate: None,
        }
    }

    /// The object was seen with `fields`.
    pub fn see(&mut self, fields: String, now: i64, settle_seconds: i64) -> Option<Change> {
        if self.settled.fields == fields {
            self.candidate = None;
            return None;
        }
        let stays = |candidate: &Values| candidate.fields == fields;
        if !self.candidate.as_ref().is_some_and(stays) {
            self.candidate = Some(Values { fields, since: now });
        }
        self.ripen(now, settle_seconds)
    }

    /// The object is there, but its fields cannot be told: whatever was to stay has been interrupted.
    pub fn lose_sight(&mut self) {
        self.candidate = None;
    }

    /// Time has passed, and nothing else was seen.
    pub fn ripen(&mut self, now: i64, settle_seconds: i64) -> Option<Change> {
        if self.due_at(settle_seconds)? > now {
            return None;
        }
        let after = self.candidate.take()?;
        let before = std::mem::replace(&mut self.settled, after.clone());
        Some(Change { before, after })
    }

    /// The second from which the candidate counts.
    pub fn due_at(&self, settle_seconds: i64) -> Option<i64> {
        let since = self.candidate.as_ref()?.since;
        // A candidate of 10.9 s is one of second 10.
        let margin = i64::from(settle_seconds > 0);
        Some(since.saturating_add(settle_seconds + margin))
    }
}

#[cfg(test)]
mod tests;
