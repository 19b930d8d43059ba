//! What others signed and the ledger keeps, hand-overs of keys, requests to resume, forks; and what the farm's own
//! rules had to allow: purchases.

use farmops_ledger::{AgentApproved, ChainReset, Event, ForkRefused, ItemPurchased, KeyRotated};
use farmops_protocol::{
    chain_reset::ParsedChainReset, key::PublicKey, proof::ParsedProof, rotation::ParsedKeyRotation,
    time::Timestamp,
};
use uuid::Uuid;

use crate::domain::{Agent, State, decide_purchase};

/// Checks what stands in an event of `at` that is not a proof, against the state before it.
pub(super) fn check(state: &State, event: &Event, at: Timestamp) -> Result<(), String> {
    match event {
        Event::AgentApproved(approved) => approval(state, approved),
        Event::KeyRotated(rotated) => rotation(state, rotated),
        Event::ChainReset(reset) => resumption(state, reset),
        Event::ForkRefused(fork) => evidence(state, fork),
        Event::ItemPurchased(bought) => purchase(state, bought, at),
        _ => Ok(()),
    }
}

fn agent(state: &State, id: Uuid) -> Result<&Agent, String> {
    state
        .agents
        .get(&id)
        .ok_or_else(|| "about an agent that never enrolled".to_owned())
}

fn approval(state: &State, approved: &AgentApproved) -> Result<(), String> {
    if agent(state, approved.agent_id)?.public_key.fingerprint() == approved.fingerprint {
        Ok(())
    } else {
        Err("the fingerprint is not that of the agent's key".to_owned())
    }
}

fn rotation(state: &State, rotated: &KeyRotated) -> Result<(), String> {
    let agent = agent(state, rotated.agent_id)?;
    let verified = ParsedKeyRotation::parse(rotated.rotation.as_bytes())
        .and_then(|parsed| parsed.verify(rotated.agent_id, &agent.public_key))
        .map_err(|e| e.to_string())?;
    if verified.rotation().new_key != rotated.new_key {
        return Err("not the key that was handed over to".to_owned());
    }
    if rotated.place < agent.proofs {
        return Err("the new key would sign proofs that are there already".to_owned());
    }
    // Proofs that wait for approval come into the ledger later, and with them the head.
    if rotated.place == agent.proofs {
        let head = agent.head.as_ref();
        verified.check_head(head).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn resumption(state: &State, reset: &ChainReset) -> Result<(), String> {
    let agent = agent(state, reset.agent_id)?;
    if reset.branch != agent.branch + 1 {
        return Err(format!(
            "branch {} follows branch {}",
            reset.branch, agent.branch
        ));
    }
    let Some(asked) = &reset.asked else {
        return Ok(());
    };
    // It may have been signed before the key changed, and granted afterwards.
    signed_by_any(agent, |key| {
        ParsedChainReset::parse(asked.as_bytes())
            .and_then(|parsed| parsed.verify(reset.agent_id, key))
            .map(|_| ())
            .map_err(|e| e.to_string())
    })
}

/// Decides again what was decided at the counter.
fn purchase(state: &State, bought: &ItemPurchased, at: Timestamp) -> Result<(), String> {
    match decide_purchase(state, bought.idempotency_key, &bought.item, at) {
        Ok(Some(Event::ItemPurchased(decided))) if decided == *bought => Ok(()),
        Ok(Some(_)) => Err("not the level and the price that the shop had".to_owned()),
        Ok(None) => Err("the purchase was made before".to_owned()),
        Err(refusal) => Err(format!("the shop would have refused it: {refusal}")),
    }
}

fn evidence(state: &State, fork: &ForkRefused) -> Result<(), String> {
    let agent = agent(state, fork.agent_id)?;
    let refused = ParsedProof::parse(fork.refused.as_bytes()).map_err(|e| e.to_string())?;
    let body = refused.body();
    if body.agent.agent_id != fork.agent_id || body.prev_proof_id != fork.follows {
        return Err("the refused proof is not the one that is told of".to_owned());
    }
    signed_by_any(agent, |key| {
        refused
            .clone()
            .verify(key)
            .map(|_| ())
            .map_err(|e| e.to_string())
    })
}

/// Whether one of the agent's keys passes; the reason is that of its present one.
fn signed_by_any(
    agent: &Agent,
    verify: impl Fn(&PublicKey) -> Result<(), String>,
) -> Result<(), String> {
    let present = verify(&agent.public_key);
    let former = || agent.former_keys.iter().any(|f| verify(&f.key).is_ok());
    if present.is_err() && former() {
        return Ok(());
    }
    present
}
