//! `Reject`: the one who was asked declines, or takes back, a Follow.

use farmops_protocol::field::FieldError;
use serde_json::{Value, json};
use url::Url;

use crate::protocol::{
    activity::{Activity, outgoing},
    following::follow::{EmbeddedFollow, Follow},
};

/// The one who was asked declines, or takes back, a Follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The activity's id.
    pub id: Url,
    /// Who was asked.
    pub actor: Url,
    /// The Follow.
    pub follow: EmbeddedFollow,
}

impl Reject {
    /// Reads a received Reject.
    pub fn from_activity(activity: &Activity) -> Result<Self, FieldError> {
        Ok(Self {
            id: activity.id.clone(),
            actor: activity.actor.clone(),
            follow: Follow::embedded(activity.object()?)?,
        })
    }

    /// The JSON to send as the answer to `follow`.
    pub fn answer(id: &Url, follow: &Follow) -> Value {
        outgoing(
            "Reject",
            id,
            &follow.object,
            json!({
                "object": follow.to_embedded(),
                "to": [follow.actor],
            }),
        )
    }
}
