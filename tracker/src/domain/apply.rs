//! Folding the ledger into the state.

use farmops_farm::catalogue::Catalogue;
use farmops_protocol::{
    chain::ChainHead,
    enrolment::AgentStatus,
    int::SafeUint,
    scoring::{ONE_BP, Score, ScoreInput},
};

use super::{
    activity::HourlyActivity,
    state::{Agent, Farm, Rules, State},
};
use crate::ledger::{AcceptedProof, Entry, Event};

/// What applying an entry worked out besides the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// A proof, its score and its place in its chain.
    Scored {
        /// The score and its factors.
        score: Score,
        /// How many proofs the chain holds, this one included.
        chain_length: u64,
    },
    /// Anything else.
    Noted,
}

impl State {
    /// Folds one entry in. What the transparency log makes of it is told in `ledger/log.rs`.
    ///
    /// Entries are facts: nothing is refused here. One about an agent that never enrolled moves the
    /// position and nothing else.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        debug_assert_eq!(
            entry.position,
            self.next_position(),
            "entries come in order"
        );
        self.position = entry.position;
        self.updated_at = Some(entry.recorded_at);
        match &entry.event {
            Event::ProofAccepted(proof) => return self.apply_proof(proof, entry.position),
            Event::FarmFounded(founded) => {
                self.farm = Some(Farm::new(founded.clone(), entry.recorded_at));
                self.public_position = entry.position;
            }
            Event::RulesAdopted(rules) => self.rules = Rules::new(rules.clone()),
            Event::AgentEnrolled(request) => {
                self.agents.insert(
                    request.agent_id,
                    Agent {
                        public_key: request.public_key,
                        cluster_alias: request.cluster_alias.clone(),
                        status: AgentStatus::Pending,
                        enrolled_at: entry.recorded_at,
                        approved_at: None,
                        revoked_at: None,
                        last_good_proof: None,
                        head: None,
                        highest_proof: None,
                    },
                );
            }
            Event::AgentApproved(approved) => {
                if let Some(agent) = self.agents.get_mut(&approved.agent_id) {
                    agent.status = AgentStatus::Active;
                    agent.approved_at = Some(entry.recorded_at);
                }
            }
            Event::AgentRevoked(revoked) => {
                if let Some(agent) = self.agents.get_mut(&revoked.agent_id) {
                    agent.status = AgentStatus::Revoked;
                    agent.revoked_at = Some(entry.recorded_at);
                    agent.last_good_proof = revoked.last_good_proof;
                }
            }
            Event::ForkRefused(_) => {}
        }
        Applied::Noted
    }

    fn apply_proof(&mut self, proof: &AcceptedProof, position: u64) -> Applied {
        let body = proof.body();
        let earns = proof.earns();
        let hour = HourlyActivity::hour(body.timestamp);
        let day = self
            .farm
            .as_ref()
            .map(|farm| farm.calendar.day(body.timestamp));
        if let (true, Some(day), Some(farm)) = (earns, day, &self.farm) {
            self.streak = self.streak.after_work_on(day, &farm.calendar);
            self.streak_longest = self.streak_longest.max(self.streak.days);
        }
        let category = body.action.category;
        let score = self.rules.set.score(&ScoreInput {
            category,
            complexity: body.scoring_hints.complexity,
            earns,
            // The schema holds the radius to 1..=10.
            impact_radius: u8::try_from(body.scoring_hints.impact_radius.value())
                .unwrap_or(u8::MAX),
            like_this_hour: self.activity.like(hour, &body.action),
            streak_days: self.streak.days,
            upgrade_bp: ONE_BP
                .saturating_add(Catalogue::builtin().upgrade_boost_bp(category, &self.upgrades)),
        });
        self.activity.count(hour, &body.action);
        if earns {
            let totals = self.categories.entry(category).or_default();
            totals.proofs += 1;
            totals.coins = totals.coins.saturating_add(score.coins);
            totals.last_proof_at = totals.last_proof_at.max(Some(body.timestamp));
            if let Some(day) = day {
                let totals = self.days.entry(day).or_default();
                totals.proofs += 1;
                totals.coins = totals.coins.saturating_add(score.coins);
            }
            self.coins.earned = self.coins.earned.saturating_add(score.coins);
            self.public_position = position;
        }
        self.last_active = self.last_active.max(Some(body.timestamp));
        Applied::Scored {
            score,
            chain_length: self.extend_chain(proof),
        }
    }

    /// Moves the agent's head to `proof`. That it extends the chain was decided before it was recorded.
    fn extend_chain(&mut self, proof: &AcceptedProof) -> u64 {
        let body = proof.body();
        let Some(agent) = self.agents.get_mut(&body.agent.agent_id) else {
            return 0;
        };
        let length = agent
            .head
            .map_or(SafeUint::ZERO, |head| head.length)
            .saturating_add(SafeUint::from(1));
        agent.head = Some(ChainHead {
            hash: proof.hash(),
            length,
            proof_id: body.proof_id,
            timestamp: body.timestamp,
        });
        agent.highest_proof = agent.highest_proof.max(Some(body.proof_id));
        length.value()
    }
}
