//! Villages among each other.

use farmops_federation::{FederationError, PeerState, account::normalise_host};
use farmops_protocol::field::FieldError;
use url::Url;

use super::{VILLAGE, Village};
use crate::{
    policy::Refusal,
    store::{PeerRecord, StoreError, VillageId},
};

/// Why two villages cannot federate this way.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The address is none, or leads to no village.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// There is no such village here.
    #[error("no such peer")]
    Unknown,
    /// Its server is blocked.
    #[error(transparent)]
    Policy(#[from] Refusal),
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Village {
    /// Asks the village at `address` to federate; asking again changes nothing.
    pub async fn connect(&self, address: &str) -> Result<PeerRecord, PeerError> {
        let address: Url = address
            .parse()
            .map_err(|_| FieldError::new("url", "expected a URL like https://orchard.example"))?;
        if address.origin() == self.inner.settings.public_url.origin() {
            return Err(FieldError::new("url", "is this very village").into());
        }
        let village = self
            .federation()
            .discover(&address)
            .await
            .map_err(not_there)?;
        let host = farmops_federation::account::authority(&village.id).unwrap_or_default();
        if self.store().any_blocked([&host, &host]).await? {
            return Err(Refusal::Blocked.into());
        }
        self.federation()
            .connect(VILLAGE, &village.id)
            .await
            .map_err(not_there)?;
        self.note_peer(&village.id).await
    }

    /// Agrees to federate with a village that asked.
    pub async fn accept_peer(&self, id: VillageId) -> Result<PeerRecord, PeerError> {
        let peer = self.store().peer(id).await?.ok_or(PeerError::Unknown)?;
        if peer.status == PeerState::Blocked {
            return Err(Refusal::Blocked.into());
        }
        match self.federation().accept_peer(VILLAGE, &peer.actor).await {
            Ok(_) => {}
            Err(FederationError::NoSuchRelation) => return Err(PeerError::Unknown),
            Err(error) => return Err(not_there(error)),
        }
        self.note_peer(&peer.actor).await
    }

    /// Ends the federation with a village: stops following it, turns its follow away, and forgets
    /// what only it announced.
    pub async fn disconnect(&self, id: VillageId) -> Result<(), PeerError> {
        let peer = self.store().peer(id).await?.ok_or(PeerError::Unknown)?;
        self.store().forget_village(&peer.actor).await?;
        self.changed();
        self.federation().unfollow(VILLAGE, &peer.actor).await?;
        match self
            .federation()
            .reject_follower(VILLAGE, &peer.actor)
            .await
        {
            Ok(_) | Err(FederationError::NoSuchRelation) => {}
            Err(error) => return Err(error.into()),
        }
        // The engine told the host of both, which noted the village anew, with nothing in it.
        self.store().forget_village(&peer.actor).await?;
        tracing::info!(host = %peer.host, "a peering ended");
        Ok(())
    }

    /// Stops talking to a village's server and takes everything that came through it off the
    /// boards; the boards first.
    pub async fn block_peer(&self, id: VillageId) -> Result<PeerRecord, PeerError> {
        let peer = self.store().peer(id).await?.ok_or(PeerError::Unknown)?;
        self.block(&peer.host).await?;
        self.store().peer(id).await?.ok_or(PeerError::Unknown)
    }

    /// Lifts the block of a village's server.
    pub async fn unblock_peer(&self, id: VillageId) -> Result<PeerRecord, PeerError> {
        let peer = self.store().peer(id).await?.ok_or(PeerError::Unknown)?;
        self.unblock(&peer.host).await?;
        self.store().peer(id).await?.ok_or(PeerError::Unknown)
    }

    /// Blocks a host, of a village or of a tracker.
    pub async fn block(&self, host: &str) -> Result<String, PeerError> {
        let host = self.normalised(host)?;
        if host == self.host_name() {
            return Err(FieldError::new("host", "is this very village").into());
        }
        self.store().block_host(&host, self.now()).await?;
        self.changed();
        self.federation().block_host(&host).await?;
        tracing::info!(%host, "a host was blocked");
        Ok(host)
    }

    /// Lifts a block; lifting none is harmless.
    pub async fn unblock(&self, host: &str) -> Result<String, PeerError> {
        let host = self.normalised(host)?;
        self.federation().unblock_host(&host).await?;
        self.store().unblock_host(&host, self.now()).await?;
        self.changed();
        Ok(host)
    }

    fn normalised(&self, host: &str) -> Result<String, FieldError> {
        normalise_host(host, self.reach()).map_err(|reason| FieldError::new("host", reason))
    }

    /// Takes over what the engine knows of a village, for when its call to the host comes later
    /// than our answer.
    async fn note_peer(&self, actor: &Url) -> Result<PeerRecord, PeerError> {
        use farmops_federation::Direction::{Follower, Following};
        for (direction, relations) in [
            (
                Following,
                self.federation()
                    .following(VILLAGE, None, None, 1000)
                    .await?,
            ),
            (
                Follower,
                self.federation()
                    .followers(VILLAGE, None, None, 1000)
                    .await?,
            ),
        ] {
            let state = relations
                .iter()
                .find(|r| r.remote == *actor)
                .map(|r| r.state);
            if let Some(remote) = self.federation().known_actor(actor).await? {
                self.peer_moved(&remote, direction, state).await?;
            }
        }
        self.store()
            .peer_by_actor(actor)
            .await?
            .ok_or(PeerError::Unknown)
    }
}

/// Whatever is wrong with a village elsewhere is wrong with the address that was given.
fn not_there(error: FederationError) -> PeerError {
    match error {
        FederationError::Store(_) | FederationError::Host(_) => PeerError::Federation(error),
        FederationError::Field(error) => PeerError::Field(FieldError::new("url", error.reason)),
        other => PeerError::Field(FieldError::new("url", format!("no village there: {other}"))),
    }
}
