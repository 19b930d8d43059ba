//! NodeInfo 2.1: what program runs here, and how many use it.

use serde_json::{Value, json};
use url::Url;

use crate::{host::Usage, settings::Software};

/// The schema's name.
pub const SCHEMA: &str = "http://nodeinfo.diaspora.software/ns/schema/2.1";

/// The JSON of `/.well-known/nodeinfo`.
pub fn links(href: &Url) -> Value {
    json!({ "links": [{ "rel": SCHEMA, "href": href }] })
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
