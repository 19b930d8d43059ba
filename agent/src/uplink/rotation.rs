//! The rotation that is under way, as the first word to the tracker (`KEY-ROT-007`).

use farmops_protocol::enrolment::EnrolmentAnswer;
use farmops_protocol::key::PublicKey;
use farmops_protocol::rotation::KeyRotation;

use super::link::{Link, LinkError};
use super::{SessionEnd, Uplink};
use crate::clock;
use crate::keys::{KeyError, NEXT_FILE};

impl Uplink {
    /// Sends the rotation until one key is certain: the next one, or the old one where the tracker
    /// refuses. It is signed anew each time, so it is never too old; the tracker acknowledges it again.
    pub(super) async fn rotate(&self, link: &mut Link) -> Result<EnrolmentAnswer, SessionEnd> {
        let keys = &self.identity.key;
        let agent_id = self.identity.agent_id;
        let next = keys.next()?.ok_or(KeyError::Damaged(NEXT_FILE))?;
        // Nobody signs meanwhile, so this is also the tracker's head.
        let head = self.store.chain_head().await?;
        let rotation = KeyRotation::sign(
            agent_id,
            head.as_ref(),
            &keys.current(),
            &next,
            clock::now(),
        )?;
        let reason = match link.rotate(agent_id, rotation).await {
            Ok(answer) => return self.switch(answer, &next.public()),
            Err(error @ (LinkError::Refused(_) | LinkError::Unsupported(_))) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        // An earlier try may have been accepted all the same; then the tracker knows the next key.
        match link.hello(self.greeting_of(&next)?).await {
            Ok(answer) => self.switch(answer, &next.public()),
            Err(LinkError::Refused(refusal)) if refusal.is_other_key() => {
                tracing::warn!(
                    reason,
                    "the tracker refuses the next key; the old one stays"
                );
                self.status.rotation_refused(Some(reason));
                keys.abandon()?;
                Ok(link.hello(self.greeting()?).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn switch(
        &self,
        answer: EnrolmentAnswer,
        next: &PublicKey,
    ) -> Result<EnrolmentAnswer, SessionEnd> {
        if answer.fingerprint != next.fingerprint() {
            return Err(LinkError::away("it answered for another key").into());
        }
        self.identity.key.switch()?;
        self.status.rotation_refused(None);
        tracing::info!(fingerprint = %answer.fingerprint, "the agent has a new key");
        Ok(answer)
    }
}
