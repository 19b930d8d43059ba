//! Follow and its answers.

pub(crate) mod accept;
pub(crate) mod follow;
pub(crate) mod reject;
pub(crate) mod undo;

use url::Url;

use crate::{
    actor::RemoteActor,
    federation::Federation,
    relation::{Direction, Relation},
    store::StoreError,
};

/// The relation that an answer of `sender` is about: begun by our own Follow with this very id,
/// to this very actor. Anything else is no answer to us.
async fn asked(
    federation: &Federation,
    sender: &RemoteActor,
    follow_id: Option<&Url>,
) -> Result<Option<Relation>, StoreError> {
    let Some(id) = follow_id else { return Ok(None) };
    let relation = federation.store().relation_by_follow(id).await?;
    Ok(relation.filter(|r| r.direction == Direction::Following && r.remote == sender.id))
}
