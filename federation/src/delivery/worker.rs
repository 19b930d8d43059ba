//! Drives the lanes: spreads new posts, sends what is due, sleeps until something is.
//!
//! Each host has its own task while it has something to do, so that a slow one holds up nobody.
//! Everything that must survive is in the store before and after; the task remembers nothing.

use std::{collections::HashSet, time::Duration};

use futures::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    lane::{GIVE_UP_S, Permit, Signal},
    send::{Attempt, attempt},
};
use crate::{
    Timestamp,
    federation::Federation,
    store::{Delivery, DeliveryOutcome, LaneRecord, StoreError},
};

/// Hosts that are sent to at the same time.
const LANES_MAX: usize = 32;
const POSTS_PER_TURN: u32 = 64;
const IDLE: Duration = Duration::from_mins(1);

/// Delivers until `stop`; requests in flight are finished and recorded.
pub(crate) async fn run(federation: &Federation, stop: &CancellationToken) {
    let mut busy = HashSet::<String>::new();
    let mut lanes = JoinSet::<String>::new();
    while !stop.is_cancelled() {
        let pause = match turn(federation, &mut busy, &mut lanes, stop).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "deliveries stand still"
                );
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = federation.inner.mail_goes.notified() => {}
            () = tokio::time::sleep(pause) => {}
            Some(ended) = lanes.join_next() => release(ended, &mut busy),
        }
    }
    while lanes.join_next().await.is_some() {}
}

fn release(ended: Result<String, tokio::task::JoinError>, busy: &mut HashSet<String>) {
    match ended {
        Ok(host) => {
            busy.remove(&host);
        }
        Err(error) => {
            // Which host it was is lost with the task: let all be looked at again. A row may then
            // be in flight twice, which its receiver takes for the replay it is.
            tracing::error!(error = &error as &dyn std::error::Error, "a lane broke");
            busy.clear();
        }
    }
}

/// Starts every lane that may send now; says how long to sleep.
async fn turn(
    federation: &Federation,
    busy: &mut HashSet<String>,
    lanes: &mut JoinSet<String>,
    stop: &CancellationToken,
) -> Result<Duration, StoreError> {
    while federation.store().spread_posts(POSTS_PER_TURN).await? == POSTS_PER_TURN {}
    let now = federation.now();
    let mut wake = now.saturating_add(i64::try_from(IDLE.as_secs()).unwrap_or(i64::MAX));
    let waiting = federation.store().waiting_lanes().await?;
    for record in waiting {
        if busy.contains(&record.host) || lanes.len() >= LANES_MAX {
            continue;
        }
        match ready_at(federation, &record, now).await? {
            Some(at) if at > now => wake = wake.min(at),
            Some(_) => {
                busy.insert(record.host.clone());
                let (federation, stop) = (federation.clone(), stop.clone());
                lanes.spawn(async move {
                    let host = record.host.clone();
                    if let Err(error) = drive(&federation, record, &stop).await {
                        tracing::error!(host, %error, "a lane could not be recorded");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    host
                });
            }
            None => {}
        }
    }
    Ok(Duration::from_secs(
        wake.seconds_since(now).max(1).unsigned_abs(),
    ))
}

/// When the lane may send something, and has something to send.
async fn ready_at(
    federation: &Federation,
    record: &LaneRecord,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    if let Permit::Wait(until) = record.lane.permit(now) {
        return Ok(Some(until));
    }
    federation.store().next_delivery_due(&record.host).await
}

/// Sends to one host until nothing is due, it must pause, or `stop`.
async fn drive(
    federation: &Federation,
    record: LaneRecord,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let LaneRecord { host, mut lane } = record;
    while !stop.is_cancelled() {
        let now = federation.now();
        let limit = match lane.permit(now) {
            Permit::Send(limit) => limit,
            Permit::Probe => 1,
            Permit::Wait(_) => return Ok(()),
        };
        let due = federation.store().due_deliveries(&host, now, limit).await?;
        if due.is_empty() {
            return Ok(());
        }
        let attempts = join_all(due.iter().map(|row| attempt(federation, row))).await;
        let now = federation.now();
        lane = lane.after(combined(&attempts), now, rand::random());
        let outcomes: Vec<_> = due
            .iter()
            .zip(&attempts)
            .map(|(row, a)| (row.position, a.outcome.clone()))
            .collect();
        federation
            .store()
            .settle_deliveries(&host, &lane, &outcomes, now)
            .await?;
        if lane.is_dormant(now) {
            let before = now.saturating_add(-GIVE_UP_S);
            let given_up = federation
                .store()
                .give_up_deliveries(&host, before, now)
                .await?;
            tracing::warn!(
                host,
                given_up,
                "a host has been out of reach for seven days"
            );
        }
        for (row, attempt) in due.iter().zip(&attempts) {
            report(federation, row, attempt).await?;
        }
    }
    Ok(())
}

/// What a batch says about the host: an answer is proof of life, a wish for quiet goes first.
fn combined(attempts: &[Attempt]) -> Signal {
    let asked = attempts.iter().filter_map(|attempt| match attempt.signal {
        Signal::Asked { retry_after_s } => Some(retry_after_s),
        _ => None,
    });
    match asked.max() {
        Some(retry_after_s) => Signal::Asked { retry_after_s },
        None if attempts.iter().any(|a| a.signal == Signal::Reached) => Signal::Reached,
        None => Signal::Failed,
    }
}

async fn report(
    federation: &Federation,
    row: &Delivery,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let (activity, inbox) = (&row.activity, &row.inbox);
    match &attempt.outcome {
        DeliveryOutcome::Delivered => tracing::debug!(%activity, %inbox, "delivered"),
        DeliveryOutcome::Retry { reason, .. } => {
            tracing::info!(%activity, %inbox, reason, "not delivered yet");
        }
        DeliveryOutcome::Dead(reason) => {
            tracing::warn!(%activity, %inbox, reason, "a delivery was given up");
        }
    }
    if attempt.gone {
        for relation in federation.store().drop_followers_at(inbox).await? {
            if let Err(error) = federation.tell(&relation, None).await {
                tracing::error!(%error, "the service did not hear of a follower that is gone");
            }
        }
    }
    Ok(())
}
