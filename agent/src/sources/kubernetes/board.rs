//! How the watches of one source are doing, and what that says of the source.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::sources::Desk;
use crate::store::WatchKey;

/// A watch that has heard nothing for longer is not trusted: bookmarks come every minute.
pub const IDLE_MAX: Duration = Duration::from_secs(150);

/// What a watch is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchState {
    /// Has not asked yet.
    Starting,
    /// The first objects are being read, or all of them anew.
    Listing,
    /// Everything is known and every change is heard.
    Watching,
    /// There is no room for observations.
    Paused,
    /// The agent may not.
    Denied,
    /// The server does not have the resource.
    Absent,
    /// It does not work; tried again.
    Failing,
}

/// A watch as the status shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchHealth {
    /// As declared.
    pub resource: String,
    /// One namespace; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What it is at.
    pub state: WatchState,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who reads it.
    pub plugins: Vec<String>,
    /// Whether they can do without.
    pub optional: bool,
    /// Objects known.
    pub objects: i64,
    /// Seconds since an event or a bookmark was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
}

#[derive(Debug)]
struct Row {
    health: WatchHealth,
    heard_at: Option<Instant>,
}

/// The watches of one source.
#[derive(Debug, Clone)]
pub struct Board {
    source: Arc<str>,
    desk: Desk,
    rows: Arc<Mutex<BTreeMap<WatchKey, Row>>>,
}

impl Board {
    /// An empty board that reports to `desk`.
    pub fn new(source: &str, desk: Desk) -> Self {
        Self {
            source: source.into(),
            desk,
            rows: Arc::default(),
        }
    }

    /// A watch begins.
    pub fn add(&self, key: &WatchKey, plugins: Vec<String>, optional: bool) {
        let health = WatchHealth {
            resource: key.resource.clone(),
            namespace: key.namespace.clone(),
            state: WatchState::Starting,
            reason: None,
            plugins,
            optional,
            objects: 0,
            age_seconds: None,
        };
        let heard_at = None;
        self.rows().insert(key.clone(), Row { health, heard_at });
        self.publish();
    }

    /// A watch ended for good.
    pub fn remove(&self, key: &WatchKey) {
        self.rows().remove(key);
        self.publish();
    }

    /// A watch is at something else now.
    pub fn say(&self, key: &WatchKey, state: WatchState, reason: Option<String>) {
        let changed = self.rows().get_mut(key).is_some_and(|row| {
            let changed = row.health.state != state || row.health.reason != reason;
            if changed {
                say_aloud(key, state, reason.as_deref());
            }
            row.health.state = state;
            row.health.reason = reason;
            changed
        });
        if changed {
            self.publish();
        }
    }

    /// A watch heard something.
    pub fn heard(&self, key: &WatchKey) {
        if let Some(row) = self.rows().get_mut(key) {
            row.heard_at = Some(Instant::now());
        }
    }

    /// A watch knows so many objects.
    pub fn count(&self, key: &WatchKey, objects: i64) {
        if let Some(row) = self.rows().get_mut(key) {
            row.health.objects = objects;
        }
    }

    /// Tells the desk and the metrics.
    pub fn publish(&self) {
        let views: Vec<WatchHealth> = self.rows().values().map(Row::view).collect();
        measure(&views);
        match verdict(&views) {
            Verdict::Up => self.desk.up(&self.source),
            Verdict::NotYet(reason) => self.desk.not_yet(&self.source, &reason),
            Verdict::Down(reason) => self.desk.down(&self.source, &reason),
        }
        self.desk.note_watches(&self.source, views);
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<WatchKey, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn view(&self) -> WatchHealth {
        WatchHealth {
            age_seconds: self.heard_at.map(|at| at.elapsed().as_secs()),
            ..self.health.clone()
        }
    }
}

/// What the watches say of their source.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Each that somebody needs hears.
    Up,
    /// Some that somebody needs are at their first reading, and nothing is wrong.
    NotYet(String),
    /// One that somebody needs does not hear.
    Down(String),
}

