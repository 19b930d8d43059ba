//! Following farmers of elsewhere by their handles.

use farmops_federation::{ActorKind, FederationError, PublicKey, RemoteActor};
use farmops_protocol::field::FieldError;

use super::{VILLAGE, Village};
use crate::{
    farmer::{Farmer, FarmerId, Following, Membership},
    policy::{Refusal, admit_farmer},
    store::{Saved, StoreError},
};

/// Why a farmer cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The handle is none, or leads nowhere.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The policy refuses her.
    #[error(transparent)]
    Policy(#[from] Refusal),
    /// Nobody of this id is followed.
    #[error("no such followed farmer")]
    Unknown,
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Village {
    /// Follows the farmer with this handle; asking again changes nothing. The flag says whether
    /// this call began it.
    pub async fn follow(&self, handle: &str) -> Result<(Farmer, bool), FollowError> {
        let (remote, key) = self.farmer_behind(handle).await?;
        let account = remote
            .account
            .clone()
            .ok_or_else(|| FieldError::new("handle", "has no account behind it"))?;
        let _roster = self.inner.roster.lock().await;
        let known = self.store().farmer_by_actor(&remote.id).await?;
        let standing = self
            .standing_of(known.as_ref(), &remote.id, account.host())
            .await?;
        admit_farmer(standing)?;
        if let Some(known) = &known
            && (known.following.is_some() || known.membership == Some(Membership::Active))
        {
            // A Follow may have been lost with a crash; the engine knows whether to repeat it.
            self.federation().follow(VILLAGE, &known.actor).await?;
            return Ok((known.clone(), false));
        }
        let mut farmer = match known {
            // Now that both her village and her tracker named the account, it is hers.
            Some(known) if known.membership.is_none() => Farmer { account, ..known },
            Some(known) => known,
            None => Farmer::of_elsewhere(&remote, account, key, self.now()),
        };
        farmer.following = Some(Following::Pending);
        match self.store().save_farmer(&farmer, None, self.now()).await? {
            Saved::Yes => {}
            Saved::Taken | Saved::InviteSpent => {
                let reason = "belongs to a farmer who is known here under another actor";
                return Err(FieldError::new("handle", reason).into());
            }
        }
        self.federation().follow(VILLAGE, &farmer.actor).await?;
        tracing::info!(farmer = %farmer.account, "asked to follow a farmer");
        Ok((farmer, true))
    }

    /// Stops following a farmer; unless she is a member or a peer announces her, nothing of hers
    /// is kept.
    pub async fn unfollow(&self, id: FarmerId) -> Result<(), FollowError> {
        let _roster = self.inner.roster.lock().await;
        let farmer = self.store().farmer(id).await?.ok_or(FollowError::Unknown)?;
        if farmer.following.is_none() {
            return Err(FollowError::Unknown);
        }
        self.store().set_following(id, None).await?;
        self.changed();
        if farmer.membership != Some(Membership::Active) {
            self.federation().unfollow(VILLAGE, &farmer.actor).await?;
        }
        Ok(())
    }

    async fn farmer_behind(&self, handle: &str) -> Result<(RemoteActor, PublicKey), FollowError> {
        let remote = match self.federation().resolve(handle).await {
            Ok(remote) => remote,
            Err(FederationError::Field(error)) => return Err(error.into()),
            Err(error @ (FederationError::Store(_) | FederationError::Host(_))) => {
                return Err(error.into());
            }
            Err(error) => {
                return Err(
                    FieldError::new("handle", format!("could not be found: {error}")).into(),
                );
            }
        };
        match &remote.farm_key {
            Some(farm_key) if remote.kind == ActorKind::Person => {
                let key = farm_key.key;
                Ok((remote, key))
            }
            _ => Err(FieldError::new("handle", "is no farmer: it has no key for farms").into()),
        }
    }
}
