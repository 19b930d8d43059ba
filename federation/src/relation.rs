//! Who follows whom, seen from here, and what two villages are to each other.

use std::{fmt, str::FromStr};

use farmops_protocol::time::Timestamp;
use url::Url;

use crate::actor::{ActorKind, RemoteActor};

/// Which way a relation points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The remote actor follows the local one.
    Follower,
    /// The local actor follows the remote one.
    Following,
}

/// How far a relation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationState {
    /// Asked for, not answered.
    Pending,
    /// Answered with an Accept by the one who was asked.
    Accepted,
    /// Answered with a Reject.
    Rejected,
    /// A follower that was turned away for good: asking again, or taking the question back, changes nothing.
    Blocked,
}

/// The text is not the name of a direction or a state.
#[derive(Debug, thiserror::Error)]
#[error("unknown word for a relation")]
pub struct UnknownRelationWord;

macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),+ }) => {
        impl $type {
            /// The word stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $type {
            type Err = UnknownRelationWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownRelationWord) }
            }
        }
    };
}

words!(Direction { Follower => "follower", Following => "following" });
words!(RelationState { Pending => "pending", Accepted => "accepted", Rejected => "rejected", Blocked => "blocked" });
words!(PeerState { Pending => "pending", Active => "active", Blocked => "blocked" });

/// One side of a follow between a local and a remote actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The local actor's id.
    pub local: Url,
    /// The remote actor's id.
    pub remote: Url,
    /// Which way it points.
    pub direction: Direction,
    /// How far it has come.
    pub state: RelationState,
    /// The id of the Follow that began it; an answer must name it.
    pub follow_id: Url,
    /// What the remote actor is.
    pub remote_kind: ActorKind,
    /// Where deliveries for the remote actor go.
    pub inbox: Url,
    /// When the state last changed.
    pub changed_at: Timestamp,
}

/// What another village is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerState {
    /// One side has asked; the other has not agreed yet.
    Pending,
    /// Both follow each other.
    Active,
    /// Its server is blocked here.
    Blocked,
}

/// Another village.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its Group actor.
    pub actor: RemoteActor,
    /// What it is to us.
    pub state: PeerState,
    /// Whether we asked, or agreed, to follow it.
    pub wanted: bool,
    /// Whether it asked to follow us.
    pub asked: bool,
}

/// What two follow relations make of another village; nothing if neither side asked.
pub fn peer_state(
    following: Option<RelationState>,
    follower: Option<RelationState>,
    blocked: bool,
) -> Option<PeerState> {
    use RelationState::{Accepted, Pending};
    match (following, follower) {
        _ if blocked => Some(PeerState::Blocked),
        (Some(Accepted), Some(Accepted)) => Some(PeerState::Active),
        (Some(Accepted | Pending), _) | (_, Some(Accepted | Pending)) => Some(PeerState::Pending),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_active_only_when_both_agreed() {
        use RelationState::{Accepted, Pending, Rejected};
        for (following, follower, blocked, want) in [
            (
                Some(Accepted),
                Some(Accepted),
                false,
                Some(PeerState::Active),
            ),
            (
                Some(Accepted),
                Some(Accepted),
                true,
                Some(PeerState::Blocked),
            ),
            (
                Some(Accepted),
                Some(Pending),
                false,
                Some(PeerState::Pending),
            ),
            (
                Some(Pending),
                Some(Accepted),
                false,
                Some(PeerState::Pending),
            ),
            (Some(Pending), None, false, Some(PeerState::Pending)),
            (None, Some(Pending), false, Some(PeerState::Pending)),
            (Some(Rejected), None, false, None),
            (None, None, false, None),
            (None, None, true, Some(PeerState::Blocked)),
        ] {
            assert_eq!(peer_state(following, follower, blocked), want);
        }
    }
}
