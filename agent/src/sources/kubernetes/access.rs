//! What the agent itself may read in the clusters of its sources, for whoever explains a plugin's grants.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::KubernetesConfig;
use super::api::{ApiError, ApiServer};
use super::connect::connect;
use super::subscription::places;
use crate::plugins::explain::{AccessReview, Rbac};

/// Longest time for all questions about one resource.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API servers that can be asked, by the operator's name for the source.
pub struct Clusters(BTreeMap<String, Cluster>);

struct Cluster {
    api: ApiServer,
    namespaces: Vec<String>,
}

impl Clusters {
    /// Clients for `sources`; gives beside them why a source has none.
    pub async fn connect(sources: &[KubernetesConfig]) -> (Self, Vec<String>) {
        let (mut clusters, mut faults) = (BTreeMap::new(), Vec::new());
        for source in sources {
            match connect(source).await {
                Ok(api) => {
                    let namespaces = source.namespaces.clone();
                    clusters.insert(source.name.clone(), Cluster { api, namespaces });
                }
                Err(error) => faults.push(error.to_string()),
            }
        }
        (Self(clusters), faults)
    }
}

#[async_trait]
impl AccessReview for Clusters {
    async fn may_watch(&self, source: &str, resource: &str, namespaces: &[String]) -> Rbac {
        let Some(cluster) = self.0.get(source) else {
            return Rbac::NotAsked;
        };
        let answer = tokio::time::timeout(PATIENCE, cluster.may_watch(resource, namespaces));
        match answer.await {
            Ok(Ok(true)) => Rbac::Allowed,
            Ok(Ok(false)) => Rbac::Denied,
            Ok(Err(_)) | Err(_) => Rbac::NotAsked,
        }
    }
}

impl Cluster {
    async fn may_watch(&self, resource: &str, granted: &[String]) -> Result<bool, ApiError> {
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        for place in places(&self.namespaces, granted) {
            for verb in ["list", "watch"] {
                if !self.api.may(verb, group, plural, place).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
