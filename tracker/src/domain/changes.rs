//! Which rows of the projections a batch of entries touches.
//!
//! New rows (proofs, forks) are collected; rows that change (agents, categories, days, hours, the farm)
//! are only marked, and written from the state as it stands at the batch's end.

use std::collections::{BTreeMap, BTreeSet};

use farmops_ledger::{
    AcceptedProof, AgentOutage, AgentRevoked, CompositeEarned, Entry, Event, LeagueCoins,
};
use farmops_protocol::{
    digest::Digest,
    proof::{ActionType, Category, ProofBody},
    scoring::Score,
    time::Timestamp,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{
    activity::HourlyActivity,
    apply::Applied,
    state::{Rules, State},
};

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
    /// Rules to be kept.
    pub rules: Vec<Rules>,
    /// New purchases, by their place among all.
    pub purchases: Vec<usize>,
    /// Days of rest to write or to take away.
    pub rest_days: BTreeSet<Date>,
    /// New outages.
    pub outages: Vec<OutageRow>,
    /// Leagues to write again, with the seasons that changed.
    pub leagues: BTreeMap<String, BTreeSet<String>>,
    /// Composites whose waiting proofs are to be written again.
    pub composing: BTreeSet<String>,
    /// Whether those of every composite are.
    pub composing_all: bool,
    /// New composites.
    pub composites: Vec<CompositeRow>,
    /// Agents whose proofs stop counting after one of them.
    pub revoked: Vec<(Uuid, Option<Uuid>)>,
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
    /// The branch of the chain that it stands in.
    pub branch: u64,
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
    /// The farmer's day that it counts for.
    pub day: Option<Date>,
    /// Whether it can earn coins: a verified success.
    pub earns: bool,
    /// What it earned in the leagues.
    pub leagues: Vec<LeagueCoins>,
    /// Whether it counts: false once its agent was revoked from an earlier proof on.
    pub counts: bool,
}

/// From when to when an agent was not heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageRow {
    /// The ledger position.
    pub position: u64,
    /// Agent and times.
    pub outage: AgentOutage,
}

/// A composite that was earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeRow {
    /// The ledger position.
    pub position: u64,
    /// Its name, parts, day and coins.
    pub composite: CompositeEarned,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Whether it counts: false once a part of it does not.
    pub counts: bool,
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
            Event::ProofAccepted(proof) => self.note_proof(state, proof, entry.position, applied),
            Event::AgentEnrolled(request) => {
                self.agents.insert(request.agent_id);
            }
            Event::AgentApproved(approved) => {
                self.agents.insert(approved.agent_id);
            }
            Event::AgentDismissed(dismissed) => {
                self.composing_all = true;
                self.agents.insert(dismissed.agent_id);
            }
            Event::AgentRevoked(revoked) => self.note_revocation(revoked),
            Event::KeyRotated(rotation) => {
                self.agents.insert(rotation.agent_id);
            }
            Event::ChainReset(reset) => {
                self.agents.insert(reset.agent_id);
            }
            Event::AgentOutage(outage) => self.outages.push(OutageRow {
                position: entry.position,
                outage: *outage,
            }),
            Event::ForkRefused(fork) => self.forks.push(ForkRow {
                position: entry.position,
                agent_id: fork.agent_id,
                follows: fork.follows.unwrap_or(fork.agent_id),
                kept: fork.kept,
                recorded_at: entry.recorded_at,
            }),
            Event::CompositeEarned(composite) => {
                self.days.insert(composite.day);
                self.composing.insert(composite.slug.clone());
                self.composites.push(CompositeRow {
                    position: entry.position,
                    composite: composite.clone(),
                    recorded_at: entry.recorded_at,
                    counts: true,
                });
            }
            Event::RulesAdopted(rules) => {
                self.composing_all = true;
                self.rules.push(Rules::new(rules.clone()));
            }
            Event::LeagueJoined(joined) => {
                self.rules.push(Rules::new(joined.rules.clone()));
                self.leagues.entry(joined.league.clone()).or_default();
            }
            Event::LeagueLeft(left) => {
                self.leagues.entry(left.league.clone()).or_default();
            }
            Event::ItemPurchased(_) => {
                self.purchases.extend(state.purchases.len().checked_sub(1));
            }
            Event::DayMarked(marked) => {
                self.rest_days.insert(marked.day);
            }
            // The farm's row is written with every batch.
            Event::FarmFounded(_) | Event::FarmRenamed(_) | Event::CalendarChanged(_) => {}
        }
    }

    fn note_proof(
        &mut self,
        state: &State,
        proof: &AcceptedProof,
        position: u64,
        applied: Applied,
    ) {
        let body = proof.body();
        let Applied::Scored {
            score,
            chain_length,
            day,
            leagues,
        } = applied
        else {
            return;
        };
        let agent_id = body.agent.agent_id;
        self.agents.insert(agent_id);
        self.hours.insert(HourlyActivity::hour(body.timestamp));
        if proof.earns() {
            let rules = state.rules.set.composites.iter();
            let fitting = rules.filter(|rule| !rule.fits(&body.action).is_empty());
            self.composing.extend(fitting.map(|rule| rule.slug.clone()));
            self.categories.insert(body.action.category);
            self.days.extend(day);
        }
        for earned in &leagues {
            let seasons = self.leagues.entry(earned.league.clone()).or_default();
            seasons.insert(earned.season.clone());
        }
        let agent = state.agents.get(&agent_id);
        self.proofs.push(ProofRow {
            position,
            proof_id: body.proof_id,
            agent_id,
            follows: follows(body),
            branch: agent.map_or(0, |agent| agent.branch),
            chain_length,
            hash: proof.hash(),
            timestamp: body.timestamp,
            action_type: body.action.action_type,
            category: body.action.category,
            score,
            day,
            earns: proof.earns(),
            leagues,
            counts: true,
        });
    }

    fn note_revocation(&mut self, revoked: &AgentRevoked) {
        self.composing_all = true;
        self.agents.insert(revoked.agent_id);
        for withdrawn in &revoked.withdrawn {
            self.days.insert(withdrawn.day);
            self.categories.extend(withdrawn.category);
            for lost in &withdrawn.leagues {
                let seasons = self.leagues.entry(lost.league.clone()).or_default();
                seasons.insert(lost.season.clone());
            }
        }
        self.revoked
            .push((revoked.agent_id, revoked.last_good_proof));
    }
}

/// What a proof follows in the chain: its predecessor, or its agent if it is a first one. So two first
/// proofs collide like any fork.
pub fn follows(body: &ProofBody) -> Uuid {
    body.prev_proof_id.unwrap_or(body.agent.agent_id)
}
