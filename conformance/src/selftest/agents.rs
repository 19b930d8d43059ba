//! The agents of the self-test's tracker: their keys and their chains.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use farmops_protocol::{
    chain::{self, ChainError, ChainHead},
    chain_reset::ParsedChainReset,
    enrolment::EnrolmentRequest,
    field::FieldError,
    key::PublicKey,
    proof::{ParsedProof, VerifiedProof},
    rotation::ParsedKeyRotation,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Fault,
    intake::{problem, problem_with},
    server::{Server, typed},
};
use crate::session::now;

/// Every agent that presented itself.
pub(super) type Agents = HashMap<Uuid, Agent>;

/// One of them.
pub(super) struct Agent {
    keys: Vec<PublicKey>,
    approved: bool,
    branch: u64,
    head: Option<ChainHead>,
    /// Every proof: what it follows, and what it made the end of the chain.
    proofs: Vec<(Option<Uuid>, ChainHead)>,
    /// Where it asks to resume.
    asked: Option<Asked>,
}

/// A request that waits for the owner.
#[derive(Clone, Copy)]
struct Asked {
    /// The proof to resume after; none for a first one.
    after: Option<Uuid>,
}

impl Agent {
    fn new(key: PublicKey) -> Self {
        Self {
            keys: vec![key],
            approved: false,
            branch: 0,
            head: None,
            proofs: Vec::new(),
            asked: None,
        }
    }

    fn has_key(&self, key: &PublicKey) -> bool {
        self.keys.last() == Some(key)
    }

    fn answer(&self) -> Value {
        json!({
            "branch": self.branch,
            "fingerprint": self.keys.last().map(PublicKey::fingerprint),
            "head": self.head,
            "reset_waiting": self.asked.is_some(),
            "status": if self.approved { "active" } else { "pending" },
        })
    }

    fn known(&self, id: Uuid) -> Option<ChainHead> {
        let mut heads = self.proofs.iter().map(|(_, head)| *head);
        heads.find(|head| head.proof_id == id)
    }

    fn resume(&mut self, server: &Server) {
        let Some(Asked { after }) = self.asked.take() else {
            return;
        };
        let head = after.and_then(|id| self.known(id));
        if head == self.head && server.has(Fault::IgnoresResetAtTheEnd) {
            return;
        }
        if server.has(Fault::DropsTheOldBranch) {
            let length = head.map_or(0, |head| head.length.value());
            self.proofs
                .retain(|(_, kept)| kept.length.value() <= length);
        }
        self.head = head;
        self.branch += 1;
    }
}

fn told(agent: &Agent, status: StatusCode) -> Response {
    typed(status, "application/json", &agent.answer())
}

/// Takes an enrolment whose form is good.
pub(super) fn enrol(server: &Server, request: &EnrolmentRequest) -> Response {
    let mut memory = server.memory();
    let agent = memory
        .agents
        .entry(request.agent_id)
        .or_insert_with(|| Agent::new(request.public_key));
    if agent.has_key(&request.public_key) || server.has(Fault::TakesFormerKeys) {
        return told(agent, StatusCode::OK);
    }
    let error = FieldError::new("agent_id", "it is tied to another key");
    problem(server, StatusCode::CONFLICT, "agent-id-taken", &error)
}

/// Takes a proof whose form is good; nothing if nobody knows its agent.
pub(super) fn submit(server: &Server, parsed: &ParsedProof) -> Option<Response> {
    let mut memory = server.memory();
    let agent = memory.agents.get_mut(&parsed.body().agent.agent_id)?;
    let mut keys = agent.keys.iter().rev();
    let keys: Vec<_> = if server.has(Fault::TakesFormerKeys) {
        keys.collect()
    } else {
        keys.next().into_iter().collect()
    };
    let verified = keys
        .into_iter()
        .find_map(|key| parsed.clone().verify(key).ok());
    let Some(proof) = verified else {
        let error = FieldError::new("signature", "not by the agent's key");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Some(problem(server, status, "bad-signature", &error));
    };
    Some(chained(server, agent, &proof))
}

fn chained(server: &Server, agent: &mut Agent, proof: &VerifiedProof) -> Response {
    let (body, done) = (proof.body(), json!({ "hash": proof.hash() }));
    let ok = |status| typed(status, "application/json", &done);
    let known = agent.known(body.proof_id);
    match known {
        Some(known) if known.hash == proof.hash() && !server.has(Fault::ForgetsProofs) => {
            return ok(StatusCode::OK);
        }
        Some(_) => {
            let error = FieldError::new("proof_id", "it stands for another proof");
            return problem(server, StatusCode::CONFLICT, "proof-id-taken", &error);
        }
        None => {}
    }
    let follows = body.prev_proof_id;
    let head = if server.has(Fault::TakesForks) {
        let named = follows.and_then(|id| agent.known(id));
        named.filter(|_| follows.is_some()).or(agent.head)
    } else {
        agent.head
    };
    match chain::extend(head.as_ref(), proof, now()) {
        Ok(_) if chain::check_ids(body).is_err() && !server.has(Fault::TakesAgentsId) => {
            let error = FieldError::new("proof_id", "this is the agent's id");
            problem(server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error)
        }
        Ok(extended) => {
            agent.head = Some(extended);
            agent.proofs.push((follows, extended));
            ok(if agent.approved {
                StatusCode::CREATED
            } else {
                StatusCode::ACCEPTED
            })
        }
        Err(error) => misplaced(server, agent, follows, error),
    }
}

