//! `Create`: a new object from its author.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    publishing::announce::addressing,
    tolerant,
};

/// Create: a new object from its author.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The activity's id.
    pub id: Url,
    /// The author.
    pub actor: Url,
    /// The object's id.
    pub object_id: Url,
    /// The object as it arrived.
    pub object: Value,
}

impl Create {
    /// Reads a received Create. The object must be the actor's own: named as such, on its server.
    pub fn from_activity(activity: &Activity) -> Result<Self, FieldError> {
        let object = activity.object()?;
        if !object.is_object() {
            return Err(FieldError::new("object", "must be embedded"));
        }
        let object_id = tolerant::reference(object, "object.id")?;
        if object_id.origin() != activity.actor.origin() {
            return Err(FieldError::new(
                "object.id",
                "must be on the actor's own server",
            ));
        }
        let owner = tolerant::optional(object, "attributedTo").map_err(|e| e.within("object"))?;
        if owner.is_some_and(|owner| owner != activity.actor) {
            return Err(FieldError::new("object.attributedTo", "must be the actor"));
        }
        Ok(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            object_id,
            object: object.clone(),
        })
    }

    /// The JSON to send; `object` goes out member for member as it is.
    pub fn of(id: &Url, actor: &Url, object: &Value, published: &str) -> Value {
        let (to, cc) = addressing(actor, object);
        outgoing(
            "Create",
            id,
            actor,
            json!({
                "published": published,
                "to": to,
                "cc": cc,
                "object": object,
            }),
        )
    }
}
