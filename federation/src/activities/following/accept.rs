//! A received Accept: our Follow came through.

use crate::{
    activities::{HandleError, Handled, following::asked},
    actor::RemoteActor,
    federation::Federation,
    protocol::following::accept::Accept,
    relation::{Relation, RelationState},
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    accept: &Accept,
) -> Result<Handled, HandleError> {
    let Some(relation) = asked(federation, sender, accept.follow.id.as_ref()).await? else {
        return Ok(Handled::Done("an Accept of nothing we asked of its sender"));
    };
    match relation.state {
        RelationState::Rejected | RelationState::Blocked => {
            return Ok(Handled::Done("it was declined before"));
        }
        RelationState::Pending => {
            let relation = Relation {
                state: RelationState::Accepted,
                changed_at: federation.now(),
                inbox: sender.delivery_inbox().clone(),
                ..relation.clone()
            };
            federation.store().save_relation(&relation).await?;
        }
        // Perhaps a crash came before the service heard of it.
        RelationState::Accepted => {}
    }
    federation
        .tell(&relation, Some(RelationState::Accepted))
        .await?;
    Ok(Handled::Done("our follow was accepted"))
}
