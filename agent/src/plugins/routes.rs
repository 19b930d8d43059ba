//! Which plugins read which source, and what of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use farmops_plugin::{Description, KubernetesResource};

use super::manifest::Grant;
use crate::sources::kubernetes::subject::Subject;

/// A resource that a plugin may read: it asks for it, and the manifest grants it (PLUGIN-CAP-001).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedResource {
    /// The operator's name for the source.
    pub source: String,
    /// As the plugin declares it.
    pub resource: KubernetesResource,
    /// In which namespaces; empty is the whole cluster.
    pub namespaces: Vec<String>,
}

impl GrantedResource {
    /// Whether what `source` tells of `subject` may be read.
    pub(super) fn covers(&self, source: &str, subject: &Subject<'_>) -> bool {
        self.source == source
            && self.resource.resource == subject.resource
            && lies_within(&self.namespaces, subject.namespace.as_deref())
    }
}

/// Whether an object in `namespace` lies within `namespaces`; none is the whole cluster.
pub(crate) fn lies_within(namespaces: &[String], namespace: Option<&str>) -> bool {
    namespaces.is_empty()
        || namespace.is_some_and(|one| namespaces.iter().any(|other| other == one))
}

/// What `grants` give of what `description` declares.
pub(super) fn granted(grants: &[Grant], description: &Description) -> Vec<GrantedResource> {
    let grants = grants.iter().flat_map(|grant| {
        let declared = description.resources();
        let granted = declared.filter(|declared| grant.resources.contains(&declared.resource));
        granted.map(|resource| GrantedResource {
            source: grant.source.clone(),
            resource: resource.clone(),
            namespaces: grant.namespaces.clone(),
        })
    });
    grants.collect()
}

/// The manifest's routes: the ids of the plugins that read a source.
#[derive(Debug, Clone, Default)]
pub struct Routes(Arc<RwLock<HashMap<String, Vec<String>>>>);

impl Routes {
    /// The ids of the plugins that read `source`.
    pub fn readers_of(&self, source: &str) -> Vec<String> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(source).cloned().unwrap_or_default()
    }

    /// Says who reads `source`.
    pub fn set(&self, source: &str, plugins: Vec<String>) {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        routes.insert(source.to_owned(), plugins);
    }

    pub(super) fn replace(&self, routes: HashMap<String, Vec<String>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }
}

#[cfg(test)]
mod tests;
