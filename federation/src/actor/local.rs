//! A local actor as its service describes it. The RSA key is not here: the engine makes and
//! keeps it (see [`crate::actor::ActorKeys`]), so that no service handles a private key.

use farmops_protocol::{key::PublicKey, time::Timestamp};
use url::Url;

use crate::{account::Account, actor::ActorKind};

/// What a service says about one of its actors. The id is `{public_url}/ap/{name}`.
#[derive(Clone, Debug)]
pub struct LocalActor {
    /// The last part of the id, `actor` or `village`. ASCII letters, digits, `-` and `_`.
    pub name: String,
    /// Person for a farmer, Group for a village.
    pub kind: ActorKind,
    /// The account under which people find the actor; its host may be another server's.
    pub account: Account,
    /// The name people read.
    pub display_name: String,
    /// A description in HTML, made by us, or nothing.
    pub summary: Option<String>,
    /// The page a browser should open.
    pub page: Option<Url>,
    /// The small picture.
    pub icon: Option<Image>,
    /// The wide picture.
    pub image: Option<Image>,
    /// The farm's Ed25519 key, shown as `assertionMethod` (FEP-521a).
    pub farm_key: Option<PublicKey>,
    /// When the actor was made.
    pub published: Option<Timestamp>,
    /// Whether a person looks at each follow request.
    pub manually_approves_followers: bool,
    /// Whether the actor wants to be found by search and suggestions.
    pub discoverable: bool,
    /// Who may read the list of followers.
    pub followers_visibility: FollowersVisibility,
}

/// A picture of an actor or a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub url: Url,
    /// For example `image/png`.
    pub media_type: String,
    /// The text for those who do not see it.
    pub alt: Option<String>,
}

/// Who may read a list of followers or followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FollowersVisibility {
    /// The number only.
    #[default]
    Count,
    /// The number and the pages.
    Public,
}
