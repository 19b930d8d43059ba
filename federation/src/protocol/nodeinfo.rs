//! NodeInfo 2.1: what program runs here, and how many use it.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::{host::Usage, protocol::tolerant, settings::Software};

const WORD_CHARS_MAX: usize = 100;

/// What another server says about its program. Its own words: show them, do not act on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSoftware {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What the server calls itself.
    pub node_name: Option<String>,
}

/// The schema's name.
pub const SCHEMA: &str = "http://nodeinfo.diaspora.software/ns/schema/2.1";

const SCHEMA_PREFIX: &str = "http://nodeinfo.diaspora.software/ns/schema/2.";

/// The JSON of `/.well-known/nodeinfo`.
pub fn links(href: &Url) -> Value {
    json!({ "links": [{ "rel": SCHEMA, "href": href }] })
}

/// Where another server has its document: the newest version of schema 2 on its own origin.
pub fn document_link(links: &Value, server: &Url) -> Result<Url, FieldError> {
    let entries = links
        .get("links")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let newest = entries
        .iter()
        .filter_map(|entry| Some((entry.get("rel")?.as_str()?, entry.get("href")?)))
        .filter(|(rel, _)| rel.starts_with(SCHEMA_PREFIX))
        .max_by_key(|(rel, _)| *rel);
    let (_, href) = newest.ok_or_else(|| FieldError::new("links", "has no NodeInfo 2"))?;
    let href = tolerant::url(href, "links.href")?;
    if href.origin() == server.origin() {
        Ok(href)
    } else {
        Err(FieldError::new("links.href", "must be on the same server"))
    }
}

/// Reads another server's document.
pub fn parse(document: &Value) -> Result<RemoteSoftware, FieldError> {
    let software = document.get("software").unwrap_or(&Value::Null);
    let word = |name: &str| {
        tolerant::text(software, name, WORD_CHARS_MAX)
            .ok_or_else(|| FieldError::new(format!("software.{name}"), "is missing"))
    };
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    Ok(RemoteSoftware {
        name: word("name")?,
        version: word("version")?,
        node_name: tolerant::text(metadata, "nodeName", WORD_CHARS_MAX),
    })
}

/// The JSON of the document itself. `software.repository` is also the source offer that the
/// licence asks for.
pub fn document(software: &Software, usage: &Usage) -> Value {
    json!({
        "version": "2.1",
        "software": {
            "name": software.name,
            "version": software.version,
            "repository": software.repository,
        },
        "protocols": ["activitypub"],
        "services": { "inbound": [], "outbound": [] },
        "openRegistrations": usage.open_registrations,
        "usage": {
            "users": {
                "total": usage.users,
                "activeMonth": usage.active_month,
                "activeHalfyear": usage.active_half_year,
            },
            "localPosts": usage.local_posts,
        },
        "metadata": { "nodeName": usage.node_name },
    })
}
