//! The publisher: tells the world how the farm is doing, a little after something changed.
//!
//! It asks the writer for a glimpse of the farm, makes the documents, and hands them back to be written
//! in one transaction with their deliveries. A crash at any point loses nothing: what was not written is
//! still owed at the next start, what was written has its sequence number and is never said again.
//!
//! Villages get every snapshot. Other followers get one card a week, changed in place, and a note when
//! a level or a badge is reached.

pub mod heads;
mod notes;
mod snapshot;

use std::{sync::Arc, time::Duration};

use farmops_federation::{ActorKind, Audience, Clock, Federation, FederationError, RelationState};
use farmops_protocol::{field::FieldError, key::SecretKey, time::Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Publish,
    domain::FarmView,
    site::{ACTOR, Site},
    writer::{Glimpse, Outgoing, WriteError, WriterHandle},
};

/// The pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// Followers looked at, at the start, for a village that has not been told anything yet.
const FOLLOWERS_MAX: u32 = 200;

/// How often a quiet farm is looked at: a streak lapses when the farmer's day ends, wherever that is.
const LAPSE_CHECK: Duration = Duration::from_mins(15);

/// The publisher, before it runs.
pub struct Publisher {
    /// Where the farm is.
    pub site: Site,
    /// The key that signs snapshots and checkpoints.
    pub key: SecretKey,
    /// What to say, and when.
    pub settings: Publish,
    /// The engine that delivers.
    pub federation: Federation,
    /// The farm.
    pub writer: WriterHandle,
    /// Rung when a village has begun to follow.
    pub bell: Arc<Notify>,
    /// The clock.
    pub clock: Clock,
}

/// Nothing was published; it is still owed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The writer could not answer.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A document would break a rule.
    #[error("a document would break a rule: {0}")]
    Document(#[from] FieldError),
    /// The followers could not be read.
    #[error(transparent)]
    Federation(#[from] FederationError),
}

impl Publisher {
    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.writer.changes();
        let mut forced = self.owes_a_village().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the followers could not be read");
            false
        });
        loop {
            match self.publish(forced).await {
                Ok(_) => forced = false,
                Err(error) => {
                    tracing::warn!(%error, "nothing published; trying again");
                    if wait(&stop, RETRY_PAUSE).await {
                        return;
                    }
                    continue;
                }
            }
            match self.next_reason(&mut changes, &stop).await {
                Reason::Change => {
                    let delay = Duration::from_secs(self.settings.snapshot_delay_seconds);
                    if wait(&stop, delay).await {
                        return;
                    }
                }
                Reason::Bell => forced = true,
                // A day may have passed without work; `publish` looks.
                Reason::Time => {}
                Reason::Stop => return,
            }
        }
    }

    /// Publishes what changed since the last time, or everything once more if `forced`; false if there
    /// was nothing to say.
    pub async fn publish(&self, forced: bool) -> Result<bool, PublishError> {
        let now = (self.clock)();
        let first = self.writer.glimpse(Vec::new()).await?;
        let Some(farm) = &first.farm else {
            return Ok(false);
        };
        let said = first.published.as_ref().map_or(0, |p| p.ledger_position);
        let lapsed = first
            .published
            .as_ref()
            .is_some_and(|last| farm.streak_differs(last.published_at, now));
        if said >= first.public_position && !forced && !lapsed {
            // Entries that the public sees nothing of are vouched for too.
            heads::covering(first.head.size, &self.site, &self.key, &self.writer, now).await?;
            return Ok(false);
        }
        let card = notes::card_key(farm, now);
        let glimpse = self.writer.glimpse(vec![card.clone()]).await?;
        let outgoing = self.compose(&glimpse, &card, now)?;
        let sequence = outgoing.publication.as_ref().map(|p| p.sequence);
        self.writer.say(outgoing).await?;
        self.federation.wake();
        tracing::info!(sequence, "snapshot published");
        Ok(true)
    }

    fn compose(
        &self,
        glimpse: &Glimpse,
        card_key: &str,
        now: Timestamp,
    ) -> Result<Outgoing, PublishError> {
        let Some(farm) = &glimpse.farm else {
            return Ok(Outgoing::default());
        };
        let mut outgoing = Outgoing::default();
        let made = snapshot::make(self, glimpse, farm, now)?;
        let sequence = made.publication.sequence;
        let key = format!("snapshot-{sequence}");
        let create = self
            .federation
            .create(ACTOR, &key, &made.value, Audience::Villages)?;
        outgoing.posts.push(create);
        outgoing.publication = Some(made.publication);
        outgoing.checkpoints.push(made.checkpoint);
        self.card(&mut outgoing, glimpse, farm, card_key, now)?;
        if let Some(note) = notes::milestone(self, glimpse, farm, sequence, now)? {
            self.note(&mut outgoing, note, Audience::People)?;
        }
        Ok(outgoing)
    }

    fn card(
        &self,
        outgoing: &mut Outgoing,
        glimpse: &Glimpse,
        farm: &FarmView,
        key: &str,
        now: Timestamp,
    ) -> Result<(), FieldError> {
        let earlier = glimpse.notices.iter().find(|notice| notice.key == key);
        let fresh = earlier.is_some_and(|card| {
            let age = now.seconds_since(card.updated_at);
            age < i64::try_from(self.settings.card_update_seconds).unwrap_or(i64::MAX)
        });
        if fresh || farm.coins.earned == 0 {
            return Ok(());
        }
        let note = notes::card(self, farm, key, earlier, now)?;
        self.note(outgoing, note, Audience::People)
    }

    /// A Create for a note's first revision, an Update for later ones.
    fn note(
        &self,
        outgoing: &mut Outgoing,
        note: notes::Note,
        audience: Audience,
    ) -> Result<(), FieldError> {
        let activity = format!("{}-r{}", note.notice.key, note.notice.revision);
        let post = if note.notice.revision == 1 {
            self.federation
                .create(ACTOR, &activity, &note.value, audience)?
        } else {
            self.federation
                .update(ACTOR, &activity, &note.value, audience)?
        };
        outgoing.posts.push(post);
        outgoing.notices.push(note.notice);
        Ok(())
    }

    /// Whether a village began to follow after the last snapshot: the bell may have rung just before a
    /// crash.
    async fn owes_a_village(&self) -> Result<bool, PublishError> {
        let accepted = Some(RelationState::Accepted);
        let followers = self
            .federation
            .followers(ACTOR, accepted, None, FOLLOWERS_MAX)
            .await?;
        let last = self.writer.glimpse(Vec::new()).await?.published;
        Ok(followers.iter().any(|follower| {
            follower.remote_kind == ActorKind::Group
                && last
                    .as_ref()
                    .is_none_or(|last| follower.changed_at >= last.published_at)
        }))
    }

    async fn next_reason(
        &self,
        changes: &mut watch::Receiver<u64>,
        stop: &CancellationToken,
    ) -> Reason {
        tokio::select! {
            () = stop.cancelled() => Reason::Stop,
            () = self.bell.notified() => Reason::Bell,
            () = tokio::time::sleep(LAPSE_CHECK) => Reason::Time,
            // A writer that is gone is seen by whoever runs us both; it does not end us first.
            Ok(()) = changes.changed() => Reason::Change,
        }
    }
}

enum Reason {
    Change,
    Bell,
    Time,
    Stop,
}

/// Waits; true if it is time to stop.
async fn wait(stop: &CancellationToken, pause: Duration) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(pause))
        .await
        .is_none()
}
