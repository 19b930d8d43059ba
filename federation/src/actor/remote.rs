//! A remote actor as its own document, fetched from its own id, described it.

use farmops_protocol::{key::PublicKey, time::Timestamp};
use url::Url;

use crate::{account::Account, actor::ActorKind};

/// What we remember of a remote actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteActor {
    /// Its id, which is also where the document was fetched.
    pub id: Url,
    /// Person, Group, …
    pub kind: ActorKind,
    /// `preferredUsername`.
    pub username: String,
    /// The account it declares (FEP-2c59) or the one its name and host imply. Believed only
    /// after [`crate::Federation::resolve`] went round both ways.
    pub account: Option<Account>,
    /// The display name, plain text, or the user name.
    pub name: String,
    /// The page a browser should open.
    pub page: Option<Url>,
    /// The small picture.
    pub icon: Option<Url>,
    /// Its own inbox.
    pub inbox: Url,
    /// The inbox it shares with its neighbours.
    pub shared_inbox: Option<Url>,
    /// Its list of posts.
    pub outbox: Option<Url>,
    /// The id of its RSA key.
    pub key_id: String,
    /// The RSA key as PEM (SPKI).
    pub public_key_pem: String,
    /// The Ed25519 key for object proofs, pinned on first sight.
    pub farm_key: Option<FarmKey>,
    /// A different Ed25519 key the document now shows; unused until a person says so.
    pub farm_key_offered: Option<FarmKey>,
    /// When the document was fetched.
    pub fetched_at: Timestamp,
}

impl RemoteActor {
    /// Where deliveries for this actor go: the shared inbox if there is one.
    pub fn delivery_inbox(&self) -> &Url {
        self.shared_inbox.as_ref().unwrap_or(&self.inbox)
    }
}

/// An Ed25519 key with the id it has in the actor's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarmKey {
    /// `{actor}#farm-key` or whatever the document calls it.
    pub id: String,
    /// The key.
    pub key: PublicKey,
}
