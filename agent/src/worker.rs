//! One worker per plugin: takes its observations in order, has them judged, and settles each one.
//!
//! An observation leaves the queue in the same transaction that puts its proof into the outbox. If the
//! plugin dies over it, it stays where it is; after a few times it is given up, so that one bad record
//! cannot hold up the rest for ever.

use std::sync::Arc;
use std::time::Duration;

use farmops_plugin::{Description, Finding, Observation, Verdict};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock;
use crate::keys::Keys;
use crate::observation::Waiting;
use crate::plugins::{Fault, Live, PluginHandle, VerifyError};
use crate::proof::{Circumstances, Generator, NoProof};
use crate::status::{Count, Status};
use crate::store::{Settled, Store, StoreError};

/// Failures over one observation after which it is given up.
const ATTEMPTS_MAX: i64 = 3;
/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Between two looks whether this replica may sign again; normally it ends first.
const LEAD_PAUSE: Duration = Duration::from_secs(1);

/// Whether this agent may sign: a replica only while it leads.
pub type MaySign = dyn Fn() -> bool + Send + Sync;

/// What all workers share.
pub struct Workshop {
    store: Store,
    generator: Generator,
    status: Status,
    undelivered_max: i64,
    /// Drafts are made one after the other: each names the one before.
    keys: Keys,
    may_sign: Box<MaySign>,
}

