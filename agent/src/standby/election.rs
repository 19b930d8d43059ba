//! Who leads: a pure state machine over a lease that several candidates can read and write.
//!
//! The semantics of client-go's leader election: a candidate writes itself into the lease where nobody holds
//! it or the holder has not renewed it for [`Timing::lease`]; a write names the version it replaces, so of
//! two at once one fails. Clocks are never compared: what counts is how long ago this candidate itself first
//! saw the lease as it is. A holder that could not renew for [`Timing::renew`], counted from before it sent
//! its last successful write, leads no more; as that is shorter than `lease`, it stops before anybody else
//! begins, as long as clocks run at the same pace within a third.

use std::time::Duration;

/// How long things take; all candidates of a lease use the same.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// So long after the last renewal that it has seen a candidate may take the lease.
    pub lease: Duration,
    /// So long after its last renewal a holder leads.
    pub renew: Duration,
    /// Between two tries.
    pub retry: Duration,
}

impl Default for Timing {
    /// client-go's own: 15, 10 and 2 seconds.
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            renew: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// A lease as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Changes with every write.
    pub version: String,
    /// Who holds it; empty when it was given up.
    pub holder: String,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing for so long.
    Wait(Duration),
    /// Read the lease, then [`Election::read`].
    Read,
    /// Write the own name in place of this version, or make the lease where there is none; then
    /// [`Election::written`].
    Claim(Option<String>),
    /// It led and does no more. There is no way back.
    Lost,
}

/// A question that is under way.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Duration,
}

/// One candidate. Every time is what its own clock shows, counted from anywhere.
#[derive(Debug)]
pub struct Election {
    name: String,
    timing: Timing,
    /// The lease as last seen, and when it was first seen like that.
    seen: Option<(Lease, Duration)>,
    asked: Option<Asked>,
    /// When the last successful claim was sent.
    renewed: Option<Duration>,
    due: Duration,
    next: Next,
    lost: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Claim,
}

impl Election {
    /// A candidate by a name that no other process has or had.
    pub fn new(name: String, timing: Timing) -> Self {
        Self {
            name,
            timing,
            seen: None,
            asked: None,
            renewed: None,
            due: Duration::ZERO,
            next: Next::Read,
            lost: false,
        }
    }

    /// Another candidate for the same lease, for when this one is lost.
    #[must_use]
    pub fn succeed(&self, name: String) -> Self {
        Self::new(name, self.timing)
    }

    /// Until when it leads, if it does.
    pub fn leads_until(&self) -> Option<Duration> {
        let renewed = self.renewed.filter(|_| !self.lost)?;
        Some(renewed + self.timing.renew)
    }

    /// Whether it leads.
    pub fn leads(&self, now: Duration) -> bool {
        self.leads_until().is_some_and(|until| now < until)
    }

    /// Who holds the lease, as far as was seen.
    pub fn holder(&self) -> Option<&str> {
        let (lease, _) = self.seen.as_ref()?;
        Some(&lease.holder)
            .filter(|holder| !holder.is_empty())
            .map(String::as_str)
    }

    /// What to do at `now`. A `Read` or `Claim` is given out once, and must be answered.
    pub fn step(&mut self, now: Duration) -> Step {
        let until = self.leads_until();
        if self.lost || until.is_some_and(|until| now >= until) {
            self.lost = true;
            return Step::Lost;
        }
        // A holder whose question hangs looks up in time.
        let latest = until.map_or(self.timing.retry, |until| until.saturating_sub(now));
        if self.asked.is_some() {
            return Step::Wait(latest);
        }
        if now < self.due {
            return Step::Wait(latest.min(self.due.saturating_sub(now)));
        }
        self.asked = Some(Asked { at: now });
        match self.next {
            Next::Read => Step::Read,
            Next::Claim => Step::Claim(self.seen.as_ref().map(|(lease, _)| lease.version.clone())),
        }
    }

    /// The lease was read, `None` when there is none; or it could not be read.
    pub fn read(&mut self, now: Duration, answer: Result<Option<Lease>, ()>) {
        self.asked = None;
        let Ok(lease) = answer else {
            return self.later(now, Next::Read);
        };
        self.see(now, lease);
        let free = match &self.seen {
            None => true,
            Some((lease, _)) if lease.holder == self.name => true,
            Some(_) if self.renewed.is_some() => {
                // Somebody else holds what we held.
                self.lost = true;
                return;
            }
            Some((lease, since)) => {
                lease.holder.is_empty() || now.saturating_sub(*since) >= self.timing.lease
            }
        };
        if free {
            self.next = Next::Claim;
            self.due = now;
        } else {
            self.later(now, Next::Read);
        }
    }

    /// A claim was answered: the lease as it is written, or it could not be written, or nobody knows.
    pub fn written(&mut self, now: Duration, answer: Result<Lease, ()>) {
        let Some(Asked { at }) = self.asked.take() else {
            return;
        };
        match answer {
            Ok(lease) => {
                self.see(now, Some(lease));
                self.renewed = Some(at);
                self.later(now, Next::Claim);
            }
            // It may have been written all the same, or somebody was faster: reading tells. A holder has no
            // time to lose.
            Err(()) if self.renewed.is_some() => {
                self.next = Next::Read;
                self.due = now + self.timing.retry / 4;
            }
            Err(()) => self.later(now, Next::Read),
        }
    }

    fn see(&mut self, now: Duration, lease: Option<Lease>) {
        let same = match (&self.seen, &lease) {
            (Some((seen, _)), Some(lease)) => seen.version == lease.version,
            _ => false,
        };
        if !same {
            self.seen = lease.map(|lease| (lease, now));
        }
    }

    fn later(&mut self, now: Duration, next: Next) {
        self.next = next;
        self.due = now + self.timing.retry;
    }
}

#[cfg(test)]
mod tests;
