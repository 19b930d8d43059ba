//! `GET /api/v1/status`: how the agent is doing, in one document.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use farmops_protocol::chain::ChainHead;
use farmops_protocol::time::Timestamp;
use farmops_service::problem::Problem;
use serde::Serialize;

use super::Shown;
use crate::keys::Stage;
use crate::plugins::PluginView;
use crate::sources::SourceHealth;
use crate::status::{Counters, UplinkView};
use crate::store::{Store, StoreError};

#[derive(Serialize)]
pub(super) struct StatusView {
    agent_id: String,
    cluster_alias: String,
    /// What the owner compares before approving this agent.
    fingerprint: String,
    public_key: String,
    /// How far a rotation to another key has come.
    key_rotation: Stage,
    version: &'static str,
    started_at: Timestamp,
    tracker: TrackerView,
    chain: ChainView,
    queue: QueueView,
    outbox: Level,
    evidence: EvidenceView,
    counters: Counters,
    sources: BTreeMap<String, SourceHealth>,
    plugins: Vec<PluginView>,
}

#[derive(Serialize)]
struct TrackerView {
    url: String,
    #[serde(flatten)]
    uplink: UplinkView,
}

#[derive(Serialize)]
struct ChainView {
    head: Option<ChainHead>,
    delivered: i64,
}

/// The observations that wait.
#[derive(Serialize)]
struct QueueView {
    waiting: i64,
    max: i64,
    bytes: i64,
    bytes_max: i64,
    plugins: BTreeMap<String, ShareView>,
}

/// What waits for one plugin.
#[derive(Serialize)]
struct ShareView {
    waiting: i64,
    bytes: i64,
    /// It has failed and judged nothing since: beyond its share its oldest observations go.
    failed: bool,
}

/// What is kept of proofs' evidence, encrypted.
#[derive(Serialize)]
struct EvidenceView {
    count: i64,
    bytes: i64,
    bytes_max: i64,
    days_max: i64,
    /// Names the key without telling it.
    key_id: String,
}

/// How full something is.
#[derive(Serialize)]
struct Level {
    waiting: i64,
    max: i64,
}

pub(super) async fn show(State(shown): State<Arc<Shown>>) -> Result<Json<StatusView>, Problem> {
    view(&shown)
        .await
        .map(Json)
        .map_err(|error| Problem::internal(&error))
}

async fn view(shown: &Shown) -> Result<StatusView, StoreError> {
    let public_key = shown.identity.key.current().public();
    let store = &shown.store;
    let (queue, evidence) = (
        store.observations_waiting().await?,
        store.evidence_level().await?,
    );
    Ok(StatusView {
        agent_id: shown.identity.agent_id.to_string(),
        cluster_alias: shown.cluster_alias.clone(),
        fingerprint: public_key.fingerprint().to_string(),
        public_key: public_key.to_string(),
        key_rotation: shown.identity.key.stage(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: shown.started_at,
        tracker: TrackerView {
            url: shown.tracker_url.to_string(),
            uplink: shown.status.uplink(),
        },
        chain: ChainView {
            head: store.chain_head().await?,
            delivered: store.delivered().await?,
        },
        queue: QueueView {
            waiting: queue.count,
            max: shown.limits.observations_max,
            bytes: queue.bytes,
            bytes_max: shown.limits.observations_bytes_max,
            plugins: shares(store).await?,
        },
        evidence: EvidenceView {
            count: evidence.count,
            bytes: evidence.bytes,
            bytes_max: store.bounds().evidence_bytes_max,
            days_max: shown.evidence_days_max,
            key_id: store.evidence_key().to_string(),
        },
        outbox: Level {
            waiting: store.undelivered().await?,
            max: shown.limits.proofs_undelivered_max,
        },
        counters: shown.status.counters(),
        sources: shown.desk.health(),
        plugins: shown.plugins.views(),
    })
}

async fn shares(store: &Store) -> Result<BTreeMap<String, ShareView>, StoreError> {
    let waiting = store.waiting_by_plugin().await?;
    let shares = waiting.into_iter().map(|(plugin, level)| {
        let share = ShareView {
            waiting: level.count,
            bytes: level.bytes,
            failed: store.shares().has_failed(&plugin),
        };
        (plugin, share)
    });
    Ok(shares.collect())
}
