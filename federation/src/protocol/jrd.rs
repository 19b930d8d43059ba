//! JRD, the answer of WebFinger (RFC 7033).

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::{
    account::{Account, Reach},
    host::Subject,
    protocol::{
        context::{ACTIVITY_JSON, LD_JSON},
        tolerant,
    },
};

/// The media types of a JRD.
pub const MEDIA_TYPES: [&str; 2] = ["application/jrd+json", "application/json"];
const SELF: &str = "self";
const PROFILE_PAGE: &str = "http://webfinger.net/rel/profile-page";

/// What WebFinger says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jrd {
    /// The account it is really about.
    pub subject: Account,
    /// The actor's id.
    pub actor: Url,
}

impl Jrd {
    /// Reads another server's answer.
    pub fn parse(document: &Value, reach: Reach) -> Result<Self, FieldError> {
        let subject = document
            .get("subject")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !subject.starts_with("acct:") {
            return Err(FieldError::new("subject", "must be an acct: URI"));
        }
        let subject =
            Account::parse(subject, reach).map_err(|e| FieldError::new("subject", e.reason))?;
        Ok(Self {
            subject,
            actor: actor_link(document)?,
        })
    }

    /// The JSON of our answer.
    pub fn write(subject: &Subject) -> Value {
        let mut links = vec![json!({
            "rel": SELF,
            "type": ACTIVITY_JSON,
            "href": subject.actor,
        })];
        let mut aliases = vec![json!(subject.actor)];
        if let Some(page) = &subject.page {
            links.insert(
                0,
                json!({ "rel": PROFILE_PAGE, "type": "text/html", "href": page }),
            );
            aliases.push(json!(page));
        }
        json!({ "subject": subject.account.to_acct(), "aliases": aliases, "links": links })
    }
}

/// The one `self` link to an `ActivityPub` document. Two different ones are ambiguous.
pub fn actor_link(document: &Value) -> Result<Url, FieldError> {
    let links = document
        .get("links")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let mut found: Option<Url> = None;
    for (at, link) in links.iter().enumerate() {
        let media_type = link.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_activity = media_type == ACTIVITY_JSON || media_type == LD_JSON;
        if link.get("rel").and_then(Value::as_str) != Some(SELF) || !is_activity {
            continue;
        }
        let href = link.get("href").unwrap_or(&Value::Null);
        let url = tolerant::url(href, &format!("links[{at}].href"))?;
        if found.as_ref().is_some_and(|other| *other != url) {
            return Err(FieldError::new("links", "names two different actors"));
        }
        found = Some(url);
    }
    found.ok_or_else(|| FieldError::new("links", "has no self link to an ActivityPub actor"))
}
