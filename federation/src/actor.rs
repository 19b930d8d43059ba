//! Actors: the local ones a host presents, the remote ones met, and what both are made of.

mod keys;
mod local;
mod remote;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use self::{
    keys::{ActorKeys, KeyError, OsRng},
    local::{FollowersVisibility, Image, LocalActor},
    remote::{FarmKey, RemoteActor},
};

/// What kind of actor a document describes. Unknown kinds are not actors to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ActorKind {
    /// A farmer, or a person on other software.
    Person,
    /// A village, or a community on other software.
    Group,
    /// A server's own actor.
    Application,
    /// A bot on other software.
    Service,
    /// An organisation on other software.
    Organization,
}

impl ActorKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 5] = [
        Self::Person,
        Self::Group,
        Self::Application,
        Self::Service,
        Self::Organization,
    ];

    /// The `ActivityStreams` name of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Group => "Group",
            Self::Application => "Application",
            Self::Service => "Service",
            Self::Organization => "Organization",
        }
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of actor.
#[derive(Debug, thiserror::Error)]
#[error("not a kind of actor")]
pub struct UnknownActorKind;

impl FromStr for ActorKind {
    type Err = UnknownActorKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownActorKind)
    }
}
