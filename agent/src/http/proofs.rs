//! `GET /api/v1/proofs/pending`: proofs that the tracker does not have yet.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use farmops_protocol::proof::{ParsedProof, ProofBody};
use farmops_service::problem::Problem;
use serde::{Deserialize, Serialize};

use super::Shown;

/// Most proofs in one answer.
const LIMIT_MAX: usize = 500;

#[derive(Deserialize)]
pub(super) struct Page {
    /// The `next` of the answer before.
    after: Option<i64>,
    /// At most 500; 100 if not given.
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Pending {
    /// How many there are in all.
    total: i64,
    proofs: Vec<PendingProof>,
    /// What to give as `after` for the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

#[derive(Serialize)]
struct PendingProof {
    /// Its place in the chain, from 1.
    position: i64,
    hash: String,
    proof: ProofBody,
}

pub(super) async fn pending(
    State(shown): State<Arc<Shown>>,
    Query(page): Query<Page>,
) -> Result<Json<Pending>, Problem> {
    let limit = page.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    let store = &shown.store;
    let read = async {
        let delivered = store.delivered().await?;
        let after = page.after.unwrap_or(delivered).max(delivered);
        let sealed = store.proofs_after(after, limit).await?;
        Ok::<_, crate::store::StoreError>((store.undelivered().await?, sealed))
    };
    let (total, sealed) = read.await.map_err(|error| Problem::internal(&error))?;
    let next = sealed.last().filter(|_| sealed.len() == limit);
    let next = next.map(|last| last.position);
    let proofs = sealed.into_iter().filter_map(|sealed| {
        let parsed = ParsedProof::parse(&sealed.bytes).ok()?;
        Some(PendingProof {
            position: sealed.position,
            hash: sealed.hash.to_string(),
            proof: parsed.body().clone(),
        })
    });
    Ok(Json(Pending {
        total,
        proofs: proofs.collect(),
        next,
    }))
}
