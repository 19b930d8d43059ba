//! `/api/v1/agents`: enrolling, and the owner's decisions.

use axum::{Json, extract::State};
use farmops_protocol::{
    chain::ChainHead,
    chain_reset::ParsedChainReset,
    enrolment::{AgentStatus, EnrolmentAnswer, EnrolmentRequest},
    field::FieldError,
    key::{Fingerprint, PublicKey},
    limits::{CHAIN_RESET_BYTES_MAX, ENROLMENT_BYTES_MAX, KEY_ROTATION_BYTES_MAX},
    openapi,
    rotation::ParsedKeyRotation,
    time::Timestamp,
};
use farmops_service::problem::{Bounded, Path, Problem, StrictJson};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    maybe::MaybeJson,
    proofs::require_json,
    refused::{not_read, not_written, problem_of},
};
use crate::{
    app::App,
    domain::Refusal,
    store::StoreError,
    writer::{Resumption, Since},
};

/// Takes a signed enrolment; the answer says whether the owner has decided.
#[utoipa::path(
    post,
    path = "/api/v1/agents/enroll",
    tag = "agents",
    request_body(content = openapi::EnrolmentRequest),
    responses((status = 200, description = "Where the agent stands", body = EnrolmentAnswer)),
)]
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
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Agent)]
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
    /// The branch that its chain grows on.
    pub(super) branch: u64,
    /// Proofs accepted, over all branches.
    pub(super) proofs: u64,
    /// The last proof that counts, once revoked.
    pub(super) last_good_proof: Option<Uuid>,
    /// When it was last heard of, to within a few minutes.
    pub(super) heard_at: Option<Timestamp>,
    /// What it asks the owner for, since it lost proofs.
    pub(super) reset_asked: Option<ResetShown>,
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
            branch: record.agent.branch,
            proofs: record.agent.proofs,
            last_good_proof: record.agent.last_good_proof,
            heard_at: record.heard_at,
            reset_asked: record.reset_asked.map(|asked| ResetShown {
                resumes_after: asked.resumes_after,
                received_at: asked.received_at,
            }),
        })
        .collect())
}

/// A request to let a chain resume earlier.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ResetRequest)]
pub(super) struct ResetShown {
    /// The proof to resume after; null for a first proof.
    pub(super) resumes_after: Option<Uuid>,
    /// When it came.
    pub(super) received_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentList)]
pub(super) struct Agents {
    agents: Vec<Shown>,
}

/// Lists every agent.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    tag = "agents",
    responses((status = 200, description = "Every agent, in order of enrolment", body = Agents)),
)]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Agents>, Problem> {
    let agents = all(&app).await.map_err(not_read)?;
    Ok(Json(Agents { agents }))
}

/// The owner's comparison.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = Comparison)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    fingerprint: Fingerprint,
}

/// Approves an agent by the fingerprint that the owner read off its log.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/approve",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    request_body(content = Compared),
    responses((status = 200, description = "Where the agent stands now", body = EnrolmentAnswer)),
)]
pub(super) async fn approve(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    StrictJson(compared): StrictJson<Compared, 1024>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.approve(id, compared.fingerprint).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

/// From where on the agent's proofs stop counting; from now on if it is not said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    /// The last proof that counts; null if none does.
    #[serde(default, rename = "last_good_proof", deserialize_with = "after_good")]
    #[schema(value_type = Option<Uuid>)]
    since: Since,
}

/// Revokes an agent.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/revoke",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    request_body(content = Option<Revocation>),
    responses((status = 200, description = "Where the agent stands now", body = EnrolmentAnswer)),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    MaybeJson(revocation): MaybeJson<Revocation, 1024>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.revoke(id, revocation.since).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

/// Sends away an agent that waits for approval, with what it has sent.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/dismiss",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    responses((status = 200, description = "Where the agent stands now", body = EnrolmentAnswer)),
)]
pub(super) async fn dismiss(
    State(app): State<App>,
    Path(id): Path<Uuid>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.dismiss(id).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

/// Takes an agent's hand-over to a new key, which both keys signed.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/rotate",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    request_body(content = openapi::KeyRotation),
    responses((status = 200, description = "Where the agent stands", body = EnrolmentAnswer)),
)]
pub(super) async fn rotate(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Result<Bounded<KEY_ROTATION_BYTES_MAX>, Problem>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let rotation = ParsedKeyRotation::parse(&bytes).map_err(invalid)?;
    about(id, rotation.rotation().agent_id)?;
    let answer = app.writer.rotate(rotation).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

/// Takes an agent's request to let its chain resume earlier: 202, because it waits for the owner.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/chain-reset",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    request_body(content = openapi::ChainResetRequest),
    responses((status = 202, description = "It waits for the owner", body = EnrolmentAnswer)),
)]
pub(super) async fn ask_reset(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Result<Bounded<CHAIN_RESET_BYTES_MAX>, Problem>,
) -> Result<(StatusCode, Json<EnrolmentAnswer>), Problem> {
    require_json(&headers)?;
    let Bounded(bytes) = body.map_err(|problem| problem.field("$"))?;
    let request = ParsedChainReset::parse(&bytes).map_err(invalid)?;
    about(id, request.request().agent_id)?;
    let answer = app.writer.ask_reset(request).await;
    let answer = answer.map_err(|e| not_written(&e))?;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Where the chain is to resume; where the agent asked if it is not said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Resumption)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    /// The proof to resume after; null for a first proof.
    #[serde(default, rename = "resumes_after", deserialize_with = "after_lost")]
    #[schema(value_type = Option<Uuid>)]
    resumption: Resumption,
}

/// Lets an agent's chain resume earlier; both branches are kept.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/reset-chain",
    tag = "agents",
    params(("id" = Uuid, Path, description = "The agent")),
    request_body(content = Option<Resume>),
    responses((status = 200, description = "Where the agent stands now", body = EnrolmentAnswer)),
)]
pub(super) async fn reset_chain(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    MaybeJson(resume): MaybeJson<Resume, 1024>,
) -> Result<Json<EnrolmentAnswer>, Problem> {
    let answer = app.writer.reset_chain(id, resume.resumption).await;
    answer.map(Json).map_err(|e| not_written(&e))
}

// Null is something else than nothing: a member that is there, whatever it holds, says where.

fn after_good<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Since, D::Error> {
    Option::deserialize(deserializer).map(Since::After)
}

fn after_lost<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Resumption, D::Error> {
    Option::deserialize(deserializer).map(Resumption::After)
}

fn invalid(error: FieldError) -> Problem {
    problem_of(&Refusal::Invalid(error))
}

/// Refuses a document about another agent than the path's (`SUB-AGENT-001`).
fn about(path: Uuid, document: Uuid) -> Result<(), Problem> {
    if path == document {
        return Ok(());
    }
    let reason = format!("expected {path}, the agent in the path");
    Err(invalid(FieldError::new("agent_id", reason)))
}
