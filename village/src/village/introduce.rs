//! Showing a new peer the members' farms as they stand, so that it need not wait for the next
//! finished work of each.

use farmops_federation::{Audience, PeerState, RemoteActor};
use farmops_protocol::{field::FieldError, snapshot::VerifiedSnapshot};

use super::{VILLAGE, Village, receive::announcement_key};
use crate::{farmer::Membership, limits::PAGE_ROWS_MAX, store::PeerRecord};

/// Why a peer was not shown everything. It will be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum IntroduceError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] farmops_federation::FederationError),
    /// A stored snapshot does not verify any more.
    #[error("a stored snapshot cannot be announced: {0}")]
    Snapshot(#[from] FieldError),
}

impl Village {
    /// Announces every member's newest snapshot to this one village, if it is an active peer.
    /// Repeating it sends nothing twice; after a new beginning of the peering it does.
    pub(super) async fn introduce_members(
        &self,
        remote: &RemoteActor,
    ) -> Result<(), IntroduceError> {
        let peer = self.store().peer_by_actor(&remote.id).await?;
        let Some(peer) = peer.filter(|peer| peer.status == PeerState::Active) else {
            return Ok(());
        };
        let mut after = None;
        loop {
            let members = self
                .store()
                .members(Membership::Active, after.as_deref(), PAGE_ROWS_MAX)
                .await?;
            for member in &members {
                if let Some(newest) = self.store().newest_snapshot(member.id).await? {
                    // It was verified when it came; this also finds out a changed database.
                    let snapshot = newest.document.verify(&member.farmer_key)?;
                    self.announce_to(&peer, remote, &snapshot).await?;
                }
            }
            match members.last() {
                Some(last) => after = Some(last.account.name().to_owned()),
                None => return Ok(()),
            }
        }
    }

    async fn announce_to(
        &self,
        peer: &PeerRecord,
        remote: &RemoteActor,
        snapshot: &VerifiedSnapshot,
    ) -> Result<(), IntroduceError> {
        let key = format!("{}-{}", announcement_key(snapshot), peer.peering.simple());
        let inbox = remote.delivery_inbox().clone();
        let audience = Audience::Inboxes(vec![inbox]);
        let post = self
            .federation()
            .announce(VILLAGE, &key, snapshot.value(), audience)?;
        self.federation().publish(&post).await?;
        Ok(())
    }
}
