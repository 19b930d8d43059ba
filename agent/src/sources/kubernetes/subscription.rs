//! What plugins want to hear of clusters: what each declares, cut down to what it was granted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use farmops_plugin::KubernetesResource;
use farmops_plugin::resource::BadResource;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::discovery;
use super::project::{BadPath, Projection};
use crate::plugins::{GrantedResource, Live, PluginHandle, lies_within};

/// One resource that one plugin reads of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The operator's name for the source.
    pub source: String,
    /// The plugin's id.
    pub plugin: String,
    /// As declared: `deployments.apps`.
    pub resource: String,
    /// What is kept of each object.
    pub fields: Projection,
    /// How long new values must stay before they count.
    pub settle_seconds: i64,
    /// Whether the plugin can do without it.
    pub optional: bool,
    /// The namespaces it may read; empty: all that the source watches.
    pub namespaces: Vec<String>,
}

/// A declaration that is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSubscription {
    /// It breaks a rule of the contract.
    #[error(transparent)]
    Resource(#[from] BadResource),
    /// A path cannot be read.
    #[error(transparent)]
    Path(#[from] BadPath),
}

impl Subscription {
    /// What `plugin` declared as `resource`, read of `source` within `namespaces`.
    pub fn new(
        source: &str,
        plugin: &str,
        resource: &KubernetesResource,
        namespaces: &[String],
    ) -> Result<Self, BadSubscription> {
        resource.check()?;
        let (plural, group) = discovery::split(&resource.resource);
        if discovery::is_secret(plural, group) {
            return Err(BadResource::Secrets.into());
        }
        Ok(Self {
            source: source.to_owned(),
            plugin: plugin.to_owned(),
            resource: resource.resource.clone(),
            fields: Projection::new(&resource.fields)?,
            settle_seconds: i64::from(resource.settle_seconds),
            optional: resource.optional,
            namespaces: namespaces.to_vec(),
        })
    }

    /// Whether it may see an object in `namespace`.
    pub fn covers(&self, namespace: Option<&str>) -> bool {
        lies_within(&self.namespaces, namespace)
    }
}

/// Where something is watched for whoever is granted it in `granted`, of a source limited to `watched`; empty
/// is everywhere. `None` is one watch of the whole cluster.
pub fn places<'a>(watched: &'a [String], granted: &'a [String]) -> Vec<Option<&'a str>> {
    let places: Vec<&String> = match (watched, granted) {
        ([], []) => return vec![None],
        ([], some) | (some, []) => some.iter().collect(),
        (watched, granted) => {
            let both = |name: &&String| watched.contains(*name);
            granted.iter().filter(both).collect()
        }
    };
    places.into_iter().map(|name| Some(name.as_str())).collect()
}

/// All subscriptions, as they come and go with the plugins.
#[derive(Debug, Clone)]
pub struct Roll {
    /// Names of the sources that are clusters.
    clusters: Arc<BTreeSet<String>>,
    enrolled: Arc<Mutex<BTreeMap<String, Vec<Subscription>>>>,
    told: watch::Sender<Arc<Vec<Subscription>>>,
}

impl Roll {
    /// An empty roll for the sources `clusters`.
    pub fn new(clusters: BTreeSet<String>) -> Self {
        Self {
            clusters: Arc::new(clusters),
            enrolled: Arc::default(),
            told: watch::Sender::default(),
        }
    }

    /// Hears of every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Vec<Subscription>>> {
        self.told.subscribe()
    }

    /// From now on `plugin` reads `subscriptions` and nothing else.
    pub fn enrol(&self, plugin: &str, subscriptions: Vec<Subscription>) {
        self.change(|enrolled| {
            enrolled.insert(plugin.to_owned(), subscriptions);
        });
    }

    /// `plugin` reads nothing any more.
    pub fn strike(&self, plugin: &str) {
        self.change(|enrolled| {
            enrolled.remove(plugin);
        });
    }

    /// Enrols a plugin once it has declared itself, until it is unloaded. One that is only restarted stays.
    pub async fn follow(
        self,
        mut plugin: PluginHandle,
        unloaded: CancellationToken,
        ends: CancellationToken,
    ) {
        if self.clusters.is_empty() {
            return;
        }
        loop {
            let live = tokio::select! {
                () = unloaded.cancelled() => None,
                live = plugin.live.wait_for(Option::is_some) => live.ok().and_then(|live| live.clone()),
            };
            let Some(live) = live else { break };
            self.enrol(&plugin.id, self.granted(&plugin.id, &live));
            tokio::select! {
                () = unloaded.cancelled() => break,
                changed = plugin.live.changed() => if changed.is_err() { break },
            }
        }
        // When the whole agent stops, nobody is away.
        if !ends.is_cancelled() {
            self.strike(&plugin.id);
        }
    }

    fn granted(&self, plugin: &str, live: &Live) -> Vec<Subscription> {
        let granted = live.granted.iter();
        let granted = granted.filter(|granted| {
            self.clusters.contains(&granted.source) && live.wanted.contains(&granted.source)
        });
        granted
            .filter_map(|GrantedResource { source, resource, namespaces }| {
                Subscription::new(source, plugin, resource, namespaces)
                    .inspect_err(|error| {
                        tracing::error!(plugin, resource = resource.resource, %error, "a declared resource is not watched");
                    })
                    .ok()
            })
            .collect()
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<Subscription>>)) {
        let mut enrolled = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut enrolled);
        let all: Vec<Subscription> = enrolled.values().flatten().cloned().collect();
        self.told.send_if_modified(|told| {
            let other = **told != all;
            if other {
                *told = Arc::new(all);
            }
            other
        });
    }
}