impl Workshop {
    /// A workshop that chains into `store`.
    pub fn new(
        store: Store,
        generator: Generator,
        keys: Keys,
        status: Status,
        undelivered_max: i64,
        may_sign: Box<MaySign>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            generator,
            status,
            undelivered_max,
            keys,
            may_sign,
        })
    }

    /// Works for one plugin until told to stop.
    pub async fn work_for(self: Arc<Self>, plugin: PluginHandle, stop: CancellationToken) {
        let work = self.work(plugin);
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    async fn work(&self, mut plugin: PluginHandle) {
        let mut queue = self.store.watch_queue();
        let mut withheld = None;
        loop {
            queue.mark_unchanged();
            match self.settle_next(&mut plugin, &mut withheld).await {
                Ok(true) => {}
                Ok(false) => {
                    if queue.changed().await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(plugin = plugin.id, %error, "an observation cannot be settled");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
    }

    /// Settles the oldest observation; false when there is none. `withheld` is the last start of the plugin
    /// since which something was withheld from it.
    async fn settle_next(
        &self,
        plugin: &mut PluginHandle,
        withheld: &mut Option<u64>,
    ) -> Result<bool, StoreError> {
        if !(self.may_sign)() {
            tokio::time::sleep(LEAD_PAUSE).await;
            return Ok(true);
        }
        let waiting = match self.store.next_for(&plugin.id).await {
            Ok(Some(waiting)) => waiting,
            Ok(None) => return Ok(false),
            // It never opens; what stands behind it must not wait for ever.
            Err(StoreError::Unopened { row, reason, .. }) => {
                tracing::error!(plugin = plugin.id, %reason, "an observation in agent.db cannot be read and is given up");
                self.status.count(Count::GivenUp);
                self.store.drop_observation(row).await?;
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        self.wait_for_room().await?;
        let live = match plugin.live.wait_for(Option::is_some).await {
            Ok(live) => live.clone(),
            Err(_) => None,
        };
        let Some(live) = live else {
            // The supervisor is gone, and with it this worker in a moment.
            std::future::pending::<()>().await;
            return Ok(false);
        };
        if !live.may_read(&waiting) {
            self.store.drop_observation(waiting.seq).await?;
            self.status.count(Count::Dropped(1));
            if withheld.replace(live.generation) != Some(live.generation) {
                tracing::warn!(
                    plugin = plugin.id,
                    "observations of what is not granted any more are dropped"
                );
            }
            return Ok(true);
        }
        self.judge(plugin, &live, &waiting).await?;
        Ok(true)
    }

    async fn judge(
        &self,
        plugin: &mut PluginHandle,
        live: &Live,
        waiting: &Waiting,
    ) -> Result<(), StoreError> {
        match live.client.verify(Observation::from(waiting)).await {
            Ok(verdict) => {
                self.store.shares().note_verdict(&plugin.id);
                self.settle(live, waiting, verdict).await?;
            }
            Err(error) => {
                let attempts = self.store.note_failed_attempt(waiting.seq).await?;
                tracing::warn!(
                    plugin = plugin.id, observation = %waiting.id, attempts, %error,
                    "a plugin failed over an observation"
                );
                if attempts >= ATTEMPTS_MAX {
                    self.status.count(Count::GivenUp);
                    self.store.drop_observation(waiting.seq).await?;
                }
                if let VerifyError::Plugin(reason) = error {
                    // Wait until the supervisor has taken this process away.
                    let generation = live.generation;
                    let _ = plugin.faults.send(Fault { generation, reason }).await;
                    let gone = |now: &Option<Live>| {
                        now.as_ref().is_none_or(|now| now.generation != generation)
                    };
                    let _ = plugin.live.wait_for(gone).await;
                }
            }
        }
        Ok(())
    }

    async fn settle(
        &self,
        live: &Live,
        waiting: &Waiting,
        verdict: Verdict,
    ) -> Result<(), StoreError> {
        let (count, reason) = match verdict {
            Verdict::Verified(finding) => {
                return self.prove(&live.description, waiting, &finding).await;
            }
            Verdict::Rejected(reason) => (Count::Rejected, reason),
            Verdict::Inconclusive(reason) => (Count::Inconclusive, reason),
        };
        tracing::debug!(observation = %waiting.id, ?count, reason, "no finished work");
        self.status.count(count);
        self.store.drop_observation(waiting.seq).await
    }

    /// Signs and chains a proof, unless it is not this agent's to sign any more; then the observation stays.
    async fn prove(
        &self,
        description: &Description,
        waiting: &Waiting,
        finding: &Finding,
    ) -> Result<(), StoreError> {
        let _one_at_a_time = self.keys.sign().await;
        // It may have taken long until it was our turn.
        if !(self.may_sign)() {
            return Ok(());
        }
        loop {
            let plugin = &description.plugin_id;
            if self
                .store
                .is_proven(self.generator.work(plugin, finding))
                .await?
            {
                self.status.count(Count::Repeated);
                return self.store.drop_observation(waiting.seq).await;
            }
            let head = self.store.chain_head().await?;
            let around = Circumstances {
                head: head.as_ref(),
                proof_id: Uuid::now_v7(),
                salt: rand::random(),
                now: clock::now(),
            };
            let draft = match self.generator.draft(description, waiting, finding, around) {
                Ok(draft) => draft,
                Err(refusal) => return self.refuse(plugin, waiting, &refusal).await,
            };
            if !(self.may_sign)() {
                return Ok(());
            }
            match self.store.chain(waiting.seq, &draft, around.now).await? {
                Settled::Chained => {
                    let proof = draft.head.proof_id;
                    let length = draft.head.length.value();
                    tracing::info!(plugin, %proof, length, "a proof was made");
                    self.status.count(Count::Proof);
                    return Ok(());
                }
                Settled::AlreadyProven => {
                    self.status.count(Count::Repeated);
                    return Ok(());
                }
                // The tracker's head was taken over meanwhile.
                Settled::HeadMoved => {}
            }
        }
    }

    async fn refuse(
        &self,
        plugin: &str,
        waiting: &Waiting,
        refusal: &NoProof,
    ) -> Result<(), StoreError> {
        if matches!(refusal, NoProof::NotTheFarmers) {
            tracing::debug!(plugin, observation = %waiting.id, "work of somebody else");
            self.status.count(Count::NotTheFarmers);
        } else {
            // Neither the observation nor the sentence: a log travels further than one thinks.
            tracing::error!(
                plugin, observation = %waiting.id, reason = %refusal,
                "a proof was refused before it could leave this machine"
            );
            self.status.count(Count::LeakRefused);
        }
        self.store.drop_observation(waiting.seq).await
    }

    /// Waits until the outbox has room.
    async fn wait_for_room(&self) -> Result<(), StoreError> {
        let mut outbox = self.store.watch_outbox();
        while self.store.undelivered().await? >= self.undelivered_max {
            if outbox.changed().await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
