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
/// How long a failure is remembered, in seconds.
const FAILURE_S: i64 = 60;
/// Sites and failures remembered.
const ENTRIES_MAX: usize = 4096;

/// What was asked of whom lately.
#[derive(Default)]
pub(crate) struct Sites {
    counts: Mutex<HashMap<String, (i64, u32)>>,
    failures: Mutex<HashMap<Url, i64>>,
}

impl Sites {
    /// Counts a request, or says why it may not be made now.
    pub(crate) fn admit(
        &self,
        url: &Url,
        authority: &str,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let now = now.second();
        let failed = lock(&self.failures).get(url).copied();
        if failed.is_some_and(|at| now - at < FAILURE_S) {
            return Err("it failed a moment ago");
        }
        let mut counts = lock(&self.counts);
        make_room(&mut counts, |(since, _)| now - since < WINDOW_S);
        let entry = counts.entry(site(authority).to_owned()).or_insert((now, 0));
        if now - entry.0 >= WINDOW_S {
            *entry = (now, 0);
        }
        if entry.1 >= REQUESTS_PER_SITE_MAX {
            return Err("its site was asked too often in the last minute");
        }
        entry.1 += 1;
        Ok(())
    }

    /// Remembers that `url` failed.
    pub(crate) fn note_failure(&self, url: &Url, now: Timestamp) {
        let now = now.second();
        let mut failures = lock(&self.failures);
        make_room(&mut failures, |at| now - at < FAILURE_S);
        failures.insert(url.clone(), now);
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
        sites.note_failure(&url, at(0));
        assert!(sites.admit(&url, "a.example", at(1)).is_err());
        assert!(sites.admit(&url, "a.example", at(FAILURE_S)).is_ok());
    }

    /// Advisory 26 (CVE-2026-69132): 100,000 made-up hosts do not fill the memory.
    #[test]
    fn memory_stays_flat() {
        let sites = Sites::default();
        for n in 0..100_000 {
            let host = format!("h{n}.example");
            let url = Url::parse(&format!("https://h{n}.example{n}/u")).unwrap();
            let _ = sites.admit(&url, &format!("{host}{n}"), at(0));
            sites.note_failure(&url, at(0));
        }
        assert!(lock(&sites.counts).len() <= ENTRIES_MAX);
        assert!(lock(&sites.failures).len() <= ENTRIES_MAX);
    }
}
