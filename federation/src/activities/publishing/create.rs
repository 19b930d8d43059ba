//! A received Create.

use crate::{
    activities::{HandleError, Handled, publishing::object::take_own},
    actor::RemoteActor,
    federation::Federation,
    protocol::publishing::create::Create,
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    create: &Create,
) -> Result<Handled, HandleError> {
    take_own(federation, sender, &create.object_id, &create.object, false).await
}
