//! What nobody needs any more goes: entries that are too old, and what waits for plugins that have left.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::status::Count;
use crate::store::Store;

/// Between two sweeps of what is too old.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);
const DAY_SECONDS: i64 = 24 * 3600;
/// Deliveries are remembered this long; forges repeat them for a few days at most.
const DELIVERY_DAYS: i64 = 30;
/// Finished work is remembered this long.
const WORK_DAYS: i64 = 400;

/// Drops what waits for plugins that are not in the manifest, whenever it was read.
pub(super) async fn follow_manifest(store: Store, stop: CancellationToken) {
    let mut manifest = store.shares().plugins();
    manifest.mark_changed();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            // The store holds the other end.
            _ = manifest.changed() => {}
        }
        let plugins = manifest.borrow_and_update().clone();
        if let Some(plugins) = plugins
            && let Err(error) = store.forget_others(&plugins).await
        {
            tracing::error!(%error, "observations of plugins that left cannot be dropped");
        }
    }
}

/// Sweeps what is too old, again and again.
pub(super) async fn sweep(
    store: Store,
    (observation_days, evidence_days): (i64, i64),
    stop: CancellationToken,
) {
    let mut tick = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let ago = |days: i64| clock::now().saturating_add(-days.saturating_mul(DAY_SECONDS));
        match store
            .expire(ago(observation_days), ago(DELIVERY_DAYS), ago(WORK_DAYS))
            .await
        {
            Ok(0) => {}
            Ok(lost) => {
                tracing::warn!(lost, "observations expired before a plugin took them");
                store.status().count(Count::Expired(lost));
            }
            Err(error) => tracing::error!(%error, "old entries could not be swept"),
        }
        match store.expire_evidence(ago(evidence_days)).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "evidence beyond its bounds was deleted"),
            Err(error) => tracing::error!(%error, "old evidence could not be swept"),
        }
    }
}
