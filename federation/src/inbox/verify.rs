//! Who sent this: the one place where a [`Verified`] is made.

use url::Url;

use crate::{
    actor::RemoteActor,
    federation::{Federation, FederationError},
    fetch::Cause,
    signature::verify::Claim,
    store::InboxItem,
};

/// How often, at most, a failed check makes us fetch an actor again, in seconds.
const REFETCH_S: i64 = 300;

/// Something that its sender, and nobody else, said. Only this module makes one: from a request
/// whose signature is by the actor's own key, or from the queue, into which only such get.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    sender: RemoteActor,
}

impl<T> Verified<T> {
    /// What was said.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Who said it.
    pub fn sender(&self) -> &RemoteActor {
        &self.sender
    }
}

/// Why a sender could not be verified.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unverified {
    /// The key is not the actor's.
    #[error("the key is not a key of the actor")]
    ForeignKey,
    /// The signature is not by the key.
    #[error("the signature is not by the actor's key")]
    Wrong,
    /// The actor's document could not be had.
    #[error("the actor's key could not be fetched: {0}")]
    NoKey(FederationError),
    /// Something of our own failed.
    #[error(transparent)]
    Internal(FederationError),
}

/// Verifies that `claim` is by a key of `actor`.
///
/// The key is the one in the document that lives at the actor's own id, whose `owner` is that
/// actor: key and actor name each other, and a third party's document is never asked. A stranger
/// is remembered only once the signature holds.
pub(super) async fn verify<T>(
    federation: &Federation,
    value: T,
    actor: &Url,
    claim: &Claim,
    cause: &Cause,
) -> Result<Verified<T>, Unverified> {
    if claim.key_id.origin() != actor.origin() {
        return Err(Unverified::ForeignKey);
    }
    let known = federation
        .store()
        .remote_actor(actor)
        .await
        .map_err(|e| Unverified::Internal(e.into()))?;
    if let Some(sender) = known {
        let judged = judge(&sender, claim);
        let may_refetch = federation.now().seconds_since(sender.fetched_at) >= REFETCH_S;
        match judged {
            Ok(()) => return Ok(Verified { value, sender }),
            Err(refusal) if !may_refetch => return Err(refusal),
            Err(_) => {}
        }
    }
    let sender = federation
        .fetch_actor(actor, cause)
        .await
        .map_err(|error| match error {
            FederationError::Store(_) | FederationError::Host(_) => Unverified::Internal(error),
            error => Unverified::NoKey(error),
        })?;
    judge(&sender, claim)?;
    federation
        .store()
        .save_remote_actor(&sender)
        .await
        .map_err(|e| Unverified::Internal(e.into()))?;
    Ok(Verified { value, sender })
}

fn judge(sender: &RemoteActor, claim: &Claim) -> Result<(), Unverified> {
    if sender.key_id != claim.key_id.as_str() {
        Err(Unverified::ForeignKey)
    } else if claim.is_by(&sender.public_key_pem) {
        Ok(())
    } else {
        Err(Unverified::Wrong)
    }
}

/// What was verified at the door, out of the queue. Nothing if its sender was forgotten since.
pub(super) async fn from_queue<T>(
    federation: &Federation,
    item: &InboxItem,
    value: T,
) -> Result<Option<Verified<T>>, FederationError> {
    let sender = federation.store().remote_actor(&item.actor).await?;
    Ok(sender.map(|sender| Verified { value, sender }))
}
