//! Which API versions are deprecated or removed: the table in `deprecations.json`.

use std::sync::LazyLock;

use serde::Deserialize;

/// Every resource of the table.
pub(crate) static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    // A test holds that the file is one; a plugin without a table would find nothing, and not fall over.
    let table: Result<Table, _> = serde_json::from_str(include_str!("deprecations.json"));
    table.map(|table| table.resources).unwrap_or_default()
});

/// The minor release of Kubernetes 1 that the table is of.
pub(crate) const AS_OF: u32 = 36;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "about")]
    _about: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    as_of: u32,
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    sources: Vec<String>,
    resources: Vec<Resource>,
}

/// One kind of object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    /// As it is watched: `plural.group` of the group that has it now.
    #[serde(rename = "resource")]
    pub(crate) name: String,
    #[serde(rename = "kind")]
    _kind: String,
    /// The API version to use; `None` where there is none.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the file"))]
    replacement: Option<String>,
    pub(crate) versions: Vec<Version>,
    /// Why it is not watched.
    pub(crate) unwatched: Option<String>,
}

/// An API version that is not to be used any more.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    /// The minor release of Kubernetes 1 that does not serve it any more; `None` when none is planned.
    removed: Option<u32>,
    deprecated: u32,
    #[serde(rename = "api_version")]
    pub(crate) name: String,
}

/// What became of an API version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Deprecated,
    Removed,
}

impl Fate {
    pub(crate) const ALL: [Self; 2] = [Self::Deprecated, Self::Removed];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Deprecated => "deprecated",
            Self::Removed => "removed",
        }
    }
}

impl Resource {
    /// The deprecated version that is written so, if it is one.
    pub(crate) fn deprecated(&self, api_version: &str) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.name == api_version)
    }

    /// What kind of thing it is, by its group.
    pub(crate) fn area(&self) -> &'static str {
        let group = self.name.split_once('.').map_or("", |(_, group)| group);
        let known = AREAS.iter().find(|(of, _)| *of == group);
        known.map_or("cluster", |(_, area)| area)
    }
}

/// Groups and the words for what is in them.
pub(crate) const AREAS: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "admission"),
    ("apiextensions.k8s.io", "extension"),
    ("apiregistration.k8s.io", "extension"),
    ("apps", "workload"),
    ("autoscaling", "scaling"),
    ("batch", "workload"),
    ("flowcontrol.apiserver.k8s.io", "flow control"),
    ("networking.k8s.io", "network"),
    ("node.k8s.io", "runtime"),
    ("policy", "disruption"),
    ("rbac.authorization.k8s.io", "access"),
    ("resource.k8s.io", "device"),
    ("scheduling.k8s.io", "scheduling"),
    ("storage.k8s.io", "storage"),
];

impl Version {
    /// What became of it, and in which minor release.
    pub(crate) fn fate(&self) -> (Fate, u32) {
        match self.removed {
            Some(removed) if removed <= AS_OF => (Fate::Removed, removed),
            _ => (Fate::Deprecated, self.deprecated),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_read_and_makes_sense() {
        let table: Table = serde_json::from_str(include_str!("deprecations.json")).unwrap();
        assert_eq!(table.as_of, AS_OF);
        assert!(
            table
                .sources
                .iter()
                .all(|source| source.starts_with("https://"))
        );
        let mut resources = BTreeSet::new();
        for resource in &*RESOURCES {
            assert!(resources.insert(&resource.name), "{resource:?} twice");
            assert!(!resource.versions.is_empty(), "{resource:?}");
            for version in &resource.versions {
                assert!(version.deprecated <= AS_OF, "{version:?}");
                assert!(
                    version
                        .removed
                        .is_none_or(|removed| removed > version.deprecated)
                );
                let replacement = resource.replacement.as_ref();
                assert_ne!(Some(&version.name), replacement);
            }
            if resource.unwatched.is_none() {
                assert!(resource.replacement.is_some(), "{resource:?}");
                assert_ne!(resource.area(), "cluster", "{resource:?}");
            }
        }
        assert_eq!(resources.len(), 46);
    }

    /// A few rows that anyone can look up in the deprecation guide.
    #[test]
    fn known_rows_say_what_the_guide_says() {
        for (resource, api_version, fate, minor) in [
            (
                "ingresses.networking.k8s.io",
                "extensions/v1beta1",
                Fate::Removed,
                22,
            ),
            ("deployments.apps", "apps/v1beta2", Fate::Removed, 16),
            ("cronjobs.batch", "batch/v1beta1", Fate::Removed, 25),
            (
                "horizontalpodautoscalers.autoscaling",
                "autoscaling/v2beta2",
                Fate::Removed,
                26,
            ),
            (
                "servicecidrs.networking.k8s.io",
                "networking.k8s.io/v1beta1",
                Fate::Deprecated,
                34,
            ),
            ("endpoints", "v1", Fate::Deprecated, 33),
        ] {
            let row = RESOURCES.iter().find(|row| row.name == resource).unwrap();
            let version = row.deprecated(api_version).unwrap();
            assert_eq!(version.fate(), (fate, minor), "{resource} {api_version}");
        }
    }
}
