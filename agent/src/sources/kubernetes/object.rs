//! An object as the API server sends it, read just far enough to say which it is.

use serde_json::Value;

/// Which object: all that is kept of it besides declared fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Unique over all time.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if its kind has one.
    pub namespace: Option<String>,
    /// For example `apps/v1`.
    pub api_version: String,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
}

impl About {
    /// Reads the metadata of `object`; `None` when it is no object of Kubernetes.
    pub fn read(object: &Value, api_version: &str) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let created: jiff::Timestamp = text("creationTimestamp")?.parse().ok()?;
        // Items of a list may leave it out: the list has it.
        let own = object.get("apiVersion").and_then(Value::as_str);
        Some(Self {
            uid: text("uid").filter(|uid| !uid.is_empty())?.to_owned(),
            name: text("name")?.to_owned(),
            namespace: text("namespace").map(str::to_owned),
            api_version: own.unwrap_or(api_version).to_owned(),
            created: created.as_second(),
        })
    }
}

/// The version that `object` stands at.
pub fn resource_version(object: &Value) -> Option<&str> {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .filter(|version| !version.is_empty())
}
