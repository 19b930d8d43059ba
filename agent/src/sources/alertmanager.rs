//! Alertmanager's two tellings of an alert, brought to one record: `alert.ended`.
//!
//! A webhook says that an alert was resolved. A poll only sees that it is no longer there, and that
//! has three causes besides the end of the trouble: Alertmanager was restarted and forgot it, its
//! lease ran out because Prometheus fell silent, or the answer was not whole. So a poll counts an
//! alert as ended only if, between the last sighting and now, Alertmanager was one and the same
//! process, and the alert went away *before* its `endsAt`, the end of the lease that Prometheus keeps
//! renewing. Everything else is forgotten without a word; if it was a real end, the webhook says so.

use std::collections::BTreeMap;

use farmops_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::observation::Sighting;

/// Alerts that one poll or one group may hold; Alertmanager itself slows down far below.
pub const ALERTS_MAX: usize = 10_000;
/// How long an alert is remembered that an earlier process of Alertmanager knew.
const FORGET_SECONDS: i64 = 3600;

type Labels = BTreeMap<String, String>;

/// The record that plugins read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedAlert {
    /// Alertmanager's hash of the labels.
    pub fingerprint: String,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339.
    pub ends_at: String,
    /// The alert's labels.
    pub labels: Labels,
    /// Whether it was silenced or inhibited when last seen.
    pub suppressed: bool,
    /// How many alerts of this name were seen together, this one included.
    pub instances: usize,
}

impl EndedAlert {
    /// The record as an observation.
    pub fn sighting(&self) -> Sighting {
        Sighting {
            event: "alert.ended".to_owned(),
            // A record of strings and numbers always serialises.
            payload: serde_json::to_vec(self).unwrap_or_default(),
        }
    }
}

/// A notification of the webhook receiver, version 4.
#[derive(Debug, Deserialize)]
pub struct Notification {
    alerts: Vec<NotifiedAlert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotifiedAlert {
    status: String,
    labels: Labels,
    starts_at: String,
    ends_at: String,
    fingerprint: String,
}

impl Notification {
    /// The alerts of the group that have ended. Suppressed ones are never notified.
    pub fn ended(self) -> Vec<EndedAlert> {
        let names: Vec<Option<String>> = self.alerts.iter().map(|a| name(&a.labels)).collect();
        let ended = self.alerts.into_iter().take(ALERTS_MAX);
        ended
            .filter(|alert| alert.status == "resolved")
            .map(|alert| EndedAlert {
                instances: names.iter().filter(|n| **n == name(&alert.labels)).count(),
                fingerprint: alert.fingerprint,
                starts_at: alert.starts_at,
                ends_at: alert.ends_at,
                labels: alert.labels,
                suppressed: false,
            })
            .collect()
    }
}

/// An alert as `GET /api/v2/alerts` has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GettableAlert {
    fingerprint: String,
    starts_at: jiff::Timestamp,
    ends_at: jiff::Timestamp,
    labels: Labels,
    status: AlertStatus,
}

#[derive(Debug, Clone, Deserialize)]
struct AlertStatus {
    state: String,
}

/// What a poll remembers, durably, until the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// When the Alertmanager that was asked had started, in its own words.
    process: Option<String>,
    /// Firing alerts by fingerprint.
    alerts: BTreeMap<String, Remembered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    starts_at: i64,
    lease_until: i64,
    seen_at: i64,
    labels: Labels,
    suppressed: bool,
    /// Only an earlier process of Alertmanager has told of it.
    orphaned: bool,
}

impl Memory {
    /// Takes in one whole answer, given by the process that started at `process`; gives what ended.
    ///
    /// `process` must have been asked for *after* the alerts: if it is the one remembered, the same
    /// process answered all along.
    pub fn take_in(
        &mut self,
        process: &str,
        answer: &[GettableAlert],
        now: Timestamp,
    ) -> Vec<EndedAlert> {
        let same_process = self.process.as_deref() == Some(process);
        let before = std::mem::take(&mut self.alerts);
        self.alerts = answer.iter().map(|alert| alert.remember(now)).collect();
        self.process = Some(process.to_owned());

        let mut ended = Vec::new();
        for (fingerprint, old) in &before {
            let goes_on = self
                .alerts
                .get(fingerprint)
                .is_some_and(|new| new.starts_at <= old.starts_at);
            if goes_on {
                continue;
            }
            if old.orphaned || !same_process {
                let fresh = old.seen_at + FORGET_SECONDS > now.second();
                if fresh && !self.alerts.contains_key(fingerprint) {
                    let orphan = Remembered {
                        orphaned: true,
                        ..old.clone()
                    };
                    self.alerts.insert(fingerprint.clone(), orphan);
                }
            } else if now.second() < old.lease_until {
                let alike = before
                    .values()
                    .filter(|a| name(&a.labels) == name(&old.labels));
                ended.push(old.end(fingerprint, alike.count()));
            }
        }
        ended
    }

    /// How many alerts fire.
    pub fn firing(&self) -> usize {
        self.alerts.values().filter(|a| !a.orphaned).count()
    }
}

impl Remembered {
    /// It ended between the last sighting and now; the earlier moment claims less.
    fn end(&self, fingerprint: &str, instances: usize) -> EndedAlert {
        EndedAlert {
            fingerprint: fingerprint.to_owned(),
            starts_at: rfc3339(self.starts_at),
            ends_at: rfc3339(self.seen_at.max(self.starts_at)),
            labels: self.labels.clone(),
            suppressed: self.suppressed,
            instances,
        }
    }
}

impl GettableAlert {
    fn remember(&self, now: Timestamp) -> (String, Remembered) {
        let remembered = Remembered {
            starts_at: self.starts_at.as_second(),
            lease_until: self.ends_at.as_second(),
            seen_at: now.second(),
            labels: self.labels.clone(),
            suppressed: self.status.state == "suppressed",
            orphaned: false,
        };
        (self.fingerprint.clone(), remembered)
    }
}

fn name(labels: &Labels) -> Option<String> {
    labels.get("alertname").cloned()
}

fn rfc3339(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .map(|time| time.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
