//! Counting the books again: every proof of a tracker checked and scored anew, from its bytes alone.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use farmops_protocol::chain::{ChainHead, extend};
use farmops_protocol::key::PublicKey;
use farmops_protocol::proof::{ActionType, ParsedProof};
use farmops_protocol::scoring::{ONE_BP, RuleSet, ScoreInput};
use farmops_protocol::streak::{Calendar, Plain, Rhythm, Streak};
use farmops_protocol::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A proof as the tracker lists it.
#[derive(Debug, Deserialize)]
pub struct Entry {
    /// Its place in the ledger.
    pub position: u64,
    /// Who signed it.
    pub agent_id: Uuid,
    /// What the tracker gave for it.
    pub coins: u64,
    /// The proof as it was received.
    pub proof: Box<RawValue>,
}

/// What the books come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// How many proofs there are.
    pub proofs: u64,
    /// What they are worth by the default rules.
    pub coins: u64,
    /// The evidence of each, to tell one piece of work from another.
    pub evidence: Vec<String>,
}

/// Checks signatures and chains and counts the coins again.
///
/// # Errors
/// The first proof that is not canonical, not signed by its agent, out of its chain, or scored otherwise.
pub fn count(
    entries: &mut [Entry],
    keys: &BTreeMap<Uuid, PublicKey>,
    now: Timestamp,
) -> Result<Sum> {
    entries.sort_by_key(|entry| entry.position);
    let rules = RuleSet::default();
    let calendar = Calendar::weekdays_utc();
    let rhythm = Rhythm {
        days: &Plain(&calendar),
        freezes: rules.freezes,
    };
    let mut heads: BTreeMap<Uuid, ChainHead> = BTreeMap::new();
    let mut like: BTreeMap<(i64, String, ActionType), u32> = BTreeMap::new();
    let mut streak = Streak::default();
    let mut sum = Sum {
        proofs: 0,
        coins: 0,
        evidence: Vec::new(),
    };
    for entry in entries {
        let place = format!("the proof at position {}", entry.position);
        let key = keys
            .get(&entry.agent_id)
            .with_context(|| format!("{place} is by an unknown agent"))?;
        let parsed = ParsedProof::parse(entry.proof.get().as_bytes()).context(place.clone())?;
        let proof = parsed.verify(key).context(place.clone())?;
        let head = extend(heads.get(&entry.agent_id), &proof, now).context(place.clone())?;
        heads.insert(entry.agent_id, head);

        let body = proof.body();
        let hour = body.timestamp.second().div_euclid(3600);
        let action = &body.action;
        let alike = like
            .entry((hour, action.plugin.clone(), action.action_type))
            .or_default();
        if proof.earns() {
            streak = streak.after_work_on(calendar.day(body.timestamp), &rhythm);
        }
        let score = rules.score(&ScoreInput {
            category: action.category,
            complexity: body.scoring_hints.complexity,
            earns: proof.earns(),
            impact_radius: u8::try_from(body.scoring_hints.impact_radius.value())?,
            like_this_hour: *alike,
            streak_days: streak.days,
            upgrade_bp: ONE_BP,
            // By the default rules a day has no cap.
            coins_today: 0,
        });
        *alike += 1;
        ensure!(
            score.coins == entry.coins,
            "{place} is worth {} coins, the tracker gave {}",
            score.coins,
            entry.coins
        );
        sum.proofs += 1;
        sum.coins += score.coins;
        sum.evidence.push(body.outcome.evidence_hash.to_string());
    }
    Ok(sum)
}

/// Whether two entries stand for one piece of work.
///
/// # Errors
/// When they do.
pub fn demand_distinct(sum: &Sum) -> Result<()> {
    let mut evidence = sum.evidence.clone();
    evidence.sort();
    for pair in evidence.windows(2) {
        if pair[0] == pair[1] {
            bail!("two proofs carry the same evidence {}", pair[0]);
        }
    }
    Ok(())
}
