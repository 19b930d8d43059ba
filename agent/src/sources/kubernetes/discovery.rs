//! Under which version and path the server has a resource, and whether its objects have namespaces.

use serde::Deserialize;

use super::api::{ApiError, ApiServer};

/// A resource as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Empty for the core group.
    pub group: String,
    /// The version that the server prefers of those that have the resource.
    pub version: String,
    /// For example `deployments`.
    pub plural: String,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Deserialize, PartialEq)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

/// `deployments.apps` → `deployments`, `apps`; `pods` → `pods`, empty.
pub fn split(resource: &str) -> (&str, &str) {
    resource.split_once('.').unwrap_or((resource, ""))
}

impl Served {
    /// Where its objects are, in one namespace or all.
    pub fn path(&self, namespace: Option<&str>) -> Result<String, ApiError> {
        if is_secret(&self.plural, &self.group) {
            return Err(ApiError::Secrets);
        }
        let base = base(&self.group, &self.version);
        Ok(match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{}", self.plural),
            None => format!("{base}/{}", self.plural),
        })
    }

    /// The version as objects name it, for example `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// Whether a resource is one that is never read, whoever asks.
pub fn is_secret(plural: &str, group: &str) -> bool {
    group.is_empty() && plural.eq_ignore_ascii_case("secrets")
}

fn base(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

/// Looks for `resource`; `None` when the server does not have it.
pub async fn find(api: &ApiServer, resource: &str) -> Result<Option<Served>, ApiError> {
    let (plural, group) = split(resource);
    for version in versions(api, group).await? {
        let resources: Resources = match api.get(&base(group, &version)).await {
            Ok(resources) => resources,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        let can_watch = |verbs: &[String]| verbs.iter().any(|verb| verb == "watch");
        let found = resources.resources.into_iter();
        let mut found = found.filter(|found| found.name == plural && can_watch(&found.verbs));
        if let Some(found) = found.next() {
            return Ok(Some(Served {
                group: group.to_owned(),
                version,
                plural: plural.to_owned(),
                namespaced: found.namespaced,
            }));
        }
    }
    Ok(None)
}

/// The versions of a group, the preferred one first; none when the server does not have it.
async fn versions(api: &ApiServer, group: &str) -> Result<Vec<String>, ApiError> {
    if group.is_empty() {
        return Ok(vec!["v1".to_owned()]);
    }
    let group: Group = match api.get(&format!("/apis/{group}")).await {
        Ok(group) => group,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let preferred = group.preferred_version.into_iter();
    let mut versions: Vec<String> = Vec::new();
    for version in preferred.chain(group.versions) {
        if !versions.contains(&version.version) {
            versions.push(version.version);
        }
    }
    Ok(versions)
}
