//! `/api/v1/agents`: enrolling, and the owner's decisions.

use axum::{
    Json,
    extract::{Path, State},
};
use farmops_protocol::{
    chain::ChainHead,
    enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest},
    key::{Fingerprint, PublicKey},
    limits::ENROLMENT_BYTES_MAX,
    time::Timestamp,
};
use farmops_service::problem::{Bounded, Problem, StrictJson};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    proofs::require_json,
    refused::{not_read, not_written, problem_of},
};
use crate::{app::App, domain::Refusal, store::StoreError};

/// Takes a signed enrolment; the answer says whether the owner has decided.
pub(super) async fn enroll(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bounded<ENROLMENT_BYTES_MAX>, Problem>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let request = EnrolmentRequest::verify(&bytes, app.now())
        .map_err(|error| problem_of(&Refusal::Invalid(error)))?;
    let answer = app
        .writer
        .enrol(request)
        .await
        .map_err(|e| not_written(&e))?;
    Ok(Json(answer))
}

/// An agent as its owner sees it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    pub(super) agent_id: Uuid,
    pub(super) cluster_alias: String,
    pub(super) status: AgentStatus,
    pub(super) public_key: PublicKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) enrolled_at: Timestamp,
    pub(super) approved_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
    pub(super) head: Option<ChainHead>,
    /// Proofs that wait for approval.
    pub(super) buffered: u64,
    /// Forks it signed.
    pub(super) forks: u64,
}

/// Every agent, in order of enrolment.
pub(super) async fn all(app: &App) -> Result<Vec<Shown>, StoreError> {
    let forks = app.reads.forks().await?;
    let records = app.reads.agents().await?;
    Ok(records
        .into_iter()
        .map(|record| Shown {
            agent_id: record.agent_id,
            cluster_alias: record.agent.cluster_alias,
            status: record.agent.status,
            public_key: record.agent.public_key,
            fingerprint: record.agent.public_key.fingerprint(),
            enrolled_at: record.agent.enrolled_at,
            approved_at: record.agent.approved_at,
            revoked_at: record.agent.revoked_at,
            head: record.agent.head,
            buffered: record.buffered,
            forks: forks
                .iter()
                .find(|(id, _)| *id == record.agent_id)
                .map_or(0, |(_, forks)| *forks),
        })
        .collect())
}

#[derive(Debug, Serialize)]
pub(super) struct Agents {
    agents: Vec<Shown>,
}

/// Lists every agent.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Agents>, Problem> {
    let agents = all(&app).await.map_err(not_read)?;
    Ok(Json(Agents { agents }))
}

/// The owner's comparison.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    fingerprint: Fingerprint,
}

/// Approves an agent by the fingerprint that the owner read off its log.
pub(super) async fn approve(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    StrictJson(compared): StrictJson<Compared, 1024>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.approve(id, compared.fingerprint).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

/// Revokes an agent.
pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<Uuid>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.revoke(id).await;
    answer.map(Json).map_err(|e| not_written(&e))
}
