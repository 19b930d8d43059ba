//! Finding remote actors: by handle, by a village's address, by id.

use farmops_protocol::field::FieldError;
use serde_json::Value;
use url::Url;

use super::{Federation, FederationError, INSTANCE};
use crate::{
    account::Account,
    actor::{ActorKind, FollowersVisibility, LocalActor, RemoteActor},
    fetch::{Cause, FetchError},
    protocol::{
        actor as wire,
        nodeinfo::{self, RemoteSoftware},
    },
    webfinger,
};

/// How long a fetched actor document is good, in seconds.
const ACTOR_FRESH_S: i64 = 24 * 3600;

impl Federation {
    /// The actor behind `@name@host`, after WebFinger went round both ways: the handle's host and
    /// the actor's own host name the same subject and the same actor.
    pub async fn resolve(&self, handle: &str) -> Result<RemoteActor, FederationError> {
        let account = Account::parse(handle, self.inner.settings.reach)?;
        let cause = self.fetcher().cause();
        let link = webfinger::look_up(self.fetcher(), &account, &cause).await?;
        let mut actor = self.fetch_actor(&link.actor, &cause).await?;
        webfinger::confirm(self.fetcher(), &link, &actor, &cause).await?;
        actor.account = Some(link.account);
        self.store().save_remote_actor(&actor).await?;
        Ok(actor)
    }

    /// The actor of another village, by the address its people open in the browser.
    pub async fn discover(&self, address: &Url) -> Result<RemoteActor, FederationError> {
        let cause = self.fetcher().cause();
        let link = webfinger::look_up_url(self.fetcher(), address, &cause).await?;
        let actor = self.fetch_actor(&link, &cause).await?;
        self.store().save_remote_actor(&actor).await?;
        Ok(actor)
    }

    /// What program runs at `server`, by its NodeInfo.
    pub async fn software(&self, server: &Url) -> Result<RemoteSoftware, FederationError> {
        let cause = self.fetcher().cause();
        let types = ["application/json"];
        let mut url = server.clone();
        url.set_path("/.well-known/nodeinfo");
        url.set_query(None);
        let links = self.fetcher().json(&url, &types, &cause).await?;
        let document = nodeinfo::document_link(&links, server)?;
        Ok(nodeinfo::parse(
            &self.fetcher().json(&document, &types, &cause).await?,
        )?)
    }

    /// The actor with this id, from memory or freshly fetched.
    pub async fn actor(&self, id: &Url) -> Result<RemoteActor, FederationError> {
        self.actor_within(id, &self.fetcher().cause()).await
    }

    /// The actor with this id if it was met before; asks nobody.
    pub async fn known_actor(&self, id: &Url) -> Result<Option<RemoteActor>, FederationError> {
        Ok(self.store().remote_actor(id).await?)
    }

    pub(crate) async fn actor_within(
        &self,
        id: &Url,
        cause: &Cause,
    ) -> Result<RemoteActor, FederationError> {
        match self.store().remote_actor(id).await? {
            Some(actor) if self.now().seconds_since(actor.fetched_at) < ACTOR_FRESH_S => Ok(actor),
            Some(stale) => match self.refresh_within(id, cause).await {
                Ok(actor) => Ok(actor),
                // Out of reach just now: what we knew yesterday still holds.
                Err(FederationError::Fetch(e)) if e.is_transient() => Ok(stale),
                Err(error) => Err(error),
            },
            None => self.refresh_within(id, cause).await,
        }
    }

    /// Fetches an actor's document again and tells the service if it differs.
    pub async fn refresh_actor(&self, id: &Url) -> Result<RemoteActor, FederationError> {
        self.refresh_within(id, &self.fetcher().cause()).await
    }

    pub(crate) async fn refresh_within(
        &self,
        id: &Url,
        cause: &Cause,
    ) -> Result<RemoteActor, FederationError> {
        let actor = self.fetch_actor(id, cause).await?;
        let known = self.store().remote_actor(&actor.id).await?;
        self.store().save_remote_actor(&actor).await?;
        let same = |known: &RemoteActor| {
            RemoteActor {
                fetched_at: actor.fetched_at,
                ..known.clone()
            } == actor
        };
        if known.as_ref().is_some_and(|known| !same(known)) {
            self.host()
                .actor_changed(&actor)
                .await
                .map_err(FederationError::Host)?;
        }
        Ok(actor)
    }

    /// Takes the farm key that an actor's document offers in place of the pinned one. For a
    /// person who has compared fingerprints; nothing here does it on its own.
    pub async fn trust_offered_farm_key(&self, id: &Url) -> Result<RemoteActor, FederationError> {
        let mut actor = self
            .store()
            .remote_actor(id)
            .await?
            .ok_or(FederationError::NoSuchRelation)?;
        if let Some(offered) = actor.farm_key_offered.take() {
            actor.farm_key = Some(offered);
            self.store().save_remote_actor(&actor).await?;
        }
        Ok(actor)
    }

    /// Fetches an actor from its id, and keeps what must not change silently.
    ///
    /// The RSA key may change: the document came from the actor's own origin, which is all that
    /// key ever proved. The farm key signs what others relay, so a new one is only offered.
    pub(crate) async fn fetch_actor(
        &self,
        id: &Url,
        cause: &Cause,
    ) -> Result<RemoteActor, FederationError> {
        let mut id = id.clone();
        id.set_fragment(None);
        let document = self.fetcher().object(&id, cause).await?;
        let mut actor =
            wire::parse(&document, &id, self.now()).map_err(|source| FetchError::Document {
                url: id.to_string(),
                source,
            })?;
        for inbox in std::iter::once(&actor.inbox).chain(&actor.shared_inbox) {
            self.fetcher()
                .gate()
                .check(inbox)
                .map_err(FetchError::Gate)?;
        }
        if let Some(known) = self.store().remote_actor(&actor.id).await? {
            actor.account = actor.account.or(known.account);
            if let Some(pinned) = known.farm_key {
                let offered = actor
                    .farm_key
                    .take()
                    .filter(|offered| offered.key != pinned.key);
                actor.farm_key_offered = offered;
                actor.farm_key = Some(pinned);
            }
        }
        Ok(actor)
    }

    /// The document of a local actor.
    pub(crate) async fn actor_document(
        &self,
        name: &str,
    ) -> Result<Option<Value>, FederationError> {
        let actor = match self.local(name).await {
            Ok(actor) => actor,
            Err(FederationError::NoSuchActor(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if actor.name != name {
            return Err(FieldError::new("name", "is not the actor that was asked for").into());
        }
        let keys = self.keys(name).await?;
        Ok(Some(wire::write(self, &actor, keys.public_pem())))
    }

    /// The server's own actor.
    pub(crate) fn instance_actor(&self) -> LocalActor {
        let host = self.fetcher().gate().local_authority().to_owned();
        LocalActor {
            name: INSTANCE.to_owned(),
            kind: ActorKind::Application,
            account: Account::of_server(&host),
            display_name: host,
            summary: None,
            page: Some(self.inner.settings.public_url.clone()),
            icon: None,
            image: None,
            farm_key: None,
            published: None,
            manually_approves_followers: true,
            discoverable: false,
            followers_visibility: FollowersVisibility::Count,
        }
    }
}
