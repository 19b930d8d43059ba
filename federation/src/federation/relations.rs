//! Following, and being followed, from the local side.

use url::Url;

use super::{Federation, FederationError, INSTANCE};
use crate::{
    account::authority,
    actor::{LocalActor, RemoteActor},
    host::FollowChange,
    policy::{Act, Standing, Verdict, decide},
    protocol::following::{accept::Accept, follow::Follow, reject::Reject, undo::Undo},
    relation::{Direction, Relation, RelationState},
    store::RelationFilter,
};

impl Federation {
    /// Asks `remote` to let the local actor `name` follow it. Asking again is harmless.
    pub async fn follow(&self, name: &str, remote: &Url) -> Result<Relation, FederationError> {
        let local = self.local(name).await?;
        let actor = self.actor(remote).await?;
        self.follow_actor(&local, &actor).await
    }

    pub(crate) async fn follow_actor(
        &self,
        local: &LocalActor,
        remote: &RemoteActor,
    ) -> Result<Relation, FederationError> {
        let id = self.actor_id(&local.name);
        if let Verdict::Deny(reason) = decide(Act::Follow, self.standing(&remote.id, &[]).await?) {
            return Err(FederationError::Denied(reason));
        }
        let known = self
            .store()
            .relation(&id, &remote.id, Direction::Following)
            .await?;
        let relation = match known {
            Some(relation) if relation.state == RelationState::Accepted => return Ok(relation),
            // Its Follow may not have been appended before a crash: append it again, as the same.
            Some(relation) if relation.state == RelationState::Pending => relation,
            _ => Relation {
                local: id.clone(),
                remote: remote.id.clone(),
                direction: Direction::Following,
                state: RelationState::Pending,
                follow_id: self.fresh_id(),
                remote_kind: remote.kind,
                inbox: remote.delivery_inbox().clone(),
                changed_at: self.now(),
            },
        };
        let follow = Follow {
            id: relation.follow_id.clone(),
            actor: id,
            object: remote.id.clone(),
        };
        let Relation { local, inbox, .. } = &relation;
        let letter = self.letter(local, &remote.id, inbox, &follow.to_value());
        self.store()
            .save_relation_and_post(&relation, &letter)
            .await?;
        self.wake();
        Ok(relation)
    }

    /// Stops following `remote`; false if the local actor did not follow it.
    pub async fn unfollow(&self, name: &str, remote: &Url) -> Result<bool, FederationError> {
        let local = self.actor_id(name);
        let known = self
            .store()
            .relation(&local, remote, Direction::Following)
            .await?;
        let Some(relation) = known else {
            return Ok(false);
        };
        let follow = Follow {
            id: relation.follow_id.clone(),
            actor: local.clone(),
            object: remote.clone(),
        };
        let undo = Undo::of(&self.fresh_id(), &follow);
        self.publish(&self.letter(&local, remote, &relation.inbox, &undo))
            .await?;
        self.end(&relation).await?;
        Ok(true)
    }

    /// Lets a waiting follower in.
    pub async fn accept_follower(
        &self,
        name: &str,
        remote: &Url,
    ) -> Result<Relation, FederationError> {
        self.answer_follower(name, remote, RelationState::Accepted)
            .await
    }

    /// Turns a follower, waiting or accepted, away.
    pub async fn reject_follower(
        &self,
        name: &str,
        remote: &Url,
    ) -> Result<Relation, FederationError> {
        self.answer_follower(name, remote, RelationState::Rejected)
            .await
    }

    /// Turns a follower away for good: it is told once, and nothing that it asks is heard until
    /// [`Self::unblock_follower`].
    pub async fn block_follower(
        &self,
        name: &str,
        remote: &Url,
    ) -> Result<Relation, FederationError> {
        self.answer_follower(name, remote, RelationState::Blocked)
            .await
    }

