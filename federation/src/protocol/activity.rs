//! What every activity has: id, type, actor and, nearly always, an object.

use farmops_protocol::field::FieldError;
use serde_json::{Map, Value, json};
use url::Url;

use crate::protocol::{context::context, tolerant};

/// An activity read only as far as everyone must: who says it, what kind it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: Url,
    /// Who says it.
    pub actor: Url,
    /// Its type, `Follow`; the first one if it has several.
    pub kind: String,
    /// The whole document.
    pub document: Value,
}

impl Activity {
    /// Reads the head of an activity.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        Self::from_document(tolerant::document(bytes)?)
    }

    /// Reads the head of an activity already parsed within the limits.
    pub fn from_document(document: Value) -> Result<Self, FieldError> {
        let id = tolerant::url(document.get("id").unwrap_or(&Value::Null), "id")?;
        let actor = tolerant::required(&document, "actor")?;
        if id.origin() != actor.origin() {
            return Err(FieldError::new("id", "must be on the actor's own server"));
        }
        let kind = match document.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => match kinds.first() {
                Some(Value::String(kind)) => kind.clone(),
                _ => return Err(FieldError::new("type", "must be a name")),
            },
            _ => return Err(FieldError::new("type", "must be a name")),
        };
        Ok(Self {
            id,
            actor,
            kind,
            document,
        })
    }

    /// The object, as a value.
    pub fn object(&self) -> Result<&Value, FieldError> {
        match self.document.get("object") {
            None | Some(Value::Null) => Err(FieldError::new("object", "is missing")),
            Some(Value::Array(items)) => match items.as_slice() {
                [only] => Ok(only),
                _ => Err(FieldError::new("object", "must name exactly one")),
            },
            Some(object) => Ok(object),
        }
    }

    /// The object's id.
    pub fn object_id(&self) -> Result<Url, FieldError> {
        tolerant::reference(self.object()?, "object")
    }
}

/// The JSON of an activity of ours.
pub(crate) fn outgoing(kind: &str, id: &Url, actor: &Url, members: Value) -> Value {
    let mut activity = Map::new();
    activity.insert("@context".into(), context());
    activity.insert("id".into(), json!(id));
    activity.insert("type".into(), json!(kind));
    activity.insert("actor".into(), json!(actor));
    if let Value::Object(members) = members {
        activity.extend(members);
    }
    Value::Object(activity)
}
