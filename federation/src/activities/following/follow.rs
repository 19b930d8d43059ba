//! A received Follow: accepted, held for a person, or declined.

use crate::{
    activities::{HandleError, Handled},
    actor::RemoteActor,
    federation::{Federation, FederationError},
    host::{FollowDecision, FollowRequest},
    policy::{Act, Verdict, decide},
    protocol::following::follow::Follow,
    relation::{Direction, Relation, RelationState},
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    follow: &Follow,
) -> Result<Handled, HandleError> {
    if !is_here(federation, follow).await? {
        return Ok(Handled::Done("it asks to follow nobody here"));
    }
    let request = FollowRequest {
        local: follow.object.clone(),
        remote: sender.clone(),
    };
    let decision = federation
        .host()
        .decide_follow(&request)
        .await
        .map_err(FederationError::Host)?;
    let standing = federation.standing(&sender.id, &[]).await?;
    let verdict = decide(Act::BeFollowedBy(decision), standing);
    let known = federation
        .store()
        .relation(&follow.object, &sender.id, Direction::Follower)
        .await?;
    if known
        .as_ref()
        .is_some_and(|known| known.state == RelationState::Blocked)
    {
        return Ok(Handled::Done("a blocked follower asks again"));
    }
    let relation = Relation {
        local: follow.object.clone(),
        remote: sender.id.clone(),
        direction: Direction::Follower,
        state: known.map_or(RelationState::Pending, |known| known.state),
        follow_id: follow.id.clone(),
        remote_kind: sender.kind,
        inbox: sender.delivery_inbox().clone(),
        changed_at: federation.now(),
    };
    match verdict {
        Verdict::Allow => {
            federation.answer(relation, RelationState::Accepted).await?;
            Ok(Handled::Done("accepted a follower"))
        }
        // Someone let in before asks again, having lost our answer.
        Verdict::Hold if relation.state == RelationState::Accepted => {
            federation.answer(relation, RelationState::Accepted).await?;
            Ok(Handled::Done("accepted a follower again"))
        }
        Verdict::Hold => {
            let relation = Relation {
                state: RelationState::Pending,
                ..relation
            };
            federation.store().save_relation(&relation).await?;
            federation
                .tell(&relation, Some(RelationState::Pending))
                .await?;
            Ok(Handled::Done("a follower waits for a person"))
        }
        Verdict::Deny(_) if standing.blocked => Ok(Handled::Done("its server is blocked")),
        Verdict::Deny(_) => {
            debug_assert_eq!(decision, FollowDecision::Reject);
            federation.answer(relation, RelationState::Rejected).await?;
            Ok(Handled::Done("declined a follower"))
        }
    }
}

async fn is_here(federation: &Federation, follow: &Follow) -> Result<bool, FederationError> {
    let Some(name) = federation.local_name(&follow.object) else {
        return Ok(false);
    };
    match federation.local(name).await {
        // The server's own actor posts nothing.
        Ok(_) => Ok(name != crate::federation::INSTANCE),
        Err(FederationError::NoSuchActor(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
