//! What a proof brought whose content is archived, as its row has it.
//!
//! The row stands in for the proof: everything follows from it but what other proofs of its hour earned
//! less, and which composites it may yet become a part of. Whoever folds it compares it with the log.

use farmops_protocol::{chain::ChainHead, int::SafeUint, time::Timestamp};

use super::Applied;
use crate::domain::{Changes, ProofRow, State};

impl State {
    /// Folds in a proof by its row, as [`Self::apply`] does by its content.
    pub fn apply_archived(&mut self, row: &ProofRow, recorded_at: Timestamp) -> Applied {
        self.position = row.position;
        self.updated_at = Some(recorded_at);
        let coins = row.score.coins;
        if row.earns {
            if let Some(day) = row.day {
                self.count_work_on(day);
            }
            self.count_earned(row.category, row.day, coins, row.timestamp);
            self.public_position = row.position;
        }
        self.last_active = self.last_active.max(Some(row.timestamp));
        for earned in &row.leagues {
            if let Some(league) = self.leagues.get_mut(&earned.league) {
                league.count(&earned.season, row.day, earned.coins);
            }
        }
        if let Some(agent) = self.agents.get_mut(&row.agent_id) {
            agent.head = Some(ChainHead {
                hash: row.hash,
                length: SafeUint::try_from(row.chain_length).unwrap_or_default(),
                proof_id: row.proof_id,
                timestamp: row.timestamp,
            });
            agent.highest_proof = agent.highest_proof.max(Some(row.proof_id));
            agent.proofs += 1;
        }
        Applied::Scored {
            score: row.score,
            chain_length: row.chain_length,
            day: row.day,
            leagues: row.leagues.clone(),
        }
    }

    /// Why `row` is not the next one of its agent's chain.
    ///
    /// # Errors
    /// The column that differs.
    pub fn check_archived(&self, row: &ProofRow) -> Result<(), &'static str> {
        let Some(agent) = self.agents.get(&row.agent_id) else {
            return Err("agent_id");
        };
        let head = agent.head.as_ref();
        let length = head.map_or(0, |head| head.length.value());
        let follows = head.map_or(row.agent_id, |head| head.proof_id);
        if row.follows != follows {
            Err("follows")
        } else if row.chain_length != length + 1 {
            Err("chain_length")
        } else if row.branch != agent.branch {
            Err("branch")
        } else if head.is_some_and(|head| row.timestamp < head.timestamp) {
            Err("finished_at")
        } else {
            Ok(())
        }
    }
}

impl Changes {
    /// Marks what `row`, just folded in, touches.
    pub fn note_archived(&mut self, row: &ProofRow) {
        self.agents.insert(row.agent_id);
        if row.earns {
            self.categories.insert(row.category);
            self.days.extend(row.day);
        }
        for earned in &row.leagues {
            let seasons = self.leagues.entry(earned.league.clone()).or_default();
            seasons.insert(earned.season.clone());
        }
        self.proofs.push(ProofRow {
            // A later revocation marks it again.
            counts: true,
            ..row.clone()
        });
    }
}
