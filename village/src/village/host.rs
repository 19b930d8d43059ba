//! What the federation engine asks the village.

use async_trait::async_trait;
use farmops_federation::{
    ActorKind, Deletion, Direction, FollowChange, FollowDecision, FollowRequest,
    FollowersVisibility, Host, HostError, LocalActor, ReceivedSnapshot, RelationState, RemoteActor,
    Resource, Subject, Usage,
};
use url::Url;

use super::{VILLAGE, Village};
use crate::{
    farmer::{Farmer, Following, Membership},
    names,
    roster::Registration,
};

#[async_trait]
impl Host for Village {
    async fn actor(&self, name: &str) -> Result<Option<LocalActor>, HostError> {
        let Some(account) = self.account().filter(|_| name == VILLAGE) else {
            return Ok(None);
        };
        Ok(Some(LocalActor {
            name: VILLAGE.to_owned(),
            kind: ActorKind::Group,
            account,
            display_name: self.record().name.clone(),
            summary: Some(format!(
                "<p>{}</p>",
                crate::html::escape(&self.record().description)
            ))
            .filter(|_| !self.record().description.is_empty()),
            page: Some(self.url_of("/")),
            icon: None,
            image: None,
            farm_key: None,
            published: Some(self.record().created_at),
            manually_approves_followers: true,
            discoverable: true,
            followers_visibility: FollowersVisibility::Public,
        }))
    }

    async fn webfinger(&self, resource: &Resource) -> Result<Option<Subject>, HostError> {
        match resource {
            Resource::Account(account) if account.host() != self.host_name() => Ok(None),
            Resource::Account(account) if account.name() == self.record().slug => {
                Ok(self.village_subject())
            }
            Resource::Account(account) => {
                let farmer = self.store().farmer_by_account(account).await?;
                Ok(farmer.and_then(|farmer| self.member_subject(&farmer)))
            }
            Resource::Url(url) => self.subject_at(url).await,
        }
    }

    async fn decide_follow(&self, request: &FollowRequest) -> Result<FollowDecision, HostError> {
        // People may listen to what the village announces; villages are asked in by its people.
        Ok(match request.remote.kind {
            ActorKind::Group if self.store().has_room_for_peer(&request.remote.id).await? => {
                FollowDecision::Hold
            }
            ActorKind::Group => FollowDecision::Reject,
            _ => FollowDecision::Accept,
        })
    }

    async fn follow_changed(&self, change: &FollowChange) -> Result<(), HostError> {
        if change.local != self.federation().actor_id(VILLAGE) {
            return Ok(());
        }
        match (change.remote.kind, change.direction) {
            (ActorKind::Group, direction) => {
                self.peer_moved(&change.remote, direction, change.state)
                    .await?;
                self.introduce_members(&change.remote).await?;
            }
            (_, Direction::Following) => self.farmer_answered(&change.remote, change.state).await?,
            (_, Direction::Follower) => {}
        }
        Ok(())
    }

    async fn snapshot_received(&self, received: ReceivedSnapshot) -> Result<(), HostError> {
        self.receive(&received.snapshot, &received.author, &received.via)
            .await?;
        Ok(())
    }

    async fn actor_changed(&self, actor: &RemoteActor) -> Result<(), HostError> {
        let name = names::shown_name(&actor.name, &actor.username);
        self.store()
            .rename_actor(&actor.id, &name, actor.page.as_ref())
            .await?;
        self.changed();
        Ok(())
    }

    async fn deleted(&self, deletion: &Deletion) -> Result<(), HostError> {
        let gone = match deletion {
            Deletion::Actor(actor) => {
                let farmer = self.store().forget_actor(actor).await?;
                let village = self.store().forget_village(actor).await?;
                farmer || village
            }
            Deletion::Object { actor, id } => {
                self.store().forget_object(actor, id).await?
                    || self.peer_farewell(actor, id).await?
            }
        };
        if gone {
            self.changed();
        }
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, HostError> {
        let counts = self.store().counts(self.now()).await?;
        Ok(Usage {
            users: counts.members,
            active_month: counts.active_month,
            active_half_year: counts.active_half_year,
            local_posts: counts.snapshots,
            open_registrations: self.registration() == Registration::Open,
            node_name: self.record().name.clone(),
        })
    }
}

impl Village {
    fn village_subject(&self) -> Option<Subject> {
        Some(Subject {
            account: self.account()?,
            actor: self.federation().actor_id(VILLAGE),
            page: Some(self.url_of("/")),
        })
    }

    /// Only a member's handle leads anywhere.
    fn member_subject(&self, farmer: &Farmer) -> Option<Subject> {
        (farmer.membership == Some(Membership::Active)).then(|| Subject {
            account: farmer.account.clone(),
            actor: farmer.actor.clone(),
            page: Some(self.url_of(&farmer.path(self.host_name()))),
        })
    }

    async fn subject_at(&self, url: &Url) -> Result<Option<Subject>, HostError> {
        if let Some(farmer) = self.store().farmer_by_actor(url).await? {
            return Ok(self.member_subject(&farmer));
        }
        if url.origin() != self.inner.settings.public_url.origin() {
            return Ok(None);
        }
        if matches!(url.path(), "/" | "/ap/village" | "/about") {
            return Ok(self.village_subject());
        }
        let handle = url
            .path()
            .strip_prefix("/farmers/@")
            .and_then(|name| self.account_of(name));
        let Some(account) = handle else {
            return Ok(None);
        };
        let farmer = self.store().farmer_by_account(&account).await?;
        Ok(farmer.and_then(|farmer| self.member_subject(&farmer)))
    }

    /// A farmer's tracker answered our Follow, or ended it.
    async fn farmer_answered(
        &self,
        remote: &RemoteActor,
        state: Option<RelationState>,
    ) -> Result<(), HostError> {
        let Some(farmer) = self.store().farmer_by_actor(&remote.id).await? else {
            return Ok(());
        };
        match state {
            Some(RelationState::Pending) => {}
            Some(RelationState::Accepted) => {
                if farmer.following.is_some() {
                    self.store()
                        .set_following(farmer.id, Some(Following::Active))
                        .await?;
                }
                self.changed();
                self.catch_up(remote.clone());
            }
            Some(RelationState::Rejected | RelationState::Blocked) | None => {
                if farmer.following.is_some() {
                    self.store().set_following(farmer.id, None).await?;
                }
                // A tracker that does not let the village follow has no place on its board.
                if farmer.membership == Some(Membership::Active) {
                    let farewell = self.farewell(&farmer)?;
                    let left = Membership::Left;
                    self.store()
                        .end_membership(farmer.id, left, None, &farewell)
                        .await?;
                    self.federation().wake();
                }
                self.changed();
            }
        }
        Ok(())
    }
}
