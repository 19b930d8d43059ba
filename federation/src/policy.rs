//! The one rule for what an actor may do here. The local API and the inbox both ask it, so that
//! no door is weaker than the other.

use crate::{host::FollowDecision, relation::RelationState};

/// What a remote actor wants, or someone wants to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It asks to follow a local actor; the service decided this much.
    BeFollowedBy(FollowDecision),
    /// A local actor asks to follow it.
    Follow,
    /// It sends us something of its own to show.
    Show,
    /// It passes on what another made.
    Relay,
}

/// What is known of a remote actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether its host, or any host involved, is blocked.
    pub blocked: bool,
    /// How far a local actor's follow of it has come.
    pub following: Option<RelationState>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// Not yet: a person, or the other side's answer, decides.
    Hold,
    /// No, for this reason.
    Deny(&'static str),
}

/// Decides whether an actor of this standing may do this.
pub fn decide(act: Act, standing: Standing) -> Verdict {
    use RelationState::{Accepted, Blocked, Pending, Rejected};
    if standing.blocked {
        return Verdict::Deny("its server is blocked here");
    }
    match act {
        Act::Follow | Act::BeFollowedBy(FollowDecision::Accept) => Verdict::Allow,
        Act::BeFollowedBy(FollowDecision::Reject) => {
            Verdict::Deny("the actor does not accept this follower")
        }
        Act::BeFollowedBy(FollowDecision::Hold) => match standing.following {
            // Whom we asked to follow may follow back: this makes a peering mutual.
            Some(Accepted | Pending) => Verdict::Allow,
            Some(Rejected | Blocked) | None => Verdict::Hold,
        },
        Act::Show | Act::Relay => match standing.following {
            Some(Accepted) => Verdict::Allow,
            Some(Pending) => Verdict::Hold,
            Some(Rejected | Blocked) | None => Verdict::Deny("nobody here follows the actor"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [Act; 6] = [
        Act::BeFollowedBy(FollowDecision::Accept),
        Act::BeFollowedBy(FollowDecision::Hold),
        Act::BeFollowedBy(FollowDecision::Reject),
        Act::Follow,
        Act::Show,
        Act::Relay,
    ];

    /// Advisory 28: a blocked server has no way in at all.
    #[test]
    fn a_block_forbids_everything() {
        for act in ACTS {
            for following in [
                None,
                Some(RelationState::Pending),
                Some(RelationState::Accepted),
            ] {
                let verdict = decide(
                    act,
                    Standing {
                        blocked: true,
                        following,
                    },
                );
                assert!(matches!(verdict, Verdict::Deny(_)), "{act:?}");
            }
        }
    }

    /// Advisory 29 (CVE-2025-30741): a pending follow is not an accepted one.
    #[test]
    fn only_an_accepted_follow_shows() {
        for act in [Act::Show, Act::Relay] {
            let with = |following| {
                decide(
                    act,
                    Standing {
                        blocked: false,
                        following,
                    },
                )
            };
            assert_eq!(with(Some(RelationState::Accepted)), Verdict::Allow);
            assert_eq!(with(Some(RelationState::Pending)), Verdict::Hold);
            assert!(matches!(
                with(Some(RelationState::Rejected)),
                Verdict::Deny(_)
            ));
            assert!(matches!(with(None), Verdict::Deny(_)));
        }
    }

    #[test]
    fn a_wanted_peer_may_follow_back() {
        let hold = Act::BeFollowedBy(FollowDecision::Hold);
        let with = |following| {
            decide(
                hold,
                Standing {
                    blocked: false,
                    following,
                },
            )
        };
        assert_eq!(with(None), Verdict::Hold);
        assert_eq!(with(Some(RelationState::Pending)), Verdict::Allow);
        assert_eq!(with(Some(RelationState::Accepted)), Verdict::Allow);
        assert_eq!(with(Some(RelationState::Rejected)), Verdict::Hold);
    }
}
