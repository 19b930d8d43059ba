//! Ending a membership, and letting in one who waits.

use farmops_federation::{Audience, FederationError, Post, Timestamp};
use farmops_protocol::{departure::DepartureRequest, digest::sha256, field::FieldError};
use url::Url;

use super::{VILLAGE, Village};
use crate::{
    farmer::{Farmer, FarmerId, Membership},
    roster::Denial,
    store::{Saved, StoreError},
};

/// Why a farmer cannot leave this way.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// There is no such member.
    #[error("no such member")]
    Unknown,
    /// The request breaks a rule of form, freshness or signature.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The request is another farmer's.
    #[error("the request is not signed by this farmer")]
    NotHers,
    /// The request is older than the last one that was heeded.
    #[error("a newer request of this farmer was heeded already")]
    Replayed,
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a farmer cannot be let in.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// There is no such farmer, or she never asked.
    #[error("nobody of this id asked to join")]
    Unknown,
    /// Something changed meanwhile.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Village {
    /// Reads a farmer's own wish to leave: whether somebody's key signed it, for this village and
    /// just now. Asks no database, so it comes before whatever does.
    pub fn read_departure(&self, bytes: &[u8]) -> Result<DepartureRequest, LeaveError> {
        Ok(DepartureRequest::verify(bytes, &self.url(), self.now())?)
    }

    /// Heeds a farmer's own wish to leave, if it is hers.
    pub async fn leave(&self, id: FarmerId, request: &DepartureRequest) -> Result<(), LeaveError> {
        let _roster = self.inner.roster.lock().await;
        let farmer = self.store().farmer(id).await?.ok_or(LeaveError::Unknown)?;
        if farmer.farmer_key != request.farmer_key || farmer.actor.as_str() != request.actor {
            return Err(LeaveError::NotHers);
        }
        if farmer
            .asked_at
            .is_some_and(|heeded| request.requested_at < heeded)
        {
            return Err(LeaveError::Replayed);
        }
        match farmer.membership {
            None => Err(LeaveError::Unknown),
            Some(Membership::Left | Membership::Removed) => Ok(()),
            Some(Membership::Active | Membership::Pending) => {
                self.end(&farmer, Membership::Left, Some(request.requested_at))
                    .await
            }
        }
    }

    /// The village's people send a farmer away.
    pub async fn remove(&self, id: FarmerId) -> Result<(), LeaveError> {
        let _roster = self.inner.roster.lock().await;
        let farmer = self.store().farmer(id).await?.ok_or(LeaveError::Unknown)?;
        self.end(&farmer, Membership::Removed, None).await
    }

    /// Takes the farmer off the boards first and tells her tracker second: whatever fails in
    /// between, nobody sees her any more.
    pub(super) async fn end(
        &self,
        farmer: &Farmer,
        membership: Membership,
        asked_at: Option<Timestamp>,
    ) -> Result<(), LeaveError> {
        let farewell = self.farewell(farmer)?;
        self.store()
            .end_membership(farmer.id, membership, asked_at, &farewell)
            .await?;
        self.federation().wake();
        self.changed();
        let still_followed = farmer.following.is_some() && membership != Membership::Removed;
        if !still_followed {
            self.federation().unfollow(VILLAGE, &farmer.actor).await?;
        }
        tracing::info!(farmer = %farmer.account, status = %membership, "a membership ended");
        Ok(())
    }

    /// What tells the peers that the village speaks for this farmer no more: a Delete of her
    /// membership, which is an object of the village.
    pub(super) fn farewell(&self, farmer: &Farmer) -> Result<Post, FieldError> {
        let key = format!("farewell-{}", uuid::Uuid::now_v7());
        let object = membership_object(&self.federation().actor_id(VILLAGE), &farmer.actor);
        self.federation()
            .delete(VILLAGE, &key, &object, Audience::Villages)
    }

    /// A peer said that it speaks for one of its farmers no more.
    pub(super) async fn peer_farewell(
        &self,
        village: &Url,
        object: &Url,
    ) -> Result<bool, StoreError> {
        for (farmer, actor) in self.store().announced_by(village).await? {
            if membership_object(village, &actor) == *object {
                self.store().end_origin(farmer, village).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets in a farmer who waits, or brings back one who was removed.
    pub async fn approve(&self, id: FarmerId) -> Result<Farmer, ApproveError> {
        let _roster = self.inner.roster.lock().await;
        let farmer = self
            .store()
            .farmer(id)
            .await?
            .ok_or(ApproveError::Unknown)?;
        match farmer.membership {
            None | Some(Membership::Left) => return Err(ApproveError::Unknown),
            Some(_) => {}
        }
        let farmer = Farmer {
            membership: Some(Membership::Active),
            ..farmer
        };
        if self.store().save_farmer(&farmer, None, self.now()).await? != Saved::Yes {
            return Err(Denial::HandleTaken.into());
        }
        self.welcome(&farmer).await?;
        Ok(farmer)
    }
}

/// The id of a membership: below the village's own origin, and the same wherever it is computed.
fn membership_object(village: &Url, farmer: &Url) -> Url {
    let mut object = village.clone();
    object.set_path(&format!(
        "/ap/members/{}",
        sha256(farmer.as_str().as_bytes())
    ));
    object
}