fn misplaced(server: &Server, agent: &Agent, follows: Option<Uuid>, error: ChainError) -> Response {
    let sibling = agent.proofs.iter().any(|(kept, _)| *kept == follows);
    let code = if sibling { "fork" } else { error.code() };
    let reason = FieldError::new(error.field(), error.to_string());
    let further = if server.has(Fault::HidesTheHead) {
        json!({})
    } else {
        json!({ "head": agent.head })
    };
    problem_with(server, StatusCode::CONFLICT, code, &reason, further)
}

/// Takes a hand-over to a new key.
pub(super) async fn rotate(
    State(server): State<Server>,
    Path(id): Path<Uuid>,
    body: Bytes,
) -> Response {
    let mut memory = server.memory();
    let Some(agent) = memory.agents.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match rotated(&server, agent, id, &body) {
        Ok(()) => told(agent, StatusCode::OK),
        Err(Refused::Form(error)) => {
            problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error)
        }
        Err(Refused::Place(error)) => misplaced_rotation(&server, agent, error),
    }
}

fn misplaced_rotation(server: &Server, agent: &Agent, error: ChainError) -> Response {
    let reason = FieldError::new(error.field(), error.to_string());
    let head = json!({ "head": agent.head });
    problem_with(server, StatusCode::CONFLICT, error.code(), &reason, head)
}

enum Refused {
    Form(FieldError),
    Place(ChainError),
}

impl From<FieldError> for Refused {
    fn from(error: FieldError) -> Self {
        Self::Form(error)
    }
}

fn rotated(server: &Server, agent: &mut Agent, id: Uuid, body: &[u8]) -> Result<(), Refused> {
    let parsed = ParsedKeyRotation::parse(body)?;
    let new = parsed.rotation().new_key;
    let Some(current) = agent.keys.last().copied() else {
        return Ok(());
    };
    if server.has(Fault::TakesAnyRotation) {
        agent.keys.push(new);
        return Ok(());
    }
    if current == new && !server.has(Fault::ForgetsRotations) {
        let before = agent.keys.len().checked_sub(2).map(|at| agent.keys[at]);
        let before = before.ok_or_else(|| FieldError::new("new_key", "the first key"))?;
        parsed.verify(id, &before)?;
        return Ok(());
    }
    parsed.check_fresh(now())?;
    if agent.keys.contains(&new) {
        return Err(FieldError::new("new_key", "it was replaced").into());
    }
    let verified = parsed.verify(id, &current)?;
    if !agent.approved && agent.keys.len() > 1 && server.has(Fault::KeepsPendingKeys) {
        return Err(FieldError::new("new_key", "it has another already").into());
    }
    if !server.has(Fault::RotatesAnywhere) {
        let placed = verified.check_head(agent.head.as_ref());
        placed.map_err(Refused::Place)?;
    }
    agent.keys.push(new);
    Ok(())
}

/// Takes a request to resume.
pub(super) async fn ask_reset(
    State(server): State<Server>,
    Path(id): Path<Uuid>,
    body: Bytes,
) -> Response {
    let mut memory = server.memory();
    let Some(agent) = memory.agents.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Err(error) = asked(&server, agent, id, &body) {
        return problem(&server, StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error);
    }
    if server.has(Fault::ResetsUnasked) {
        agent.resume(&server);
        agent.asked = Some(Asked { after: None });
    }
    told(agent, StatusCode::ACCEPTED)
}

fn asked(server: &Server, agent: &mut Agent, id: Uuid, body: &[u8]) -> Result<(), FieldError> {
    let parsed = ParsedChainReset::parse(body)?;
    let after = parsed.request().resumes_after;
    if !server.has(Fault::TakesAnyReset) {
        parsed.check_fresh(now())?;
        let current = agent.keys.last().copied();
        let current = current.ok_or_else(|| FieldError::document("no key"))?;
        parsed.verify(id, &current)?;
        if after.is_some_and(|after| agent.known(after).is_none()) {
            return Err(FieldError::new("resumes_after", "no proof of this agent"));
        }
    }
    agent.asked = Some(Asked { after });
    Ok(())
}

/// Does what the owner says; her token is not looked at.
pub(super) async fn owned(
    State(server): State<Server>,
    Path((id, act)): Path<(Uuid, String)>,
) -> Response {
    let mut memory = server.memory();
    let Some(agent) = memory.agents.get_mut(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match act.as_str() {
        "approve" => agent.approved = true,
        "reset-chain" => agent.resume(&server),
        "dismiss" | "revoke" => {}
        _ => return StatusCode::NOT_FOUND.into_response(),
    }
    told(agent, StatusCode::OK)
}
