//! `Undo`: an actor takes back what it said; here a Follow.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    following::follow::{EmbeddedFollow, Follow},
    tolerant,
};

/// An actor takes back a Follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The activity's id.
    pub id: Url,
    /// Who takes back.
    pub actor: Url,
    /// The Follow taken back.
    pub follow: EmbeddedFollow,
}

impl Undo {
    /// Reads a received Undo; nothing if it undoes something other than a Follow.
    pub fn from_activity(activity: &Activity) -> Result<Option<Self>, FieldError> {
        let object = activity.object()?;
        let other = object.get("type").is_some() && !tolerant::is_type(object, "Follow");
        if other {
            return Ok(None);
        }
        let follow = Follow::embedded(object)?;
        if follow
            .actor
            .as_ref()
            .is_some_and(|actor| *actor != activity.actor)
        {
            return Err(FieldError::new(
                "object.actor",
                "must be the one who undoes",
            ));
        }
        Ok(Some(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            follow,
        }))
    }

    /// The JSON that takes `follow` back.
    pub fn of(id: &Url, follow: &Follow) -> Value {
        outgoing(
            "Undo",
            id,
            &follow.actor,
            json!({
                "object": follow.to_embedded(),
                "to": [follow.object],
            }),
        )
    }
}
