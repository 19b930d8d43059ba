//! The proofs that wait for their agents' approval.

use std::collections::HashMap;

use farmops_protocol::{
    chain::{self, ChainHead},
    proof::ParsedProof,
};
use futures::TryStreamExt as _;
use uuid::Uuid;

use super::{Audit, Remedy};
use crate::{
    domain::follows,
    store::{Cell, Inspect, RawRow, StoreError},
};

/// Checks the proofs that wait for their agents' approval.
pub(super) async fn buffered(database: &dyn Inspect, audit: &mut Audit) -> Result<(), StoreError> {
    let mut rows = database.rows("proof_buffer", &["chain_length"]);
    let (mut heads, mut wrong) = (HashMap::new(), Vec::new());
    while let Some(row) = rows.try_next().await? {
        if let Err(reason) = waiting(&row, audit, &mut heads) {
            wrong.push(reason);
        }
    }
    for reason in wrong {
        audit
            .report_mut()
            .find(0, "proof_buffer", reason, Remedy::Restore);
    }
    Ok(())
}

fn waiting(
    row: &RawRow,
    audit: &Audit,
    heads: &mut HashMap<Uuid, ChainHead>,
) -> Result<(), String> {
    let Some(Cell::Bytes(body)) = row.get("body") else {
        return Err("a proof is not there".to_owned());
    };
    let parsed = ParsedProof::parse(body).map_err(|e| e.to_string())?;
    let agent = parsed.body().agent.agent_id;
    let known = audit.state().agents.get(&agent);
    let place = heads.get(&agent).map_or(0, |head| head.length.value());
    let key = *known
        .ok_or("a proof of an agent that never enrolled")?
        .key_at(place);
    let verified = parsed.verify(&key).map_err(|e| e.to_string())?;
    // It was timely when it came; what is asked here is whether the chain holds.
    let now = verified.body().timestamp;
    let head = chain::extend(heads.get(&agent), &verified, now).map_err(|e| e.to_string())?;
    heads.insert(agent, head);
    let length = i64::try_from(head.length.value()).unwrap_or(i64::MAX);
    let body = verified.body();
    let follows = follows(body);
    let expected = [
        ("agent_id", Cell::Bytes(agent.as_bytes().to_vec())),
        ("proof_id", Cell::Bytes(body.proof_id.as_bytes().to_vec())),
        ("follows", Cell::Bytes(follows.as_bytes().to_vec())),
        ("chain_length", Cell::Number(length)),
        ("hash", Cell::Bytes(verified.hash().as_bytes().to_vec())),
        ("finished_at", Cell::Number(body.timestamp.second())),
    ];
    for (column, cell) in expected {
        if row.get(column) != Some(&cell) {
            return Err(format!("the proof {} differs in {column}", body.proof_id));
        }
    }
    Ok(())
}
