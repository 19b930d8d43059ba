//! Which rows of the projections a batch of entries touches.
//!
//! New rows (proofs, forks) are collected; rows that change (agents, categories, days, hours, the farm)
//! are only marked, and written from the state as it stands at the batch's end.

use std::collections::BTreeSet;

use farmops_protocol::{
    digest::Digest,
    proof::{ActionType, Category},
    scoring::Score,
    time::Timestamp,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{activity::HourlyActivity, apply::Applied, state::State};
use crate::ledger::{Entry, Event};

/// The rows that a batch of entries touches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// New proofs, in order.
    pub proofs: Vec<ProofRow>,
    /// New fork evidence.
    pub forks: Vec<ForkRow>,
    /// Agents to write again.
    pub agents: BTreeSet<Uuid>,
    /// Categories to write again.
    pub categories: BTreeSet<Category>,
    /// Days to write again.
    pub days: BTreeSet<Date>,
    /// Hours to write again.
    pub hours: BTreeSet<i64>,
    /// Whether the rules are to be written.
    pub rules: bool,
}

/// A proof as it is listed; its bytes are the body of the ledger entry at `position`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofRow {
    /// The ledger position.
    pub position: u64,
    /// The proof.
    pub proof_id: Uuid,
    /// Its agent.
    pub agent_id: Uuid,
    /// Its predecessor; a first proof follows its agent.
    pub follows: Uuid,
    /// Its place in the chain, from 1.
    pub chain_length: u64,
    /// Its hash.
    pub hash: Digest,
    /// When the work was finished.
    pub timestamp: Timestamp,
    /// What kind of act it was.
    pub action_type: ActionType,
    /// Which base rate applied.
    pub category: Category,
    /// The score and its factors.
    pub score: Score,
}

/// Evidence of a fork; the refused proof is in the ledger entry at `position`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkRow {
    /// The ledger position.
    pub position: u64,
    /// The agent that signed both.
    pub agent_id: Uuid,
    /// Their predecessor; a first proof follows its agent.
    pub follows: Uuid,
    /// The proof that stands.
    pub kept: Uuid,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Changes {
    /// Marks what `entry`, just applied to `state`, touches.
    pub fn note(&mut self, state: &State, entry: &Entry, applied: Applied) {
        match &entry.event {
            Event::ProofAccepted(proof) => {
                let body = proof.body();
                let Applied::Scored {
                    score,
                    chain_length,
                } = applied
                else {
                    return;
                };
                let agent_id = body.agent.agent_id;
                self.agents.insert(agent_id);
                self.hours.insert(HourlyActivity::hour(body.timestamp));
                if proof.earns() {
                    self.categories.insert(body.action.category);
                    self.days
                        .extend(state.farm.as_ref().map(|f| f.calendar.day(body.timestamp)));
                }
                self.proofs.push(ProofRow {
                    position: entry.position,
                    proof_id: body.proof_id,
                    agent_id,
                    follows: body.prev_proof_id.unwrap_or(agent_id),
                    chain_length,
                    hash: proof.hash(),
                    timestamp: body.timestamp,
                    action_type: body.action.action_type,
                    category: body.action.category,
                    score,
                });
            }
            Event::AgentEnrolled(request) => {
                self.agents.insert(request.agent_id);
            }
            Event::AgentApproved(approved) => {
                self.agents.insert(approved.agent_id);
            }
            Event::AgentRevoked(revoked) => {
                self.agents.insert(revoked.agent_id);
            }
            Event::ForkRefused(fork) => self.forks.push(ForkRow {
                position: entry.position,
                agent_id: fork.agent_id,
                follows: fork.follows.unwrap_or(fork.agent_id),
                kept: fork.kept,
                recorded_at: entry.recorded_at,
            }),
            Event::RulesAdopted(_) => self.rules = true,
            Event::FarmFounded(_) => {}
        }
    }
}
