//! A received Reject: our Follow was declined, or we were removed later.

use crate::{
    activities::{HandleError, Handled, following::asked},
    actor::RemoteActor,
    federation::Federation,
    protocol::following::reject::Reject,
    relation::{Relation, RelationState},
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    reject: &Reject,
) -> Result<Handled, HandleError> {
    let Some(relation) = asked(federation, sender, reject.follow.id.as_ref()).await? else {
        return Ok(Handled::Done("a Reject of nothing we asked of its sender"));
    };
    let relation = Relation {
        state: RelationState::Rejected,
        changed_at: federation.now(),
        ..relation
    };
    federation.store().save_relation(&relation).await?;
    federation
        .tell(&relation, Some(RelationState::Rejected))
        .await?;
    Ok(Handled::Done("our follow was declined"))
}
