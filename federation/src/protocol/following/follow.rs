//! `Follow`: an actor asks to receive another's posts.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    tolerant,
};

/// An actor asks to receive another's posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// The activity's id, which the answer names.
    pub id: Url,
    /// Who asks.
    pub actor: Url,
    /// Whom.
    pub object: Url,
}

impl Follow {
    /// Reads a received Follow.
    pub fn from_activity(activity: &Activity) -> Result<Self, FieldError> {
        Ok(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            object: activity.object_id()?,
        })
    }

    /// Reads a Follow embedded in an answer to it or in its undoing. The members may be missing
    /// when other software embeds less; what is there is returned.
    pub fn embedded(value: &Value) -> Result<EmbeddedFollow, FieldError> {
        let id = match value {
            Value::Object(object) if !object.contains_key("id") => None,
            other => Some(tolerant::reference(other, "object")?),
        };
        if value.is_object() && value.get("type").is_some() && !tolerant::is_type(value, "Follow") {
            return Err(FieldError::new("object.type", "must be Follow"));
        }
        Ok(EmbeddedFollow {
            id,
            actor: tolerant::optional(value, "actor").map_err(|e| e.within("object"))?,
            object: tolerant::optional(value, "object").map_err(|e| e.within("object"))?,
        })
    }

    /// The JSON to send.
    pub fn to_value(&self) -> Value {
        outgoing(
            "Follow",
            &self.id,
            &self.actor,
            json!({
                "object": self.object,
                "to": [self.object],
            }),
        )
    }

    /// The JSON to embed in another activity, without a context of its own.
    pub fn to_embedded(&self) -> Value {
        json!({ "id": self.id, "type": "Follow", "actor": self.actor, "object": self.object })
    }
}

/// As much of a Follow as another activity carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbeddedFollow {
    /// The Follow's id.
    pub id: Option<Url>,
    /// Who asked.
    pub actor: Option<Url>,
    /// Whom.
    pub object: Option<Url>,
}
