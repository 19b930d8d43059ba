//! What becomes of agents, their keys and their chains.

use farmops_ledger::{AgentApproved, AgentRevoked, ChainReset, KeyRotated, Withdrawn};
use farmops_protocol::{
    enrolment::{AgentStatus, EnrolmentRequest},
    streak::Streak,
    time::Timestamp,
};
use uuid::Uuid;

use crate::domain::{Agent, FormerKey, State, Watch};

impl State {
    pub(super) fn apply_enrolment(&mut self, request: &EnrolmentRequest, at: Timestamp) {
        self.agents.insert(
            request.agent_id,
            Agent {
                public_key: request.public_key,
                former_keys: Vec::new(),
                cluster_alias: request.cluster_alias.clone(),
                status: AgentStatus::Pending,
                enrolled_at: at,
                approved_at: None,
                revoked_at: None,
                last_good_proof: None,
                branch: 0,
                head: None,
                highest_proof: None,
                proofs: 0,
            },
        );
    }

    pub(super) fn apply_approval(&mut self, approved: &AgentApproved, at: Timestamp) {
        if let Some(agent) = self.agents.get_mut(&approved.agent_id) {
            agent.status = AgentStatus::Active;
            agent.approved_at = Some(at);
            let watch = Watch {
                from: at,
                until: None,
                silences: Vec::new(),
            };
            self.known.watches.insert(approved.agent_id, watch);
        }
    }

    pub(super) fn end_trust(&mut self, id: Uuid, last_good: Option<Uuid>, at: Timestamp) {
        if let Some(watch) = self.known.watches.get_mut(&id) {
            watch.until = watch.until.or(Some(at));
        }
        self.keep_composing(|_, candidate| candidate.agent_id != id);
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.status = AgentStatus::Revoked;
            // A second revocation may only reach further back.
            agent.revoked_at = agent.revoked_at.or(Some(at));
            agent.last_good_proof = last_good;
        }
    }

    pub(super) fn apply_revocation(&mut self, revoked: &AgentRevoked, at: Timestamp) {
        self.end_trust(revoked.agent_id, revoked.last_good_proof, at);
        for withdrawn in &revoked.withdrawn {
            self.take_back(withdrawn);
        }
        if !revoked.withdrawn.is_empty() {
            self.recount_streak();
        }
    }

    fn take_back(&mut self, withdrawn: &Withdrawn) {
        let coins = withdrawn.coins;
        self.coins.earned = self.coins.earned.saturating_sub(coins);
        if let Some(totals) = self.days.get_mut(&withdrawn.day) {
            totals.coins = totals.coins.saturating_sub(coins);
        }
        if let Some(category) = withdrawn.category {
            if let Some(totals) = self.days.get_mut(&withdrawn.day) {
                totals.proofs = totals.proofs.saturating_sub(withdrawn.proofs);
            }
            if let Some(totals) = self.categories.get_mut(&category) {
                totals.proofs = totals.proofs.saturating_sub(withdrawn.proofs);
                totals.coins = totals.coins.saturating_sub(coins);
            }
        }
        if withdrawn.category.is_none() {
            self.composites = self.composites.saturating_sub(withdrawn.proofs);
        }
        for lost in &withdrawn.leagues {
            let Some(league) = self.leagues.get_mut(&lost.league) else {
                continue;
            };
            if let Some(total) = league.seasons.get_mut(&lost.season) {
                *total = total.saturating_sub(lost.coins);
            }
            if let Some(total) = league.days.get_mut(&withdrawn.day) {
                *total = total.saturating_sub(lost.coins);
            }
        }
    }

    /// The streak again, from the days on which work is left.
    fn recount_streak(&mut self) {
        let Some(farm) = &self.farm else { return };
        let days = self.known.by(&farm.profile.schedule);
        let worked = self.days.iter().filter(|(_, totals)| totals.proofs > 0);
        (self.streak, self.streak_longest) = Streak::over(
            worked.map(|(day, _)| *day),
            &days.rhythm(self.rules.set.freezes),
        );
    }

    pub(super) fn apply_rotation(&mut self, rotated: &KeyRotated) {
        if let Some(agent) = self.agents.get_mut(&rotated.agent_id) {
            agent.former_keys.push(FormerKey {
                key: std::mem::replace(&mut agent.public_key, rotated.new_key),
                until: rotated.place,
            });
        }
    }

    pub(super) fn apply_reset(&mut self, reset: &ChainReset) {
        if let Some(agent) = self.agents.get_mut(&reset.agent_id) {
            agent.branch = reset.branch;
            agent.head = reset.resumes_at;
        }
    }
}
