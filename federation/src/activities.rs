//! What each activity does: behaviours in the twin of the tree of wire types.

pub mod following;
pub mod publishing;

use farmops_protocol::field::FieldError;

use crate::{
    federation::{Federation, FederationError},
    inbox::Verified,
    protocol::{
        activity::Activity,
        following::{accept::Accept, follow::Follow, reject::Reject, undo::Undo},
        publishing::{announce::Announce, create::Create, delete::Delete, update::Update},
    },
};

/// An activity in its own type.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// Someone asks to follow.
    Follow(Follow),
    /// Someone agrees to our Follow.
    Accept(Accept),
    /// Someone declines our Follow.
    Reject(Reject),
    /// Someone takes a Follow back.
    Undo(Undo),
    /// Someone made something.
    Create(Create),
    /// Someone changed something.
    Update(Update),
    /// Someone passes something on.
    Announce(Announce),
    /// Something is gone.
    Delete(Delete),
    /// A kind that means nothing here.
    Other,
}

impl Incoming {
    /// Reads an activity as what it says it is.
    pub fn parse(activity: &Activity) -> Result<Self, FieldError> {
        Ok(match activity.kind.as_str() {
            "Follow" => Self::Follow(Follow::from_activity(activity)?),
            "Accept" => Self::Accept(Accept::from_activity(activity)?),
            "Reject" => Self::Reject(Reject::from_activity(activity)?),
            "Undo" => Undo::from_activity(activity)?.map_or(Self::Other, Self::Undo),
            "Create" => Self::Create(Create::from_activity(activity)?),
            "Update" => Self::Update(Update::from_activity(activity)?),
            "Announce" => Self::Announce(Announce::from_activity(activity)?),
            "Delete" => Self::Delete(Delete::from_activity(activity)?),
            _ => Self::Other,
        })
    }
}

/// What became of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handled {
    /// It is done with.
    Done(&'static str),
    /// It waits for an answer of someone else.
    Held(&'static str),
}

/// An activity had no effect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandleError {
    /// It breaks a rule, and always will.
    #[error(transparent)]
    Refused(#[from] FieldError),
    /// Something failed; it may go better later.
    #[error(transparent)]
    Failed(#[from] FederationError),
}

impl From<crate::store::StoreError> for HandleError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Lets an activity have its effect.
pub(crate) async fn handle(
    federation: &Federation,
    verified: &Verified<Incoming>,
) -> Result<Handled, HandleError> {
    let sender = verified.sender();
    match verified.value() {
        Incoming::Follow(follow) => following::follow::handle(federation, sender, follow).await,
        Incoming::Accept(accept) => following::accept::handle(federation, sender, accept).await,
        Incoming::Reject(reject) => following::reject::handle(federation, sender, reject).await,
        Incoming::Undo(undo) => following::undo::handle(federation, sender, undo).await,
        Incoming::Create(create) => publishing::create::handle(federation, sender, create).await,
        Incoming::Update(update) => publishing::update::handle(federation, sender, update).await,
        Incoming::Announce(announce) => {
            publishing::announce::handle(federation, sender, announce).await
        }
        Incoming::Delete(delete) => publishing::delete::handle(federation, sender, delete).await,
        Incoming::Other => Ok(Handled::Done("of no concern here")),
    }
}
