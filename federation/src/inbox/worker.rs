//! What happens to an activity after the 202: taken from the queue in the order of arrival, per
//! actor one at a time, tried again with growing pauses, at last laid aside.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

use farmops_protocol::time::Timestamp;
use futures::{FutureExt, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::verify::from_queue;
use crate::{
    activities::{self, HandleError, Handled, Incoming},
    federation::Federation,
    protocol::activity::Activity,
    store::{InboxItem, InboxOutcome, StoreError},
};

const BATCH: u32 = 32;
/// Actors whose mail is processed at the same time.
const ACTORS_AT_ONCE: usize = 4;
/// Attempts before an item is laid aside; the pauses add up to about two days.
const ATTEMPTS_MAX: u32 = 23;
/// Attempts for what waits for someone else's answer; the pauses add up to about two hours.
const HELD_ATTEMPTS_MAX: u32 = 13;
const PAUSE_MAX_S: i64 = 6 * 3600;
const TIDY_EVERY_S: i64 = 3600;
/// How long what is done with is remembered, for telling a replay, in seconds.
const KEPT_S: i64 = 30 * 24 * 3600;
const IDLE: Duration = Duration::from_mins(1);

/// Processes the queue until `stop`.
pub(crate) async fn run(federation: &Federation, stop: &CancellationToken) {
    let mut tidied_at = None;
    while !stop.is_cancelled() {
        let turned = match tidy(federation, &mut tidied_at).await {
            Ok(()) => turn(federation).await,
            Err(error) => Err(error),
        };
        let pause = match turned {
            Ok(None) => continue,
            Ok(Some(pause)) => pause,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the inbox stands still"
                );
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = federation.inner.mail_came.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Forgets, once an hour, what is old.
async fn tidy(
    federation: &Federation,
    tidied_at: &mut Option<Timestamp>,
) -> Result<(), StoreError> {
    let now = federation.now();
    if tidied_at.is_some_and(|at| now.seconds_since(at) < TIDY_EVERY_S) {
        return Ok(());
    }
    let before = now.saturating_add(-KEPT_S);
    federation.store().prune_items(before).await?;
    federation.store().prune_deliveries(before).await?;
    federation.store().forget_strangers(before).await?;
    *tidied_at = Some(now);
    Ok(())
}

/// Processes one batch; if there is none, says how long to sleep.
async fn turn(federation: &Federation) -> Result<Option<Duration>, StoreError> {
    let now = federation.now();
    let items = federation.store().due_items(now, BATCH).await?;
    if items.is_empty() {
        let due = federation.store().next_item_due().await?;
        let until =
            |at: Timestamp| Duration::from_secs(at.seconds_since(now).max(1).unsigned_abs());
        return Ok(Some(due.map_or(IDLE, until).min(IDLE)));
    }
    let mut by_actor = BTreeMap::<Url, Vec<InboxItem>>::new();
    for item in items {
        by_actor.entry(item.actor.clone()).or_default().push(item);
    }
    let mut settled = stream::iter(by_actor.into_values())
        .map(|items| settle_all(federation, items))
        .buffer_unordered(ACTORS_AT_ONCE);
    while let Some(done) = settled.next().await {
        done?;
    }
    Ok(None)
}

async fn settle_all(federation: &Federation, items: Vec<InboxItem>) -> Result<(), StoreError> {
    for item in items {
        // A bug met by one activity must not stop all the others.
        let outcome = match AssertUnwindSafe(process(federation, &item))
            .catch_unwind()
            .await
        {
            Ok(outcome) => outcome,
            Err(_) => after_failure(federation, &item, "the handler panicked".to_owned()),
        };
        match &outcome {
            InboxOutcome::Done(what) => tracing::debug!(activity = %item.id, what, "handled"),
            InboxOutcome::Retry { reason, .. } => {
                tracing::info!(activity = %item.id, reason, "an activity waits");
            }
            InboxOutcome::Dead(reason) => {
                tracing::warn!(activity = %item.id, reason, "an activity was laid aside");
            }
        }
        federation
            .store()
            .settle_item(item.position, &outcome, federation.now())
            .await?;
    }
    Ok(())
}

async fn process(federation: &Federation, item: &InboxItem) -> InboxOutcome {
    let parsed =
        Activity::parse(item.body.as_bytes()).and_then(|activity| Incoming::parse(&activity));
    let incoming = match parsed {
        Ok(incoming) => incoming,
        // It parsed at the door; only a changed program can come here.
        Err(error) => return InboxOutcome::Dead(error.to_string()),
    };
    let verified = match from_queue(federation, item, incoming).await {
        Ok(Some(verified)) => verified,
        Ok(None) => return InboxOutcome::Done("its sender is gone"),
        Err(error) => return after_failure(federation, item, error.to_string()),
    };
    match activities::handle(federation, &verified).await {
        Ok(Handled::Done(what)) => InboxOutcome::Done(what),
        Ok(Handled::Held(what)) if item.attempts >= HELD_ATTEMPTS_MAX => InboxOutcome::Done(what),
        Ok(Handled::Held(what)) => retry(federation, item, what.to_owned()),
        Err(HandleError::Refused(error)) => InboxOutcome::Dead(error.to_string()),
        Err(HandleError::Failed(error)) if !error.is_transient() => {
            InboxOutcome::Dead(error.to_string())
        }
        Err(HandleError::Failed(error)) => after_failure(federation, item, error.to_string()),
    }
}

fn after_failure(federation: &Federation, item: &InboxItem, reason: String) -> InboxOutcome {
    if item.attempts + 1 >= ATTEMPTS_MAX {
        InboxOutcome::Dead(reason)
    } else {
        retry(federation, item, reason)
    }
}

fn retry(federation: &Federation, item: &InboxItem, reason: String) -> InboxOutcome {
    InboxOutcome::Retry {
        at: federation.now().saturating_add(pause_s(item.attempts)),
        reason,
    }
}

/// One second, doubling.
fn pause_s(attempts: u32) -> i64 {
    (1_i64 << attempts.min(20)).min(PAUSE_MAX_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_six_hours() {
        assert_eq!(pause_s(0), 1);
        assert_eq!(pause_s(3), 8);
        assert_eq!(pause_s(60), PAUSE_MAX_S);
    }

    #[test]
    fn the_attempts_last_as_long_as_they_should() {
        let hours = |pauses: u32| (0..pauses).map(pause_s).sum::<i64>() / 3600;
        assert_eq!(hours(ATTEMPTS_MAX - 1), 51);
        assert_eq!(hours(HELD_ATTEMPTS_MAX), 2);
    }
}