    /// Lets a blocked follower ask again; false if it was not blocked.
    pub async fn unblock_follower(
        &self,
        name: &str,
        remote: &Url,
    ) -> Result<bool, FederationError> {
        let local = self.actor_id(name);
        let known = self
            .store()
            .relation(&local, remote, Direction::Follower)
            .await?;
        match known {
            Some(relation) if relation.state == RelationState::Blocked => {
                self.end(&relation).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn answer_follower(
        &self,
        name: &str,
        remote: &Url,
        state: RelationState,
    ) -> Result<Relation, FederationError> {
        let local = self.actor_id(name);
        let known = self
            .store()
            .relation(&local, remote, Direction::Follower)
            .await?;
        let relation = known.ok_or(FederationError::NoSuchRelation)?;
        let standing = self.standing(remote, &[]).await?;
        if standing.blocked && state == RelationState::Accepted {
            return Err(FederationError::Denied("its server is blocked here"));
        }
        self.answer(relation, state).await
    }

    /// Brings a follower relation to its answer and sends the answer, to be called again after a
    /// crash: a second answer says the same.
    pub(crate) async fn answer(
        &self,
        relation: Relation,
        state: RelationState,
    ) -> Result<Relation, FederationError> {
        let follow = Follow {
            id: relation.follow_id.clone(),
            actor: relation.remote.clone(),
            object: relation.local.clone(),
        };
        let relation = Relation {
            state,
            changed_at: self.now(),
            ..relation
        };
        let activity = match state {
            RelationState::Accepted => Accept::answer(&self.fresh_id(), &follow),
            _ => Reject::answer(&self.fresh_id(), &follow),
        };
        let Relation {
            local,
            remote,
            inbox,
            ..
        } = &relation;
        let letter = self.letter(local, remote, inbox, &activity);
        self.store()
            .save_relation_and_post(&relation, &letter)
            .await?;
        self.wake();
        self.tell(&relation, Some(state)).await?;
        Ok(relation)
    }

    /// Ends a relation. The service hears of it first: a crash between the two repeats the
    /// telling, never loses it.
    pub(crate) async fn end(&self, relation: &Relation) -> Result<(), FederationError> {
        self.tell(relation, None).await?;
        let Relation {
            local,
            remote,
            direction,
            ..
        } = relation;
        self.store().end_relation(local, remote, *direction).await?;
        Ok(())
    }

    /// Tells the service that a relation came to `state`.
    pub(crate) async fn tell(
        &self,
        relation: &Relation,
        state: Option<RelationState>,
    ) -> Result<(), FederationError> {
        let Some(remote) = self.store().remote_actor(&relation.remote).await? else {
            return Ok(());
        };
        let change = FollowChange {
            local: relation.local.clone(),
            remote,
            direction: relation.direction,
            state,
        };
        self.host()
            .follow_changed(&change)
            .await
            .map_err(FederationError::Host)
    }

    /// The followers of a local actor, ordered by id, at most `limit` after `after`.
    pub async fn followers(
        &self,
        name: &str,
        state: Option<RelationState>,
        after: Option<&Url>,
        limit: u32,
    ) -> Result<Vec<Relation>, FederationError> {
        self.list(name, Direction::Follower, state, after, limit)
            .await
    }

    /// Whom a local actor follows, ordered by id, at most `limit` after `after`.
    pub async fn following(
        &self,
        name: &str,
        state: Option<RelationState>,
        after: Option<&Url>,
        limit: u32,
    ) -> Result<Vec<Relation>, FederationError> {
        self.list(name, Direction::Following, state, after, limit)
            .await
    }

    async fn list(
        &self,
        name: &str,
        direction: Direction,
        state: Option<RelationState>,
        after: Option<&Url>,
        limit: u32,
    ) -> Result<Vec<Relation>, FederationError> {
        let filter = RelationFilter {
            local: self.actor_id(name),
            direction,
            state,
        };
        Ok(self.store().relations(&filter, after, limit).await?)
    }

    /// The local actor `name`; the service's, or the engine's own instance actor.
    pub(crate) async fn local(&self, name: &str) -> Result<LocalActor, FederationError> {
        if name == INSTANCE {
            return Ok(self.instance_actor());
        }
        let actor = self
            .host()
            .actor(name)
            .await
            .map_err(FederationError::Host)?;
        actor.ok_or_else(|| FederationError::NoSuchActor(name.to_owned()))
    }

    /// What the policy needs to know of an actor; `others` are further ids it involves.
    pub(crate) async fn standing(
        &self,
        actor: &Url,
        others: &[&Url],
    ) -> Result<Standing, FederationError> {
        let involved = std::iter::once(actor).chain(others.iter().copied());
        let hosts: Vec<String> = involved.filter_map(authority).collect();
        Ok(Standing {
            blocked: self.store().any_blocked(&hosts).await?,
            following: self.store().following_state(actor).await?,
        })
    }
}
