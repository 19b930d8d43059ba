//! The one rule for whose farm is taken in and shown. The API, the inbox and the boards all ask
//! here, so that no door is weaker than another.

use crate::farmer::{Following, Membership};

/// What is known of a farmer when the question comes up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether her tracker's host, or the host of her handle, is blocked.
    pub blocked: bool,
    /// Her membership here.
    pub membership: Option<Membership>,
    /// Whether the village follows her.
    pub following: Option<Following>,
    /// Whether a village that is an active peer announces her.
    pub announced: bool,
}

/// Where a snapshot came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// From the farmer's own tracker.
    Author,
    /// Passed on by another village.
    Peer {
        /// Whether both villages agreed to federate and neither is blocked.
        active: bool,
    },
}

/// Why something is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Her server, or her home village's, is blocked.
    #[error("its server is blocked here")]
    Blocked,
    /// The village's people sent her away.
    #[error("the farmer was removed from this village")]
    Removed,
    /// Nobody here asked for it.
    #[error("the farmer is no member and is not followed here")]
    NotWanted,
    /// The village that passed it on is no active peer.
    #[error("the village that passed it on is no active peer")]
    NoPeer,
}

/// Which boards show a farmer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visibility {
    /// The village's own board.
    pub local: bool,
    /// The board of all villages known here.
    pub federated: bool,
}

/// Whether a farmer of this standing may have anything here at all.
pub fn admit_farmer(standing: Standing) -> Result<(), Refusal> {
    if standing.blocked {
        return Err(Refusal::Blocked);
    }
    match standing.membership {
        Some(Membership::Removed) => Err(Refusal::Removed),
        _ => Ok(()),
    }
}

/// Whether a snapshot of a farmer of this standing is taken in at this door.
pub fn admit_snapshot(door: Door, standing: Standing) -> Result<(), Refusal> {
    admit_farmer(standing)?;
    match door {
        Door::Peer { active: true } => Ok(()),
        Door::Peer { active: false } => Err(Refusal::NoPeer),
        Door::Author => {
            let member = standing.membership == Some(Membership::Active);
            if member || standing.following == Some(Following::Active) {
                Ok(())
            } else {
                Err(Refusal::NotWanted)
            }
        }
    }
}

/// Which boards show a farmer of this standing.
pub fn visibility(standing: Standing) -> Visibility {
    if admit_farmer(standing).is_err() {
        return Visibility::default();
    }
    let local = standing.membership == Some(Membership::Active);
    let federated = local || standing.following == Some(Following::Active) || standing.announced;
    Visibility { local, federated }
}

/// Whether the village has any reason to keep a farmer's snapshots.
pub fn keeps_snapshots(standing: Standing) -> bool {
    standing.membership == Some(Membership::Active)
        || standing.following.is_some()
        || standing.announced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_standing() -> Vec<Standing> {
        let memberships = Membership::ALL.iter().copied().map(Some).chain([None]);
        let mut all = Vec::new();
        for membership in memberships {
            for following in [None, Some(Following::Pending), Some(Following::Active)] {
                for (blocked, announced) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    all.push(Standing {
                        blocked,
                        membership,
                        following,
                        announced,
                    });
                }
            }
        }
        all
    }

    const DOORS: [Door; 3] = [
        Door::Author,
        Door::Peer { active: true },
        Door::Peer { active: false },
    ];

    #[test]
    fn the_blocked_and_the_removed_have_no_way_in_and_no_place() {
        for standing in every_standing() {
            if standing.blocked || standing.membership == Some(Membership::Removed) {
                for door in DOORS {
                    assert!(
                        admit_snapshot(door, standing).is_err(),
                        "{door:?} {standing:?}"
                    );
                }
                assert_eq!(visibility(standing), Visibility::default(), "{standing:?}");
            }
        }
    }

    #[test]
    fn what_the_author_may_send_is_shown() {
        for standing in every_standing() {
            if admit_snapshot(Door::Author, standing).is_ok() {
                assert!(visibility(standing).federated, "{standing:?}");
            }
        }
    }

    #[test]
    fn only_members_stand_on_the_local_board() {
        for standing in every_standing() {
            let shown = visibility(standing);
            assert!(!shown.local || standing.membership == Some(Membership::Active));
            assert!(
                !shown.local || shown.federated,
                "a local row is federated too"
            );
        }
    }

    #[test]
    fn a_pending_follow_shows_nothing() {
        let standing = Standing {
            following: Some(Following::Pending),
            ..Standing::default()
        };
        assert_eq!(
            admit_snapshot(Door::Author, standing),
            Err(Refusal::NotWanted)
        );
        assert_eq!(visibility(standing), Visibility::default());
    }

    #[test]
    fn a_stranger_does_not_speak_for_others() {
        assert_eq!(
            admit_snapshot(Door::Peer { active: false }, Standing::default()),
            Err(Refusal::NoPeer)
        );
        assert!(admit_snapshot(Door::Peer { active: true }, Standing::default()).is_ok());
    }
}
