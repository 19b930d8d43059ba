//! What a proof brings.

use farmops_ledger::{AcceptedProof, LeagueCoins};
use farmops_protocol::{
    chain::ChainHead,
    int::SafeUint,
    proof::Category,
    scoring::{ONE_BP, ScoreInput},
    snapshot::season_of,
    time::Timestamp,
};
use jiff::civil::Date;

use super::Applied;
use crate::domain::{HourlyActivity, State};

impl State {
    pub(super) fn apply_proof(&mut self, proof: &AcceptedProof, position: u64) -> Applied {
        let body = proof.body();
        let earns = proof.earns();
        let hour = HourlyActivity::hour(body.timestamp);
        let day = self
            .farm
            .as_ref()
            .map(|farm| farm.profile.schedule.day(body.timestamp));
        if let (true, Some(day)) = (earns, day) {
            self.count_work_on(day);
        }
        let category = body.action.category;
        let input = ScoreInput {
            category,
            complexity: body.scoring_hints.complexity,
            earns,
            // The schema holds the radius to 1..=10.
            impact_radius: u8::try_from(body.scoring_hints.impact_radius.value())
                .unwrap_or(u8::MAX),
            like_this_hour: self.activity.count(hour, &body.action),
            streak_days: self.streak.days,
            upgrade_bp: ONE_BP.saturating_add(self.boosts_bp.get(&category).copied().unwrap_or(0)),
            coins_today: day
                .and_then(|day| self.days.get(&day))
                .map_or(0, |totals| totals.coins),
        };
        let score = self.rules.set.score(&input);
        if earns {
            self.count_earned(category, day, score.coins, body.timestamp);
            self.public_position = position;
            self.compose(proof);
        }
        self.last_active = self.last_active.max(Some(body.timestamp));
        Applied::Scored {
            score,
            chain_length: self.extend_chain(proof),
            day,
            leagues: self.score_in_leagues(&input, day, body.timestamp),
        }
    }

    /// Counts one proof that earns.
    pub(super) fn count_earned(
        &mut self,
        category: Category,
        day: Option<Date>,
        coins: u64,
        finished_at: Timestamp,
    ) {
        let totals = self.categories.entry(category).or_default();
        totals.proofs += 1;
        totals.coins = totals.coins.saturating_add(coins);
        totals.last_proof_at = totals.last_proof_at.max(Some(finished_at));
        if let Some(day) = day {
            let totals = self.days.entry(day).or_default();
            totals.proofs += 1;
            totals.coins = totals.coins.saturating_add(coins);
        }
        self.coins.earned = self.coins.earned.saturating_add(coins);
    }

    /// Extends the streak by work on `day`.
    pub(super) fn count_work_on(&mut self, day: Date) {
        if let Some(farm) = &self.farm {
            let days = self.known.by(&farm.profile.schedule);
            let rhythm = days.rhythm(self.rules.set.freezes);
            self.streak = self.streak.after_work_on(day, &rhythm);
            self.streak_longest = self.streak_longest.max(self.streak.days);
        }
    }

    /// Scores by the rules of every league the farm is in; what it has bought does not count there.
    fn score_in_leagues(
        &mut self,
        input: &ScoreInput,
        day: Option<Date>,
        finished_at: Timestamp,
    ) -> Vec<LeagueCoins> {
        let mut earned = Vec::new();
        if !input.earns || self.leagues.is_empty() {
            return earned;
        }
        let season = season_of(finished_at);
        for (slug, league) in &mut self.leagues {
            if league.left_at.is_some() {
                continue;
            }
            let today = day.and_then(|day| league.days.get(&day));
            let input = ScoreInput {
                upgrade_bp: ONE_BP,
                coins_today: today.copied().unwrap_or(0),
                ..*input
            };
            let coins = league.rules.set.score(&input).coins;
            league.count(&season, day, coins);
            earned.push(LeagueCoins {
                coins,
                league: slug.clone(),
                season: season.clone(),
            });
        }
        earned
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
        agent.proofs += 1;
        length.value()
    }
}
