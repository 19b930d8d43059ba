//! The server under test, and how its actors are found from nothing but its URL.

use serde_json::Value;
use url::Url;

use crate::{
    http::{ACTIVITY_JSON, Client, Unreachable},
    sign::authority,
};

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A farmer's tracker.
    Tracker,
    /// A village.
    Village,
    /// Any other federated server.
    Server,
}

/// Every kind.
pub const ANY: &[Kind] = &[Kind::Tracker, Kind::Village, Kind::Server];

impl Kind {
    /// The kind as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Village => "village",
            Self::Server => "server",
        }
    }
}

/// The server under test.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it is.
    pub base: Url,
    /// What it is.
    pub kind: Kind,
    /// Its main actor: the farmer, the village, or whoever answers for the front page.
    pub actor_id: Url,
    /// The main actor's document.
    pub actor: Value,
    /// The main actor's account, `acct:alice@orchard.example`, as WebFinger says it.
    pub subject: String,
}

/// A server could not be found out about.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It does not answer.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// Nothing it says of itself leads to an actor.
    #[error(
        "{0} names no actor by WebFinger, neither for its front page nor for its own account; try --account"
    )]
    NoActor(Url),
    /// The actor's document is none.
    #[error("{0} is no ActivityPub actor (status {1})")]
    NotAnActor(Url, u16),
}

impl Target {
    /// Finds the main actor of the server at `base`: that of `account`, or of the front page, or of the
    /// server's own account.
    pub async fn discover(
        client: &Client,
        base: &Url,
        kind: Option<Kind>,
        account: Option<&str>,
    ) -> Result<Self, DiscoveryError> {
        let asked = match account {
            Some(account) => vec![format!("acct:{}", account.trim_start_matches('@'))],
            None => vec![base.to_string(), format!("acct:{}", own_account(base))],
        };
        for resource in asked {
            let jrd = client
                .get(&webfinger(base, &resource), "application/jrd+json")
                .await?
                .json();
            let subject = jrd["subject"].as_str();
            if let (Some(subject), Some(actor_id)) = (subject, self_link(&jrd)) {
                return Self::read(client, base, kind, actor_id, subject).await;
            }
        }
        Err(DiscoveryError::NoActor(base.clone()))
    }

    async fn read(
        client: &Client,
        base: &Url,
        kind: Option<Kind>,
        actor_id: Url,
        subject: &str,
    ) -> Result<Self, DiscoveryError> {
        let answer = client.get(&actor_id, ACTIVITY_JSON).await?;
        let actor = answer.json();
        if !actor["inbox"].is_string() {
            return Err(DiscoveryError::NotAnActor(actor_id, answer.status));
        }
        let shows_farm_key = actor.get("assertionMethod").is_some();
        let guessed = match actor["type"].as_str() {
            Some("Group") => Kind::Village,
            Some("Person") if shows_farm_key => Kind::Tracker,
            _ => Kind::Server,
        };
        Ok(Self {
            base: base.clone(),
            kind: kind.unwrap_or(guessed),
            actor_id,
            actor,
            subject: subject.to_owned(),
        })
    }

    /// The main actor's inbox.
    pub fn inbox(&self) -> Option<Url> {
        self.actor["inbox"].as_str()?.parse().ok()
    }
}

/// The account of a server's own actor: its host is also its name. In development, where the host has a
/// port, the name has `-` for the colon.
pub fn own_account(base: &Url) -> String {
    let host = authority(base);
    format!("{}@{host}", host.replace(':', "-"))
}

/// The WebFinger question about `resource` at the server of `base`.
pub fn webfinger(base: &Url, resource: &str) -> Url {
    let mut url = base.clone();
    url.set_path("/.well-known/webfinger");
    url.set_fragment(None);
    url.query_pairs_mut()
        .clear()
        .append_pair("resource", resource);
    url
}

/// The one actor that a JRD leads to; none if it leads to two.
pub fn self_link(jrd: &Value) -> Option<Url> {
    let links = jrd["links"].as_array()?.iter().filter(|link| {
        let media_type = link["type"].as_str().unwrap_or_default();
        link["rel"] == "self"
            && (media_type == ACTIVITY_JSON || media_type.starts_with("application/ld+json"))
    });
    let mut hrefs: Vec<&str> = links.filter_map(|link| link["href"].as_str()).collect();
    hrefs.dedup();
    match hrefs[..] {
        [href] => href.parse().ok(),
        _ => None,
    }
}
