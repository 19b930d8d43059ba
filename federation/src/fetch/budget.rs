//! How often a site may be asked because strangers wrote to us, and which failures to remember.
//!
//! Strangers choose the hosts, so the memory is bounded: the oldest entries go first.

use std::{collections::HashMap, sync::Mutex};

use farmops_protocol::time::Timestamp;
use url::Url;

/// Requests to one site within [`WINDOW_S`].
const REQUESTS_PER_SITE_MAX: u32 = 120;
/// The window, in seconds.
const WINDOW_S: i64 = 60;
/// How long a first failure keeps us from asking again, in seconds; it doubles.
const FAILURE_FIRST_S: i64 = 5;
/// The longest that failures keep us from asking again, in seconds.
const FAILURE_MAX_S: i64 = 300;
/// Sites and failures remembered.
const ENTRIES_MAX: usize = 4096;

/// A URL that failed, and how often in a row.
#[derive(Clone, Copy)]
struct Failure {
    at: i64,
    streak: u32,
    reason: Reason,
}

/// Why a URL is not asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It answered a moment ago, but not with the document.
    Refused,
    /// It could not be reached a moment ago.
    Unreachable,
    /// Its site was asked too often.
    TooOften,
}

impl Failure {
    fn until(self) -> i64 {
        let doubled = FAILURE_FIRST_S << self.streak.saturating_sub(1).min(10);
        self.at + doubled.min(FAILURE_MAX_S)
    }
}

/// What was asked of whom lately.
#[derive(Default)]
pub(crate) struct Sites {
    counts: Mutex<HashMap<String, (i64, u32)>>,
    failures: Mutex<HashMap<Url, Failure>>,
}

impl Sites {
    /// Counts a request, or says why it may not be made now.
    pub(crate) fn admit(&self, url: &Url, authority: &str, now: Timestamp) -> Result<(), Reason> {
        let now = now.second();
        let failed = lock(&self.failures).get(url).copied();
        if let Some(failure) = failed.filter(|failure| now < failure.until()) {
            return Err(failure.reason);
        }
        let mut counts = lock(&self.counts);
        make_room(&mut counts, |(since, _)| now - since < WINDOW_S);
        let entry = counts.entry(site(authority).to_owned()).or_insert((now, 0));
        if now - entry.0 >= WINDOW_S {
            *entry = (now, 0);
        }
        if entry.1 >= REQUESTS_PER_SITE_MAX {
            return Err(Reason::TooOften);
        }
        entry.1 += 1;
        Ok(())
    }

    /// Remembers that `url` failed.
    pub(crate) fn note_failure(&self, url: &Url, reason: Reason, now: Timestamp) {
        let now = now.second();
        let mut failures = lock(&self.failures);
        make_room(&mut failures, |failure| now < failure.until());
        let failure = failures.entry(url.clone()).or_insert(Failure {
            at: now,
            streak: 0,
            reason,
        });
        let streak = failure.streak.saturating_add(1);
        *failure = Failure {
            at: now,
            streak,
            reason,
        };
    }

    /// Forgets that `url` failed: it answered.
    pub(crate) fn note_success(&self, url: &Url) {
        lock(&self.failures).remove(url);
    }
}

/// The last two labels of a host: whoever owns them owns every name below, so a wildcard name
/// gives no second budget. Coarser than the public suffix list, and needs none.
fn site(authority: &str) -> &str {
    let mut dots = authority.rmatch_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(_), Some(second)) => &authority[second + 1..],
        _ => authority,
    }
}

fn make_room<K, V>(map: &mut HashMap<K, V>, keep: impl Fn(&V) -> bool) {
    if map.len() >= ENTRIES_MAX {
        map.retain(|_, value| keep(value));
    }
    if map.len() >= ENTRIES_MAX {
        map.clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// Advisory 24 (CVE-2022-46405): a wildcard domain has one budget.
    #[test]
    fn subdomains_share_a_budget() {
        let sites = Sites::default();
        for n in 0..REQUESTS_PER_SITE_MAX {
            let host = format!("bot{n}.wild.example");
            let url = Url::parse(&format!("https://{host}/u")).unwrap();
            sites.admit(&url, &host, at(0)).unwrap();
        }
        let url = Url::parse("https://one.more.wild.example/u").unwrap();
        assert!(sites.admit(&url, "one.more.wild.example", at(1)).is_err());
        assert!(
            sites
                .admit(&url, "one.more.wild.example", at(WINDOW_S))
                .is_ok()
        );
        let other = Url::parse("https://tame.test/u").unwrap();
        assert!(sites.admit(&other, "tame.test", at(1)).is_ok());
    }

    /// Advisory 25: a failure is not repeated at once.
    #[test]
    fn failures_are_remembered_for_a_while() {
        let sites = Sites::default();
        let url = Url::parse("https://a.example/u").unwrap();
        let ask = |second| sites.admit(&url, "a.example", at(second)).is_ok();
        sites.note_failure(&url, Reason::Refused, at(0));
        assert!(!ask(4) && ask(5));
        sites.note_failure(&url, Reason::Refused, at(5));
        assert!(!ask(14) && ask(15));
        for _ in 0..20 {
            sites.note_failure(&url, Reason::Refused, at(20));
        }
        assert!(!ask(319) && ask(320));
        sites.note_success(&url);
        sites.note_failure(&url, Reason::Refused, at(400));
        assert!(ask(405));
    }

    /// Advisory 26 (CVE-2026-69132): 100,000 made-up hosts do not fill the memory.
    #[test]
    fn memory_stays_flat() {
        let sites = Sites::default();
        for n in 0..100_000 {
            let host = format!("h{n}.example");
            let url = Url::parse(&format!("https://h{n}.example{n}/u")).unwrap();
            let _ = sites.admit(&url, &format!("{host}{n}"), at(0));
            sites.note_failure(&url, Reason::Refused, at(0));
        }
        assert!(lock(&sites.counts).len() <= ENTRIES_MAX);
        assert!(lock(&sites.failures).len() <= ENTRIES_MAX);
    }
}
