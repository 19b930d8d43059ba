//! What the federation engine asks the tracker: who lives here, who may follow, what was published.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use farmops_federation::{
    ActorKind, Deletion, Direction, FollowChange, FollowDecision, FollowRequest,
    FollowersVisibility, Host, HostError, Image, LocalActor, ReceivedSnapshot, RelationState,
    Resource, Subject, Usage, account::authority,
};
use farmops_ledger::archive::Membership;
use farmops_protocol::key::PublicKey;
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

use crate::{
    domain::FarmView,
    site::{ACTOR, Site},
    store::{Reads, Village},
    writer::{Outgoing, WriterHandle},
};

/// The farm as the engine sees it.
pub struct FarmHost {
    site: Site,
    farm_key: PublicKey,
    accept_followers: bool,
    reads: Arc<dyn Reads>,
    writer: WriterHandle,
    bell: Arc<Notify>,
    /// Authorities of villages whose answer to a registration is still on its way: they may follow
    /// before we have read that we are in.
    joining: Mutex<HashSet<String>>,
}

impl FarmHost {
    /// The host of the farm at `site`; `bell` rings when a village has begun to follow.
    pub fn new(
        site: Site,
        farm_key: PublicKey,
        accept_followers: bool,
        reads: Arc<dyn Reads>,
        writer: WriterHandle,
        bell: Arc<Notify>,
    ) -> Self {
        Self {
            site,
            farm_key,
            accept_followers,
            reads,
            writer,
            bell,
            joining: Mutex::default(),
        }
    }

    /// Marks a village as being joined, or no longer.
    pub fn set_joining(&self, village: &Url, joining: bool) {
        let Some(authority) = authority(village) else {
            return;
        };
        let mut villages = self.joining.lock().unwrap_or_else(PoisonError::into_inner);
        if joining {
            villages.insert(authority);
        } else {
            villages.remove(&authority);
        }
    }

    fn is_joining(&self, authority: &str) -> bool {
        self.joining
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(authority)
    }

    async fn farm(&self) -> Result<(FarmView, Vec<Village>), HostError> {
        let farm = self
            .reads
            .farm()
            .await?
            .ok_or("the farm is not founded yet")?;
        Ok((farm, self.reads.villages().await?))
    }

    fn person(&self, farm: &FarmView, villages: &[Village]) -> Result<LocalActor, HostError> {
        let account = self.site.account(&farm.profile.handle, villages);
        Ok(LocalActor {
            name: ACTOR.to_owned(),
            kind: ActorKind::Person,
            account: account.ok_or("the handle and host make no account")?,
            display_name: farm.profile.name.clone(),
            summary: Some("<p>A farm that grows with finished operations work.</p>".to_owned()),
            page: Some(self.site.page()),
            icon: None,
            image: Some(Image {
                url: self.site.picture(),
                media_type: "image/svg+xml".to_owned(),
                alt: Some(format!("A drawing of {}", farm.profile.name)),
            }),
            farm_key: Some(self.farm_key),
            published: Some(farm.created_at),
            manually_approves_followers: !self.accept_followers,
            discoverable: true,
            followers_visibility: FollowersVisibility::Count,
        })
    }

    async fn village_of(&self, actor: &Url) -> Result<Option<Village>, HostError> {
        let villages = self.reads.villages().await?;
        Ok(villages
            .into_iter()
            .find(|village| village.actor == actor.as_str()))
    }

    /// A village follows: one that was still deciding has decided, and one that had ended the
    /// membership begins it again.
    async fn village_follows(&self, actor: &Url) -> Result<(), HostError> {
        let villages = self.reads.villages().await?;
        let homeless = !villages.iter().any(|village| village.home);
        let known = villages.into_iter().find(|v| v.actor == actor.as_str());
        if let Some(village) = known.filter(|v| v.status != Membership::Active) {
            let village = Village {
                status: Membership::Active,
                home: village.home || homeless,
                ..village
            };
            self.writer
                .say(Outgoing {
                    villages: vec![village],
                    ..Outgoing::default()
                })
                .await?;
        }
        self.bell.notify_one();
        Ok(())
    }

    /// A village follows no longer: the membership has ended (`REG-END-002`). A handle that lived
    /// there moves to the village that was joined next.
    async fn village_ends(&self, actor: &Url) -> Result<(), HostError> {
        let mut villages = self.reads.villages().await?;
        villages.retain(|village| village.status == Membership::Active);
        let Some(at) = villages.iter().position(|v| v.actor == actor.as_str()) else {
            return Ok(());
        };
        let ended = villages.remove(at);
        let heir = villages.into_iter().next().filter(|_| ended.home);
        tracing::info!(village = %ended.url, "the village has ended the membership");
        self.writer
            .say(Outgoing {
                villages: heir
                    .into_iter()
                    .map(|heir| Village { home: true, ..heir })
                    .collect(),
                villages_ended: vec![ended.actor],
                ..Outgoing::default()
            })
            .await?;
        Ok(())
    }
}

#[async_trait]
impl Host for FarmHost {
    async fn actor(&self, name: &str) -> Result<Option<LocalActor>, HostError> {
        if name != ACTOR {
            return Ok(None);
        }
        let (farm, villages) = self.farm().await?;
        self.person(&farm, &villages).map(Some)
    }

    async fn webfinger(&self, resource: &Resource) -> Result<Option<Subject>, HostError> {
        let (farm, villages) = self.farm().await?;
        let handle = &farm.profile.handle;
        let Some(account) = self.site.account(handle, &villages) else {
            return Ok(None);
        };
        let meant = match resource {
            Resource::Account(asked) => {
                *asked == account || Some(asked) == self.site.own_account(handle).as_ref()
            }
            Resource::Url(url) => *url == self.site.actor() || *url == self.site.page(),
        };
        Ok(meant.then(|| Subject {
            account,
            actor: self.site.actor(),
            page: Some(self.site.page()),
        }))
    }

    async fn object(&self, id: &Url) -> Result<Option<Value>, HostError> {
        let document = self.reads.object(id.as_str()).await?;
        Ok(document
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()?)
    }

    async fn decide_follow(&self, request: &FollowRequest) -> Result<FollowDecision, HostError> {
        let village = request.remote.kind == ActorKind::Group
            && (self.village_of(&request.remote.id).await?.is_some()
                || authority(&request.remote.id).is_some_and(|a| self.is_joining(&a)));
        Ok(if village || self.accept_followers {
            FollowDecision::Accept
        } else {
            FollowDecision::Hold
        })
    }

    async fn follow_changed(&self, change: &FollowChange) -> Result<(), HostError> {
        let by_village =
            change.direction == Direction::Follower && change.remote.kind == ActorKind::Group;
        match change.state {
            Some(RelationState::Accepted) if by_village => {
                self.village_follows(&change.remote.id).await
            }
            None if by_village => self.village_ends(&change.remote.id).await,
            _ => Ok(()),
        }
    }

    /// The tracker follows others only to be followed back; what they publish is shown by villages.
    async fn snapshot_received(&self, _received: ReceivedSnapshot) -> Result<(), HostError> {
        Ok(())
    }

    async fn deleted(&self, _deletion: &Deletion) -> Result<(), HostError> {
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, HostError> {
        let (farm, _) = self.farm().await?;
        Ok(Usage {
            users: 1,
            active_month: 1,
            active_half_year: 1,
            local_posts: self.reads.count_objects().await?,
            open_registrations: false,
            node_name: farm.profile.name,
        })
    }
}
