//! Composites: what proofs are worth together (`protocol-spec/docs/scoring.md`, `SCO-COMP`).

use farmops_ledger::{AcceptedProof, CompositeEarned, CompositePart, Event};
use farmops_protocol::scoring::composite::Candidate;

use super::state::State;

/// The composites that `proof`, just applied to `state`, completes.
pub fn decide_composites(state: &State, proof: &AcceptedProof) -> Vec<Event> {
    let body = proof.body();
    let Some(farm) = state.farm.as_ref().filter(|_| proof.earns()) else {
        return Vec::new();
    };
    let day = farm.profile.schedule.day(body.timestamp);
    let rules = &state.rules.set;
    let mut today = state.days.get(&day).map_or(0, |totals| totals.coins);
    let mut earned = Vec::new();
    for rule in &rules.composites {
        let waiting = state.composing.get(&rule.slug);
        let parts = waiting
            .and_then(|waiting| rule.completed_by(waiting, body.agent.agent_id, body.proof_id));
        if let Some(parts) = parts {
            let coins = rules.caps.of_composite(rule.coins, today);
            today = today.saturating_add(coins);
            earned.push(Event::CompositeEarned(CompositeEarned {
                coins,
                day,
                parts: parts.into_iter().map(part).collect(),
                slug: rule.slug.clone(),
            }));
        }
    }
    earned
}

fn part(candidate: &Candidate) -> CompositePart {
    CompositePart {
        agent_id: candidate.agent_id,
        proof_id: candidate.proof_id,
    }
}

impl State {
    /// Lets an earning proof wait to become a part.
    pub(super) fn compose(&mut self, proof: &AcceptedProof) {
        let body = proof.body();
        for rule in &self.rules.set.composites {
            let fits = rule.fits(&body.action);
            if fits.is_empty() {
                continue;
            }
            let candidate = Candidate {
                proof_id: body.proof_id,
                agent_id: body.agent.agent_id,
                timestamp: body.timestamp,
                fits,
            };
            // Only the first one needs a name of its own.
            match self.composing.get_mut(&rule.slug) {
                Some(waiting) => rule.admit(waiting, candidate),
                None => drop(self.composing.insert(rule.slug.clone(), [candidate].into())),
            }
        }
    }

    /// Lets those go that became parts of `composite`.
    pub(super) fn take_parts(&mut self, composite: &CompositeEarned) {
        let Some(waiting) = self.composing.get_mut(&composite.slug) else {
            return;
        };
        waiting.retain(|candidate| !composite.parts.contains(&part(candidate)));
        if waiting.is_empty() {
            self.composing.remove(&composite.slug);
        }
    }

    /// Keeps those that still may become a part.
    pub(super) fn keep_composing(&mut self, keep: impl Fn(&str, &Candidate) -> bool) {
        self.composing.retain(|slug, waiting| {
            waiting.retain(|candidate| keep(slug, candidate));
            !waiting.is_empty()
        });
    }
}