fn verdict(watches: &[WatchHealth]) -> Verdict {
    let needed = watches.iter().filter(|watch| !watch.optional);
    let faults: Vec<(bool, String)> = needed.filter_map(fault).collect();
    if faults.is_empty() {
        return Verdict::Up;
    }
    let reasons = faults.iter().map(|(_, reason)| reason.as_str());
    let reasons = reasons.take(5).collect::<Vec<_>>().join("; ");
    if faults.iter().all(|(beginning, _)| *beginning) {
        Verdict::NotYet(reasons)
    } else {
        Verdict::Down(reasons)
    }
}

/// Why a watch does not hear, if it does not, and whether it only begins.
fn fault(watch: &WatchHealth) -> Option<(bool, String)> {
    let silent = watch.age_seconds.is_none_or(|age| age > IDLE_MAX.as_secs());
    let (beginning, reason) = match (watch.state, &watch.reason) {
        (WatchState::Watching, _) if !silent => return None,
        (WatchState::Watching, _) => (false, format!("nothing was heard of {}", watch.resource)),
        (_, Some(reason)) => (false, reason.clone()),
        (_, None) => (true, format!("{} are not all read yet", watch.resource)),
    };
    let plugins = watch.plugins.join(", ");
    Some((beginning, format!("{reason} (for {plugins})")))
}

fn measure(watches: &[WatchHealth]) {
    let mut sums: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
    for watch in watches {
        let (objects, age) = sums.entry(&watch.resource).or_default();
        *objects += watch.objects;
        *age = (*age).max(watch.age_seconds.unwrap_or_default());
    }
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    for (resource, (objects, age)) in sums {
        let resource = resource.to_owned();
        metrics::gauge!("farmops_agent_kubernetes_objects", "resource" => resource.clone())
            .set(objects as f64);
        metrics::gauge!("farmops_agent_kubernetes_watch_age_seconds", "resource" => resource)
            .set(age as f64);
    }
}

fn say_aloud(key: &WatchKey, state: WatchState, reason: Option<&str>) {
    let WatchKey {
        source,
        resource,
        namespace,
    } = key;
    match state {
        WatchState::Watching => {
            tracing::info!(source, resource, namespace, "resource is watched");
        }
        WatchState::Starting | WatchState::Listing => {
            tracing::debug!(source, resource, namespace, ?state, "watch goes on");
        }
        _ => tracing::warn!(
            source,
            resource,
            namespace,
            ?state,
            reason,
            "resource is not watched"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(state: WatchState, optional: bool, age_seconds: Option<u64>) -> WatchHealth {
        let reason = (state == WatchState::Denied).then(|| "pods may not be listed".to_owned());
        WatchHealth {
            resource: "pods".to_owned(),
            namespace: None,
            state,
            reason,
            plugins: vec!["a/b".to_owned()],
            optional,
            objects: 1,
            age_seconds,
        }
    }

    #[test]
    fn a_source_is_up_while_everything_needed_is_heard() {
        let fine = watch(WatchState::Watching, false, Some(3));
        assert_eq!(verdict(&[]), Verdict::Up);
        assert_eq!(verdict(std::slice::from_ref(&fine)), Verdict::Up);
        let optional = watch(WatchState::Absent, true, None);
        assert_eq!(verdict(&[fine.clone(), optional]), Verdict::Up);
        let denied = watch(WatchState::Denied, false, None);
        assert_eq!(
            verdict(&[fine, denied.clone()]),
            Verdict::Down("pods may not be listed (for a/b)".to_owned())
        );
        let silent = watch(WatchState::Watching, false, Some(IDLE_MAX.as_secs() + 1));
        assert!(matches!(verdict(&[silent]), Verdict::Down(_)));
        for begun in [
            watch(WatchState::Listing, false, Some(1)),
            watch(WatchState::Starting, false, None),
        ] {
            assert!(matches!(
                verdict(std::slice::from_ref(&begun)),
                Verdict::NotYet(_)
            ));
            assert!(matches!(
                verdict(&[begun, denied.clone()]),
                Verdict::Down(_)
            ));
        }
    }
}
