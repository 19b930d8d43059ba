//! Making and sending posts.

use farmops_protocol::field::FieldError;
use serde_json::Value;
use url::Url;

use super::{Federation, FederationError};
use crate::{
    post::{Audience, Post},
    protocol::{
        publishing::{announce::Announce, create::Create, delete::Delete, update::Update},
        tolerant,
    },
};

impl Federation {
    /// A Create of `object` by the local actor `name`. `key` makes the activity's id
    /// (`{public_url}/ap/activities/{key}`): the same key is the same activity, sent once.
    /// Letters, digits, `-`, `_` and `.`; at most 128.
    pub fn create(
        &self,
        name: &str,
        key: &str,
        object: &Value,
        audience: Audience,
    ) -> Result<Post, FieldError> {
        let published = self.now().to_string();
        self.post(name, key, object, audience, |id, actor| {
            Create::of(id, actor, object, &published)
        })
    }

    /// An Update of `object`, as [`Self::create`].
    pub fn update(
        &self,
        name: &str,
        key: &str,
        object: &Value,
        audience: Audience,
    ) -> Result<Post, FieldError> {
        let published = self.now().to_string();
        self.post(name, key, object, audience, |id, actor| {
            Update::of(id, actor, object, &published)
        })
    }

    /// An Announce of someone else's signed `object`, embedded member for member.
    pub fn announce(
        &self,
        name: &str,
        key: &str,
        object: &Value,
        audience: Audience,
    ) -> Result<Post, FieldError> {
        let published = self.now().to_string();
        self.post(name, key, object, audience, |id, actor| {
            Announce::of(id, actor, object, &published)
        })
    }

    /// A Delete of an object of the local actor `name`, or of the actor itself.
    pub fn delete(
        &self,
        name: &str,
        key: &str,
        object: &Url,
        audience: Audience,
    ) -> Result<Post, FieldError> {
        let reference = Value::from(object.as_str());
        self.post(name, key, &reference, audience, |id, actor| {
            Delete::of(id, actor, object)
        })
    }

    /// An Update of the actor `name` itself, after its name, text or picture changed.
    pub async fn update_actor(&self, name: &str, key: &str) -> Result<Post, FederationError> {
        let document = self.actor_document(name).await?;
        let document = document.ok_or_else(|| FederationError::NoSuchActor(name.to_owned()))?;
        let mut post = self.update(name, key, &document, Audience::Everyone)?;
        post.listed = false;
        Ok(post)
    }

    /// Appends a post and wakes the worker; false if the same id was appended before.
    pub async fn publish(&self, post: &Post) -> Result<bool, FederationError> {
        let appended = self.store().append_post(post).await?;
        self.wake();
        Ok(appended)
    }

    fn post(
        &self,
        name: &str,
        key: &str,
        object: &Value,
        audience: Audience,
        activity: impl FnOnce(&Url, &Url) -> Value,
    ) -> Result<Post, FieldError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || key.len() > 128 || !key.chars().all(plain) {
            return Err(FieldError::new(
                "key",
                "must be 1 to 128 letters, digits, -, _ or .",
            ));
        }
        let actor = self.actor_id(name);
        let id = self.object_id("activities", key);
        let body = activity(&id, &actor).to_string();
        if body.len() > tolerant::BODY_BYTES_MAX {
            return Err(FieldError::new(
                "object",
                "makes the activity longer than 256 KiB",
            ));
        }
        Ok(Post {
            object: tolerant::reference(object, "object")?,
            listed: !matches!(audience, Audience::Inboxes(_)),
            id,
            actor,
            audience,
            body,
            published: self.now(),
        })
    }

    /// A post about a relation: unlisted, to one inbox, ordered with its like by the other actor.
    pub(crate) fn letter(&self, local: &Url, remote: &Url, inbox: &Url, activity: &Value) -> Post {
        // Every activity of ours has an id that is a URL.
        let id = tolerant::url(&activity["id"], "id").unwrap_or_else(|_| local.clone());
        Post {
            id,
            actor: local.clone(),
            object: remote.clone(),
            audience: Audience::Inboxes(vec![inbox.clone()]),
            listed: false,
            body: activity.to_string(),
            published: self.now(),
        }
    }

    /// A fresh activity id.
    pub(crate) fn fresh_id(&self) -> Url {
        self.object_id("activities", &uuid::Uuid::now_v7().to_string())
    }
}
