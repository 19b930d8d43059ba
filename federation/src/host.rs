//! What a service decides for the engine: which actors it has, what a name means, whether a
//! follow is welcome, and what to do with what arrived.
//!
//! Every `*_received` and `*_changed` call is made at least once: a crash between the effect and
//! its note in the queue repeats it. Implementations therefore write with keys that make the
//! second time a no-op (a snapshot is keyed by farmer, season and sequence). An error means
//! "try again later"; to ignore something, answer `Ok`.

use async_trait::async_trait;
use farmops_protocol::snapshot::VerifiedSnapshot;
use serde_json::Value;
use url::Url;

use crate::{
    account::Account,
    actor::{LocalActor, RemoteActor},
    relation::{Direction, RelationState},
};

/// Something inside the service failed; the engine logs it and tries again.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// The decisions and effects of one service.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// The local actor whose id is `{public_url}/ap/{name}`. The engine itself answers for
    /// `instance`.
    async fn actor(&self, name: &str) -> Result<Option<LocalActor>, HostError>;

    /// Whom a WebFinger resource means: an account of this server, or a URL of it.
    async fn webfinger(&self, resource: &Resource) -> Result<Option<Subject>, HostError>;

    /// A public object by its id, exactly as it was published; a note, a snapshot.
    async fn object(&self, _id: &Url) -> Result<Option<Value>, HostError> {
        Ok(None)
    }

    /// Whether a follow of one of our actors is welcome. Blocks, and the rule that whom we
    /// asked to follow may follow back, are applied by [`crate::policy`] on top of this.
    async fn decide_follow(&self, request: &FollowRequest) -> Result<FollowDecision, HostError>;

    /// A relation came to a new state, or ended.
    async fn follow_changed(&self, change: &FollowChange) -> Result<(), HostError>;

    /// A farm snapshot arrived whose proof verified under its author's pinned farm key.
    async fn snapshot_received(&self, received: ReceivedSnapshot) -> Result<(), HostError>;

    /// A followed actor posted or changed a plain note (a weekly card, a post of other software).
    async fn note_received(&self, _note: ReceivedNote) -> Result<(), HostError> {
        Ok(())
    }

    /// A known remote actor's profile was fetched again and differs.
    async fn actor_changed(&self, _actor: &RemoteActor) -> Result<(), HostError> {
        Ok(())
    }

    /// An actor or one of its objects is gone.
    async fn deleted(&self, deletion: &Deletion) -> Result<(), HostError>;

    /// The figures of NodeInfo.
    async fn usage(&self) -> Result<Usage, HostError>;
}

/// What WebFinger was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `acct:alice@orchard.example`
    Account(Account),
    /// An actor's id, a profile page or the server's front page.
    Url(Url),
}

/// WebFinger's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The account everyone should show, whichever name was asked for.
    pub account: Account,
    /// The actor's id; it may live on another server.
    pub actor: Url,
    /// The page a browser should open.
    pub page: Option<Url>,
}

/// Someone asks to follow a local actor.
#[derive(Clone, Debug)]
pub struct FollowRequest {
    /// The local actor.
    pub local: Url,
    /// Who asks.
    pub remote: RemoteActor,
}

/// What the service makes of a follow request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowDecision {
    /// Welcome.
    Accept,
    /// A person decides: [`crate::Federation::accept_follower`] or `reject_follower` later.
    Hold,
    /// Not welcome.
    Reject,
}

/// A relation came to a new state.
#[derive(Clone, Debug)]
pub struct FollowChange {
    /// The local actor.
    pub local: Url,
    /// The other one.
    pub remote: RemoteActor,
    /// Who follows whom.
    pub direction: Direction,
    /// The new state; nothing when the relation ended.
    pub state: Option<RelationState>,
}

/// A snapshot whose proof verified.
#[derive(Debug)]
pub struct ReceivedSnapshot {
    /// The snapshot; its `value()` is the signed object exactly as it arrived, fit for
    /// [`crate::Federation::announce`].
    pub snapshot: VerifiedSnapshot,
    /// The farmer who signed it.
    pub author: RemoteActor,
    /// How it came here.
    pub via: Via,
}

/// How an object came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// From its author.
    Author,
    /// Relayed by a village.
    Announced {
        /// The village's actor id.
        by: Url,
    },
}

/// A plain note from a followed actor. Text from strangers: escape or sanitise before showing.
#[derive(Clone, Debug)]
pub struct ReceivedNote {
    /// Its id.
    pub id: Url,
    /// Who wrote it.
    pub author: RemoteActor,
    /// The whole object as it arrived.
    pub document: Value,
    /// Whether it replaces an earlier version.
    pub update: bool,
}

/// Something is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// An actor, with all it ever said.
    Actor(Url),
    /// One object of an actor.
    Object {
        /// The actor who owned it.
        actor: Url,
        /// The object.
        id: Url,
    },
}

/// The figures of NodeInfo.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Accounts.
    pub users: u64,
    /// Accounts active in the last 30 days.
    pub active_month: u64,
    /// Accounts active in the last 180 days.
    pub active_half_year: u64,
    /// Published posts.
    pub local_posts: u64,
    /// Whether a newcomer may register.
    pub open_registrations: bool,
    /// The name of this server.
    pub node_name: String,
}
