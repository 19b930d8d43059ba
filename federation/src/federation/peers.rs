//! Villages among each other: mutual follows of their Group actors, and blocks.

use std::collections::BTreeSet;

use url::Url;

use super::{Federation, FederationError};
use crate::{
    account::{authority, normalise_host},
    actor::{ActorKind, RemoteActor},
    relation::{Direction, Peer, PeerState, Relation, RelationState, peer_state},
    store::RelationFilter,
};

/// Peers listed at most.
const PEERS_MAX: u32 = 10_000;

impl Federation {
    /// Asks another village, by the id of its Group actor, to federate with the local one.
    pub async fn connect(&self, name: &str, village: &Url) -> Result<Peer, FederationError> {
        let local = self.local(name).await?;
        let remote = self.actor(village).await?;
        if remote.kind != ActorKind::Group {
            return Err(FederationError::Denied("only a Group actor can be a peer"));
        }
        self.follow_actor(&local, &remote).await?;
        self.peer(name, remote).await
    }

    /// Agrees to federate with a village that asked: lets it follow, and follows it.
    pub async fn accept_peer(&self, name: &str, village: &Url) -> Result<Peer, FederationError> {
        self.accept_follower(name, village).await?;
        self.connect(name, village).await
    }

    /// Every village that asked, was asked, or is blocked, ordered by id.
    pub async fn peers(&self, name: &str) -> Result<Vec<Peer>, FederationError> {
        let local = self.actor_id(name);
        let mut villages = BTreeSet::<Url>::new();
        for direction in [Direction::Follower, Direction::Following] {
            let filter = RelationFilter {
                local: local.clone(),
                direction,
                state: None,
            };
            let relations = self.store().relations(&filter, None, PEERS_MAX).await?;
            let groups = relations
                .into_iter()
                .filter(|r| r.remote_kind == ActorKind::Group);
            villages.extend(groups.map(|relation| relation.remote));
        }
        let mut peers = Vec::new();
        for village in villages {
            if let Some(actor) = self.store().remote_actor(&village).await? {
                peers.push(self.peer(name, actor).await?);
            }
        }
        Ok(peers)
    }

    async fn peer(&self, name: &str, actor: RemoteActor) -> Result<Peer, FederationError> {
        let local = self.actor_id(name);
        let following = self
            .store()
            .relation(&local, &actor.id, Direction::Following)
            .await?;
        let follower = self
            .store()
            .relation(&local, &actor.id, Direction::Follower)
            .await?;
        let blocked = self.standing(&actor.id, &[]).await?.blocked;
        let state = |relation: &Option<Relation>| relation.as_ref().map(|r| r.state);
        let open = |state| {
            matches!(
                state,
                Some(RelationState::Accepted | RelationState::Pending)
            )
        };
        let (following, follower) = (state(&following), state(&follower));
        Ok(Peer {
            actor,
            // Neither side asks any more: what is left of it is waiting for someone to ask again.
            state: peer_state(following, follower, blocked).unwrap_or(PeerState::Pending),
            wanted: open(following),
            asked: open(follower),
        })
    }

    /// Stops talking to a host: nothing from it is taken, nothing is sent to it, and every
    /// relation with its actors loses its effect until the block is lifted.
    pub async fn block_host(&self, host: &str) -> Result<(), FederationError> {
        let host = self.normalised(host)?;
        Ok(self.store().block(&host, self.now()).await?)
    }

    /// Lifts a block.
    pub async fn unblock_host(&self, host: &str) -> Result<(), FederationError> {
        let host = self.normalised(host)?;
        Ok(self.store().unblock(&host).await?)
    }

    /// Every blocked host.
    pub async fn blocked_hosts(&self) -> Result<Vec<String>, FederationError> {
        Ok(self.store().blocked().await?)
    }

    /// Whether the server of `url` is blocked.
    pub async fn is_blocked(&self, url: &Url) -> Result<bool, FederationError> {
        Ok(self
            .store()
            .any_blocked(&authority(url).into_iter().collect::<Vec<_>>())
            .await?)
    }

    fn normalised(&self, host: &str) -> Result<String, FederationError> {
        normalise_host(host, self.inner.settings.reach)
            .map_err(|reason| farmops_protocol::field::FieldError::new("host", reason).into())
    }
}
