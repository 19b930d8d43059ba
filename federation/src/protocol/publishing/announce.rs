//! `Announce`: an actor passes on what another made; a village, its farmers' snapshots.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    context::PUBLIC,
    tolerant,
};

/// An actor passes on what another made.
#[derive(Clone, Debug, PartialEq)]
pub struct Announce {
    /// The activity's id.
    pub id: Url,
    /// Who passes it on.
    pub actor: Url,
    /// The object's id.
    pub object_id: Url,
    /// The object, if it came along.
    pub object: Option<Value>,
}

impl Announce {
    /// Reads a received Announce.
    pub fn from_activity(activity: &Activity) -> Result<Self, FieldError> {
        let object = activity.object()?;
        Ok(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            object_id: tolerant::reference(object, "object")?,
            object: object.is_object().then(|| object.clone()),
        })
    }

    /// The JSON to send, with the signed object inside, member for member as it is.
    pub fn of(id: &Url, actor: &Url, object: &Value, published: &str) -> Value {
        outgoing(
            "Announce",
            id,
            actor,
            json!({
                "published": published,
                "to": [PUBLIC],
                "cc": [format!("{actor}/followers")],
                "object": object,
            }),
        )
    }
}

/// The `to` and `cc` of an activity: those of its object, or the public and the followers.
pub(crate) fn addressing(actor: &Url, object: &Value) -> (Value, Value) {
    match (object.get("to"), object.get("cc")) {
        (Some(to), cc) => (to.clone(), cc.cloned().unwrap_or_else(|| json!([]))),
        (None, _) => (json!([PUBLIC]), json!([format!("{actor}/followers")])),
    }
}
