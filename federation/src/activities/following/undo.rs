//! A received Undo of a Follow: the follower, and only the follower, leaves.

use crate::{
    activities::{HandleError, Handled},
    actor::RemoteActor,
    federation::Federation,
    protocol::following::undo::Undo,
    relation::{Direction, RelationState},
    store::StoreError,
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    undo: &Undo,
) -> Result<Handled, HandleError> {
    let Some(relation) = undone(federation, sender, undo).await? else {
        return Ok(Handled::Done("an Undo of no follow of its sender"));
    };
    if relation.state == RelationState::Blocked {
        return Ok(Handled::Done("a blocked follower takes its question back"));
    }
    federation.end(&relation).await?;
    Ok(Handled::Done("a follower left"))
}

/// The sender's own follow: by the Follow's id, or, as other software forgets the id it gave,
/// by whom the embedded Follow names.
async fn undone(
    federation: &Federation,
    sender: &RemoteActor,
    undo: &Undo,
) -> Result<Option<crate::Relation>, StoreError> {
    if let Some(id) = &undo.follow.id {
        let found = federation.store().relation_by_follow(id).await?;
        let own = |r: &crate::Relation| r.direction == Direction::Follower && r.remote == sender.id;
        if let Some(relation) = found.filter(own) {
            return Ok(Some(relation));
        }
    }
    match &undo.follow.object {
        Some(local) => {
            federation
                .store()
                .relation(local, &sender.id, Direction::Follower)
                .await
        }
        None => Ok(None),
    }
}
