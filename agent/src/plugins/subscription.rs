//! What is watched in Kubernetes for which plugin: what it declares, cut down to what it is granted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use farmops_plugin::{Description, KubernetesResource};
use tokio::sync::watch;

use super::manifest::PluginSpec;

/// A resource that is watched for one plugin (PLUGIN-CAP-001).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The plugin's id.
    pub plugin: String,
    /// The operator's name for the source.
    pub source: String,
    /// As the plugin declares it.
    pub resource: KubernetesResource,
    /// In which namespaces; empty is all that the source watches.
    pub namespaces: Vec<String>,
}

/// What `spec` grants of what `description` declares.
pub(super) fn granted(spec: &PluginSpec, description: &Description) -> Vec<Subscription> {
    let grants = spec.grants.iter().flat_map(|grant| {
        let declared = description.resources();
        let granted = declared.filter(|declared| grant.resources.contains(&declared.resource));
        granted.map(|resource| Subscription {
            plugin: spec.id.clone(),
            source: grant.source.clone(),
            resource: resource.clone(),
            namespaces: grant.namespaces.clone(),
        })
    });
    grants.collect()
}

/// Which plugins read which source, and what of it.
#[derive(Debug, Clone)]
pub struct Routes {
    readers: Arc<RwLock<HashMap<String, Vec<String>>>>,
    subscriptions: Arc<watch::Sender<BTreeMap<String, Vec<Subscription>>>>,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            readers: Arc::default(),
            subscriptions: Arc::new(watch::Sender::new(BTreeMap::new())),
        }
    }
}

impl Routes {
    /// The ids of the plugins that read `source`.
    pub fn readers_of(&self, source: &str) -> Vec<String> {
        let routes = self.readers.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(source).cloned().unwrap_or_default()
    }

    /// Says who reads `source`.
    pub fn set(&self, source: &str, plugins: Vec<String>) {
        let mut routes = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(source.to_owned(), plugins);
    }

    /// What is to be watched in Kubernetes, by plugin; it changes with every plugin that gets ready
    /// for the first time, and with every reload.
    pub fn subscriptions(&self) -> watch::Receiver<BTreeMap<String, Vec<Subscription>>> {
        self.subscriptions.subscribe()
    }

    /// Says what is to be watched for `plugin`.
    pub fn subscribe(&self, plugin: &str, subscriptions: Vec<Subscription>) {
        self.subscriptions.send_if_modified(|all| {
            let changed = all.get(plugin) != Some(&subscriptions);
            if changed {
                all.insert(plugin.to_owned(), subscriptions);
            }
            changed
        });
    }

    /// The manifest's routes; what is watched for plugins that are not in it ends.
    pub(super) fn replace(&self, routes: HashMap<String, Vec<String>>, plugins: &[PluginSpec]) {
        *self.readers.write().unwrap_or_else(PoisonError::into_inner) = routes;
        self.subscriptions.send_if_modified(|all| {
            let before = all.len();
            all.retain(|id, _| plugins.iter().any(|plugin| plugin.id == *id));
            all.len() != before
        });
    }
}
