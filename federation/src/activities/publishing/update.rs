//! A received Update: of an object, or of the actor itself.

use crate::{
    activities::{HandleError, Handled, publishing::object::take_own},
    actor::{ActorKind, RemoteActor},
    federation::Federation,
    protocol::{publishing::update::Update, tolerant},
};

pub(crate) async fn handle(
    federation: &Federation,
    sender: &RemoteActor,
    update: &Update,
) -> Result<Handled, HandleError> {
    let is_actor = ActorKind::ALL
        .iter()
        .any(|k| tolerant::is_type(&update.object, k.as_str()));
    match (update.object_id == sender.id, is_actor) {
        // What the activity says of the actor is only a hint: its own document is asked, and the
        // rules for keys stand there.
        (true, _) => {
            federation.refresh_actor(&sender.id).await?;
            Ok(Handled::Done("a profile"))
        }
        (false, true) => Ok(Handled::Done("an Update of another actor")),
        (false, false) => {
            take_own(federation, sender, &update.object_id, &update.object, true).await
        }
    }
}
