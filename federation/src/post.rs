//! A post: one activity of a local actor on its way out, with its audience.
//!
//! A post is one row. Whoever appends it, in whatever transaction, need not know the recipients:
//! the delivery worker spreads it over the inboxes of its audience later, once.

use std::{fmt, str::FromStr};

use farmops_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// One activity of a local actor on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The activity's id. Appending the same id again changes nothing, so a caller that may be
    /// interrupted picks a stable key and repeats itself.
    pub id: Url,
    /// The local actor who sends, and signs, it.
    pub actor: Url,
    /// What it is about. Posts about one object reach an inbox in the order of appending.
    pub object: Url,
    /// Who receives it.
    pub audience: Audience,
    /// Whether the outbox shows it.
    pub listed: bool,
    /// The activity's JSON, as every recipient gets it.
    pub body: String,
    /// When it was made.
    pub published: Timestamp,
}

/// Who receives a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Accepted followers that are villages (Group actors).
    Villages,
    /// Accepted followers that are not villages: they get cards, not every snapshot.
    People,
    /// Every accepted follower.
    Followers,
    /// Every accepted follower and everyone the actor follows: for its own end or change.
    Everyone,
    /// Exactly these inboxes.
    Inboxes(Vec<Url>),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A list of URLs and unit variants always serialise.
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl FromStr for Audience {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}
