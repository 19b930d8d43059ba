//! A received Delete: an object of its sender's is gone, or the sender itself.

use crate::{
    account::authority,
    activities::{HandleError, Handled},
    actor::RemoteActor,
    federation::{Federation, FederationError},
    host::Deletion,
    protocol::publishing::delete::Delete,
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    delete: &Delete,
) -> Result<Handled, HandleError> {
    if !delete.is_of_actor() {
        let gone = Deletion::Object {
            actor: sender.id.clone(),
            id: delete.object.clone(),
        };
        federation
            .host()
            .deleted(&gone)
            .await
            .map_err(FederationError::Host)?;
        return Ok(Handled::Done("an object is gone"));
    }
    let host = authority(&sender.id).unwrap_or_default();
    for relation in federation.store().relations_with_host(&host).await? {
        if relation.remote == sender.id {
            federation.tell(&relation, None).await?;
        }
    }
    let gone = Deletion::Actor(sender.id.clone());
    federation
        .host()
        .deleted(&gone)
        .await
        .map_err(FederationError::Host)?;
    federation.store().forget_remote_actor(&sender.id).await?;
    Ok(Handled::Done("an actor is gone"))
}
