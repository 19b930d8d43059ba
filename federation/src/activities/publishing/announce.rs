//! A received Announce: a village passes a farmer's snapshot on. Only the farmer's own proof
//! makes it count; the village vouches for nothing.

use farmops_protocol::snapshot::is_snapshot;
use serde_json::Value;

use crate::{
    activities::{HandleError, Handled, publishing::object::proven},
    actor::RemoteActor,
    federation::{Federation, FederationError},
    fetch::Cause,
    host::{ReceivedSnapshot, Via},
    policy::{Act, Verdict, decide},
    protocol::{publishing::announce::Announce, tolerant},
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    announce: &Announce,
) -> Result<Handled, HandleError> {
    if federation.fetcher().gate().is_local(&announce.object_id) {
        return Ok(Handled::Done("an Announce of our own"));
    }
    match decide(
        Act::Relay,
        federation
            .standing(&sender.id, &[&announce.object_id])
            .await?,
    ) {
        Verdict::Allow => {}
        Verdict::Hold => return Ok(Handled::Held("our follow is not answered yet")),
        Verdict::Deny(reason) => return Ok(Handled::Done(reason)),
    }
    let cause = federation.fetcher().cause();
    let object = object(federation, announce, &cause).await?;
    if !is_snapshot(&object) {
        return Ok(Handled::Done(
            "an Announce of something other than a snapshot",
        ));
    }
    let owner = tolerant::required(&object, "attributedTo").map_err(|e| e.within("object"))?;
    if federation.standing(&owner, &[]).await?.blocked {
        return Ok(Handled::Done("its author's server is blocked"));
    }
    let author = federation.actor_within(&owner, &cause).await?;
    let snapshot = proven(federation, &object, &author, &cause).await?;
    let via = Via::Announced {
        by: sender.id.clone(),
    };
    let received = ReceivedSnapshot {
        snapshot,
        author,
        via,
    };
    federation
        .host()
        .snapshot_received(received)
        .await
        .map_err(FederationError::Host)?;
    Ok(Handled::Done("a snapshot passed on"))
}

/// The object that came along, or what its own id answers with.
async fn object(
    federation: &Federation,
    announce: &Announce,
    cause: &Cause,
) -> Result<Value, FederationError> {
    match &announce.object {
        Some(object) => Ok(object.clone()),
        None => Ok(federation
            .fetcher()
            .object(&announce.object_id, cause)
            .await?),
    }
}
