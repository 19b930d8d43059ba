//! A batch of what was seen, folded into what is known: new states in, changes out. No clock, no database.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::value::RawValue;

use super::object::About;
use super::settle::{Change, State, Values};

/// What one subscription sees of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Its kept fields.
    Fields(String),
    /// It is there, but too large to be kept.
    Unreadable,
    /// It lies outside the subscription's namespaces.
    Elsewhere,
}

/// One thing that was seen, in the order of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An object as it is; one sight per subscription.
    Seen(About, Vec<Sight>),
    /// The object of this uid is gone.
    Gone(String),
}

impl Entry {
    /// Which object.
    pub fn uid(&self) -> &str {
        match self {
            Self::Seen(about, _) => &about.uid,
            Self::Gone(uid) => uid,
        }
    }
}

/// An object that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which object.
    pub about: About,
    /// The list in or after which it was seen last.
    pub epoch: i64,
    /// One place per subscription.
    pub states: Vec<Option<State>>,
}

/// Known objects by uid.
pub type Knowledge = BTreeMap<String, Known>;

/// What a subscription is, as far as folding goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The plugin.
    pub plugin: String,
    /// How long new values must stay.
    pub settle_seconds: i64,
}

/// A state that is other than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Whose.
    pub uid: String,
    /// The subscription's place.
    pub reader: usize,
    /// The state now.
    pub state: State,
    /// When its candidate counts.
    pub due_at: Option<i64>,
}

/// Something to tell a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The subscription's place.
    pub reader: usize,
    /// The observation's content.
    pub payload: Vec<u8>,
}

/// What a batch leads to; all of it is kept in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Objects that are gone, in no order.
    pub gone: Vec<String>,
    /// Objects that are new, renewed or seen in a new list.
    pub objects: Vec<(About, i64)>,
    /// States to write.
    pub moved: Vec<Moved>,
    /// What to tell, in order.
    pub told: Vec<Told>,
}

impl Outcome {
    /// Whether nothing is to be kept.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty()
            && self.objects.is_empty()
            && self.moved.is_empty()
            && self.told.is_empty()
    }
}

/// Folds batches of one watch.
#[derive(Debug, Clone)]
pub struct Folder {
    /// As declared: `deployments.apps`.
    pub resource: String,
    /// Who sees what; the order is that of all places.
    pub readers: Vec<Reader>,
}

impl Folder {
    /// Folds `entries` into `known`, which holds what is known of every object in them.
    pub fn fold(&self, entries: Vec<Entry>, mut known: Knowledge, epoch: i64, now: i64) -> Outcome {
        let mut outcome = Outcome::default();
        let mut touched: BTreeSet<(String, usize)> = BTreeSet::new();
        let mut renewed: BTreeSet<String> = BTreeSet::new();
        for entry in entries {
            match entry {
                Entry::Gone(uid) => {
                    if known.remove(&uid).is_some() {
                        renewed.remove(&uid);
                        touched.retain(|(of, _)| *of != uid);
                        outcome.gone.push(uid);
                    }
                }
                Entry::Seen(about, sights) => {
                    let uid = about.uid.clone();
                    let object = known.entry(uid.clone()).or_insert_with(|| {
                        renewed.insert(uid.clone());
                        Known {
                            about: about.clone(),
                            epoch,
                            states: vec![None; self.readers.len()],
                        }
                    });
                    if object.epoch != epoch || object.about != about {
                        renewed.insert(uid.clone());
                        object.epoch = epoch;
                        object.about = about;
                    }
                    for (reader, sight) in sights.into_iter().enumerate() {
                        let before = object.states[reader].clone();
                        let change = self.look(object, reader, sight, now);
                        outcome
                            .told
                            .extend(change.map(|change| self.tell(&object.about, reader, &change)));
                        if object.states[reader] != before {
                            touched.insert((uid.clone(), reader));
                        }
                    }
                }
            }
        }
        for uid in renewed {
            let object = &known[&uid];
            outcome.objects.push((object.about.clone(), object.epoch));
        }
        for (uid, reader) in touched {
            if let Some(state) = &known[&uid].states[reader] {
                outcome.moved.push(self.moved(uid, reader, state.clone()));
            }
        }
        outcome
    }

    /// Lets the candidates of `known` count whose time has come.
    pub fn ripen(&self, known: Knowledge, now: i64) -> Outcome {
        let mut outcome = Outcome::default();
        for (uid, object) in known {
            for (reader, state) in object.states.into_iter().enumerate() {
                let Some(mut state) = state else { continue };
                let settle_seconds = self.readers[reader].settle_seconds;
                if let Some(change) = state.ripen(now, settle_seconds) {
                    outcome.told.push(self.tell(&object.about, reader, &change));
                    outcome.moved.push(self.moved(uid.clone(), reader, state));
                }
            }
        }
        outcome
    }

    fn look(&self, object: &mut Known, reader: usize, sight: Sight, now: i64) -> Option<Change> {
        let place = &mut object.states[reader];
        match sight {
            Sight::Elsewhere => None,
            Sight::Unreadable => {
                place.as_mut().map(State::lose_sight);
                None
            }
            // The server's clock may be ahead of ours.
            Sight::Fields(fields) => {
                let now = now.max(object.about.created);
                if let Some(state) = place {
                    return state.see(fields, now, self.readers[reader].settle_seconds);
                }
                *place = Some(State::first(fields, now));
                None
            }
        }
    }

    fn moved(&self, uid: String, reader: usize, state: State) -> Moved {
        let due_at = state.due_at(self.readers[reader].settle_seconds);
        Moved {
            uid,
            reader,
            state,
            due_at,
        }
    }

    fn tell(&self, about: &About, reader: usize, change: &Change) -> Told {
        let payload = Payload {
            resource: &self.resource,
            api_version: &about.api_version,
            namespace: about.namespace.as_deref(),
            name: &about.name,
            uid: &about.uid,
            created: rfc3339(about.created),
            before: told(&change.before),
            after: told(&change.after),
        };
        Told {
            reader,
            // Strings and JSON that was JSON before always serialise.
            payload: serde_json::to_vec(&payload).unwrap_or_default(),
        }
    }
}

/// An observation's content (PLUGIN-KUBE-004).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    resource: &'a str,
    api_version: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    uid: &'a str,
    created: String,
    before: ToldValues,
    after: ToldValues,
}

#[derive(Serialize)]
struct ToldValues {
    since: String,
    fields: Box<RawValue>,
}

fn told(values: &Values) -> ToldValues {
    let fields = RawValue::from_string(values.fields.clone()).ok();
    ToldValues {
        since: rfc3339(values.since),
        // What a projection wrote is JSON.
        fields: fields.unwrap_or_else(|| RawValue::NULL.to_owned()),
    }
}

fn rfc3339(second: i64) -> String {
    jiff::Timestamp::from_second(second)
        .map(|time| time.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
