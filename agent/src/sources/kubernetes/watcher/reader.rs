//! From bytes of the API server to what the subscriptions may keep of them.

use serde::Deserialize;
use serde_json::Value;

use super::Watcher;
use crate::sources::kubernetes::discovery::Served;
use crate::sources::kubernetes::fold::{Entry, Sight};
use crate::sources::kubernetes::object::{self, About};

/// Reads objects for one watch.
pub(super) struct Reading<'a> {
    watcher: &'a Watcher,
    api_version: String,
}

/// A line of a watch.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Said {
    /// Something changed; the version afterwards.
    Change(Option<Entry>, Option<String>),
    /// Nothing changed up to this version.
    Bookmark(String),
    /// The server gives up.
    Error(Value),
    /// Not an event.
    Unreadable,
}

impl<'a> Reading<'a> {
    pub(super) fn new(watcher: &'a Watcher, served: &Served) -> Self {
        Self {
            watcher,
            api_version: served.api_version(),
        }
    }

    /// An item of a list; `None` when it cannot be read, which is counted and not the end.
    pub(super) fn item(&self, text: &str) -> Option<Entry> {
        let object: Option<Value> = serde_json::from_str(text).ok();
        let entry = object.and_then(|object| self.seen(&object));
        if entry.is_none() {
            self.skip("one that cannot be read");
        }
        entry
    }

    /// A line of a watch.
    pub(super) fn line(&self, line: &[u8]) -> Said {
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            return Said::Unreadable;
        };
        self.watcher.count("farmops_agent_kubernetes_events_total");
        let version = object::resource_version(&event.object).map(str::to_owned);
        match event.kind.as_str() {
            "ERROR" => Said::Error(event.object),
            "BOOKMARK" => version.map_or(Said::Unreadable, Said::Bookmark),
            "DELETED" => {
                let about = About::read(&event.object, &self.api_version);
                Said::Change(about.map(|about| Entry::Gone(about.uid)), version)
            }
            _ => {
                let entry = self.seen(&event.object);
                if entry.is_none() {
                    self.skip("one that cannot be read");
                }
                Said::Change(entry, version)
            }
        }
    }

    /// Counts an object that is passed over; its kind is named, and it is not.
    pub(super) fn skip(&self, which: &str) {
        self.watcher.count("farmops_agent_kubernetes_skipped_total");
        let resource = &self.watcher.key.resource;
        tracing::warn!(resource, "an object was passed over: {which}");
    }

    fn seen(&self, object: &Value) -> Option<Entry> {
        let about = About::read(object, &self.api_version)?;
        let subscriptions = self.watcher.subscriptions.iter();
        let sights = subscriptions.map(|subscription| {
            if !subscription.covers(about.namespace.as_deref()) {
                return Sight::Elsewhere;
            }
            let bytes_max = self.watcher.fields_bytes_max;
            if let Ok(fields) = subscription.fields.project(object, bytes_max) {
                return Sight::Fields(fields);
            }
            self.skip("its declared fields are too large");
            Sight::Unreadable
        });
        Some(Entry::Seen(about.clone(), sights.collect()))
    }
}
