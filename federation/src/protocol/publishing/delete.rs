//! `Delete`: an actor, or an object of it, is gone.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    context::PUBLIC,
};

/// An actor, or an object of it, is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    /// The activity's id.
    pub id: Url,
    /// Whose it was.
    pub actor: Url,
    /// What is gone.
    pub object: Url,
}

impl Delete {
    /// Reads a received Delete. Only what is on the actor's own server can be gone.
    pub fn from_activity(activity: &Activity) -> Result<Self, FieldError> {
        let object = activity.object_id()?;
        if object.origin() != activity.actor.origin() {
            return Err(FieldError::new(
                "object",
                "must be on the actor's own server",
            ));
        }
        Ok(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            object,
        })
    }

    /// Whether the actor itself is gone.
    pub fn is_of_actor(&self) -> bool {
        self.object == self.actor
    }

    /// The JSON to send.
    pub fn of(id: &Url, actor: &Url, object: &Url) -> Value {
        let gone = if object == actor {
            json!(object)
        } else {
            json!({ "id": object, "type": "Tombstone" })
        };
        outgoing(
            "Delete",
            id,
            actor,
            json!({ "to": [PUBLIC], "object": gone }),
        )
    }
}
