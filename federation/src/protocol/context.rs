//! The one `@context` on everything we send, and the media types.
//!
//! No JSON-LD processing happens on either side of ours: the context is fixed, and inline for
//! what is ours, because real servers fail on a remote context they cannot fetch.

use farmops_protocol::snapshot::FARM_NAMESPACE;
use serde_json::{Value, json};

/// What we send as `Content-Type` and ask for in `Accept`.
pub const ACTIVITY_JSON: &str = "application/activity+json";
/// The other name of the same type.
pub const LD_JSON: &str = "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
/// The collection everyone belongs to.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The context of actors and activities. Signed objects carry their own, untouched.
pub fn context() -> Value {
    json!([
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/v1",
        "https://w3id.org/security/data-integrity/v2",
        {
            "farm": FARM_NAMESPACE,
            "toot": "http://joinmastodon.org/ns#",
            "discoverable": "toot:discoverable",
            "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
            "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
            "Multikey": "https://w3id.org/security#Multikey",
            "assertionMethod": {
                "@id": "https://w3id.org/security#assertionMethod",
                "@type": "@id"
            }
        }
    ])
}
