//! Snapshots on their way in, from the farmers' own trackers and through other villages.

use farmops_federation::{
    Account, Audience, Direction, RelationState, RemoteActor, Via, account::authority,
};
use farmops_protocol::{digest::sha256, snapshot::VerifiedSnapshot};
use url::Url;

use super::{VILLAGE, Village};
use crate::{
    farmer::Farmer,
    names,
    store::{Arrival, Kept, PeerChange, StoreError},
};

/// Why a snapshot could not be looked at. It will be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReceiveError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The announcement could not be written.
    #[error(transparent)]
    Field(#[from] farmops_protocol::field::FieldError),
}

impl Village {
    /// Takes in a snapshot that verified under `author`'s key; the one way in for all of them.
    pub(super) async fn receive(
        &self,
        snapshot: &VerifiedSnapshot,
        author: &RemoteActor,
        via: &Via,
    ) -> Result<Kept, ReceiveError> {
        let relayed_by = match via {
            Via::Author => None,
            Via::Announced { by } => Some(by),
        };
        let farmer = self.farmer_of(snapshot, author, relayed_by).await?;
        let Some(farmer) = farmer else {
            return Ok(Kept::Full);
        };
        let mut announcement = self.federation().announce(
            VILLAGE,
            &announcement_key(snapshot),
            snapshot.value(),
            Audience::Villages,
        )?;
        // Nobody should find in the outbox what its farmer took back.
        announcement.listed = false;
        let arrival = Arrival {
            farmer: &farmer,
            relayed_by,
            snapshot,
            announcement: &announcement,
        };
        let kept = self.store().take_snapshot(&arrival, self.now()).await?;
        let sequence = snapshot.snapshot().sequence.value();
        match kept {
            Kept::New => {
                self.federation().wake();
                self.changed();
                tracing::info!(farmer = %farmer.account, sequence, "a farm changed");
            }
            Kept::NotNewer => {
                tracing::debug!(farmer = %farmer.account, sequence, "an older snapshot came");
            }
            Kept::WrongKey | Kept::Refused(_) | Kept::Full => {
                tracing::warn!(farmer = %farmer.account, ?via, ?kept, "a snapshot was refused");
            }
        }
        metrics::counter!("farmops_village_snapshots_total", "outcome" => outcome(kept))
            .increment(1);
        Ok(kept)
    }

    /// The row of the snapshot's author: hers, or the one she would have.
    async fn farmer_of(
        &self,
        snapshot: &VerifiedSnapshot,
        author: &RemoteActor,
        relayed_by: Option<&Url>,
    ) -> Result<Option<Farmer>, StoreError> {
        if let Some(known) = self.store().farmer_by_actor(&author.id).await? {
            return Ok(Some(known));
        }
        let Some(account) = self.account_of_stranger(author, relayed_by).await? else {
            return Ok(None);
        };
        let key = snapshot.snapshot().farmer_key;
        Ok(Some(Farmer::of_elsewhere(author, account, key, self.now())))
    }

    /// The first account for a stranger that nobody has.
    async fn account_of_stranger(
        &self,
        author: &RemoteActor,
        relayed_by: Option<&Url>,
    ) -> Result<Option<Account>, StoreError> {
        let relay = relayed_by.and_then(authority).unwrap_or_default();
        let reach = self.reach();
        let candidates = [
            names::account_of_announced(author, &relay, reach),
            names::account_at_tracker(author, reach),
            names::account_of_last_resort(author, reach),
        ];
        for account in candidates.into_iter().flatten() {
            let ours = account.host() == self.host_name();
            if !ours && self.store().farmer_by_account(&account).await?.is_none() {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// How far a follow between this village and another has come.
    pub(super) async fn peer_moved(
        &self,
        remote: &RemoteActor,
        direction: Direction,
        state: Option<RelationState>,
    ) -> Result<(), StoreError> {
        let host = authority(&remote.id).unwrap_or_default();
        let url = remote.page.as_ref().map_or_else(
            || remote.id.origin().ascii_serialization(),
            |page| page.as_str().to_owned(),
        );
        let change = PeerChange {
            actor: &remote.id,
            host: &host,
            remote_url: &url,
            remote_name: &names::shown_name(&remote.name, &remote.username),
            direction,
            state,
        };
        self.store().peer_changed(&change, self.now()).await?;
        self.changed();
        Ok(())
    }
}

/// One snapshot, one announcement, however often it comes.
pub(super) fn announcement_key(snapshot: &VerifiedSnapshot) -> String {
    format!("announce-{}", sha256(&snapshot.to_bytes()))
}

fn outcome(kept: Kept) -> &'static str {
    match kept {
        Kept::New => "new",
        Kept::NotNewer => "not_newer",
        Kept::WrongKey => "wrong_key",
        Kept::Refused(_) => "refused",
        Kept::Full => "full",
    }
}
