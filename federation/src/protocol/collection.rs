//! `OrderedCollection` and its pages.

use serde_json::{Value, json};
use url::Url;

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// The collection itself, with its first page if its items may be seen.
pub fn collection(id: &Url, total: u64, first: Option<&Url>) -> Value {
    let mut document = json!({
        "@context": CONTEXT,
        "id": id,
        "type": "OrderedCollection",
        "totalItems": total,
    });
    if let Some(first) = first {
        document["first"] = json!(first);
    }
    document
}

/// One page.
pub fn page(id: &Url, part_of: &Url, next: Option<&Url>, items: &[Value]) -> Value {
    let mut document = json!({
        "@context": CONTEXT,
        "id": id,
        "type": "OrderedCollectionPage",
        "partOf": part_of,
        "orderedItems": items,
    });
    if let Some(next) = next {
        document["next"] = json!(next);
    }
    document
}
